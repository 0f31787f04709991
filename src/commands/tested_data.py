"""What of a checkpoint's data may be changed for a test, and what must stay as it was in training."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.commands.sharing import without_paths
from src.configuration.typed import read
from src.datamodules.base import DataModule
from src.errors import UserError
from src.tasks.base import Trained


def data_config(trained: Trained, config: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Return the checkpoint's configuration with the data to be tested: another set, or its own with what was changed.

    Args:
        trained: the checkpoint.
        config: composed; its `data` are the options of a chosen data set, or only those that were typed.
        overrides: as typed.

    Raises:
        UserError: an override changes how training items are made, or belongs to another data set.
    """
    own, data = trained.config["data"], config.get("data") or {}
    if "_target_" not in data:
        check_changes(trained, overrides)
        kept = {key: value for key, value in data.items() if key not in trained.data.training_options}
        data = _merged(own, kept)
    elif is_same_data_set(trained, config):
        check_changes(trained, overrides)
        data = {**data, **{key: own[key] for key in trained.data.training_options if key in own}}
    if data.get("_target_") == own["_target_"]:
        data = {**data, **trained.data.kept_in_test(own, data)}
    return {**trained.config, "outputs": config["outputs"], "data": data}


def check_changes(trained: Trained, overrides: Sequence[str]) -> None:
    """Refuse overrides of a checkpoint's data that have no effect on a test.

    Raises:
        UserError: an option or a choice concerns training items only, or the choice belongs to another data set.
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
            raise UserError(
                f"{typed.key} says how training items are made, and {trained.path} is trained already; leave it out."
            )


def is_same_data_set(trained: Trained, tested: Mapping[str, Any]) -> bool:
    """Whether the data set is the one that a checkpoint was trained on."""
    return bool(trained.config["data"]["_target_"] == tested["data"].get("_target_"))


def _merged(below: Any, above: Any) -> Any:
    """Return mappings merged key by key; other values of `below` are replaced by those of `above`."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


def check_classes_and_features(trained: Trained, data: DataModule, tested: dict[str, Any]) -> None:
    """Refuse data with other classes or features than a checkpoint was trained for, and a new draw of its splits.

    Raises:
        UserError: classes or features differ; see also `check_splits`.
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
            f"{trained.path} was trained with data.{other[0]}={own.get(other[0])}; leave this option unchanged."
        )
    check_splits(trained, data, tested)


def check_splits(trained: Trained, data: DataModule, tested: dict[str, Any]) -> None:
    """Refuse a new draw of the splits of the data that a checkpoint was trained on: it would test on training items.

    Raises:
        UserError: the same data would be split differently.
    """
    own, now = trained.config["data"], {**tested["data"], **data.resolved()}
    drawn = [key for key in data.drawn_by if own.get(key) != now.get(key)]
    # A checkpoint that was shared knows the name of the folder only.
    if drawn and own.get("root") in (now.get("root"), without_paths(now.get("root"))):
        raise UserError(
            f"data.{drawn[0]}: another draw of the splits would test on items that {trained.path} was trained on; "
            "leave this option unchanged."
        )
