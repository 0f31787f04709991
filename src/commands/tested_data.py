"""What of a checkpoint's data may be changed for a test, and what must stay as it was in training."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.commands.sharing import without_paths
from src.configuration.typed import read
from src.datamodules.base import DataModule
from src.errors import UserError
from src.tasks.base import Trained


def data_config(trained: Trained, config: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Return the checkpoint's configuration, with other data, or its own as they are changed.

    Args:
        trained: the checkpoint.
        config: composed; its `data` are another set's, or what is typed of the checkpoint's own.
        overrides: as typed.

    Raises:
        UserError: what is typed changes how training items are made, or is of another data set.
    """
    own, data = trained.config["data"], config.get("data") or {}
    if "_target_" not in data:
        check_changes(trained, overrides)
        kept = {key: value for key, value in data.items() if key not in trained.data.training_options}
        data = _merged(own, kept)
    elif is_same_set(trained, config):
        check_changes(trained, overrides)
        data = {**data, **{key: own[key] for key in trained.data.training_options if key in own}}
    if data.get("_target_") == own["_target_"]:
        data = {**data, **trained.data.kept_in_test(own, data)}
    return {**trained.config, "outputs": config["outputs"], "data": data}


def check_changes(trained: Trained, overrides: Sequence[str]) -> None:
    """Refuse changes of a checkpoint's data that a test does not make.

    Raises:
        UserError: an option or a choice is of training items, or the choice is of another data set.
    """
    for typed in filter(None, map(read, overrides)):
        if typed.path[0] != "data" or len(typed.path) == 1:
            continue
        if typed.is_choice and typed.path[1] != trained.data.name:
            raise UserError(
                f"{typed.key} is for checkpoints trained on data={typed.path[1]}, but {trained.path} was trained on "
                f"data={trained.data.name}; leave it out."
            )
        allowed = typed.path[-1] in trained.data.test_choices
        if not allowed if typed.is_choice else typed.path[1] in trained.data.training_options:
            raise UserError(f"{typed.key} is what {trained.path} was trained with, and stays; leave it out.")


def is_same_set(trained: Trained, tested: Mapping[str, Any]) -> bool:
    """Whether the data are of the set that a checkpoint was trained on."""
    return bool(trained.config["data"]["_target_"] == tested["data"].get("_target_"))


def _merged(below: Any, above: Any) -> Any:
    """Return mappings merged key by key; everything else is replaced. Values of a checkpoint stay plain text."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


def same_classes(trained: Trained, data: DataModule, tested: dict[str, Any]) -> None:
    """Refuse data that a checkpoint was not trained for, and a new draw of the parts, which would test on training.

    Raises:
        UserError: classes or features differ, or see `same_parts`.
    """
    if (
        list(data.classes) != trained.description["classes"]
        or list(data.item_shape) != trained.description["item_shape"]
    ):
        raise UserError(
            f"{trained.path} was trained for other classes or features than data {data.name} has."
        )
    own, now = trained.config["data"], {**tested["data"], **data.resolved()}
    other = [key for key in data.feature_options if own.get(key) != now.get(key)]
    if other:
        raise UserError(
            f"{trained.path} was trained with data.{other[0]}={own.get(other[0])}; leave it as it was."
        )
    same_parts(trained, data, tested)


def same_parts(trained: Trained, data: DataModule, tested: dict[str, Any]) -> None:
    """Refuse another draw of the parts of the data that a checkpoint was trained on.

    Raises:
        UserError: the same data are divided otherwise.
    """
    own, now = trained.config["data"], {**tested["data"], **data.resolved()}
    drawn = [key for key in data.drawn_by if own.get(key) != now.get(key)]
    # A checkpoint that was passed on knows the name of the folder only.
    if drawn and own.get("root") in (now.get("root"), without_paths(now.get("root"))):
        raise UserError(
            f"data.{drawn[0]}: another draw of the parts tests on what {trained.path} was trained on; leave it as it "
            "was."
        )
