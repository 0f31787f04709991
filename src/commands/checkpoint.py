"""Loads checkpoints; they carry classes, features and threshold, so that nothing else is needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from src.configuration.build import assemble, build_loss, task_of
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.targets import find_class
from src.errors import UserError
from src.fingerprint import content_hash, value_hash
from src.models.learner import Learner
from src.tasks.base import Trained

MISFIT = "the checkpoint's weights do not fit its network; the code has changed since it was written."


def checkpoint_paths(value: Any) -> list[Path]:
    """Return the paths that `checkpoint=` names: one, or a list.

    Raises:
        UserError: none was given, or one does not exist.
    """
    if not value:
        raise UserError(
            "checkpoint= is missing: name one, e.g. outputs/runs/<signature>/checkpoints/best.ckpt."
        )
    paths = [Path(str(path)).expanduser() for path in (value if isinstance(value, list) else [value])]
    for path in paths:
        if not path.is_file():
            raise UserError(
                f"checkpoint={path}: there is no such file; outputs/runs/*/checkpoints/ holds them."
            )
    return paths


def checkpoints_signature(paths: Sequence[Path]) -> str:
    """Return a hash of the contents of checkpoints."""
    return value_hash([content_hash(path) for path in paths])


def load(path: Path) -> Trained:
    """Load a checkpoint.

    Raises:
        UserError: see `read_checkpoint`; also where its network cannot be built or its weights do not fit the network.
    """
    state = read_checkpoint(path)
    description = state["hyper_parameters"]
    try:
        learner = _learner(description, state["state_dict"])
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"checkpoint={path}: the network that it describes cannot be built ({type(error).__name__}: {error}); "
            "take a file that this project wrote."
        ) from error
    data = find_class(description["config"]["data"]["_target_"], "data")
    return Trained(learner.eval(), dict(description), path, data)


def load_all(paths: Sequence[Path]) -> list[Trained]:
    """Load checkpoints whose outputs will be averaged.

    Raises:
        UserError: they differ in classes or features.
    """
    loaded = [load(path) for path in paths]
    for other in loaded[1:]:
        for key, name in (("classes", "classes"), ("item_shape", "features")):
            if other.description[key] != loaded[0].description[key]:
                raise UserError(
                    f"{other.path} and {loaded[0].path} differ in their {name}, so they cannot be averaged; "
                    "leave one of them out."
                )
        for key in task_of(loaded[0].description).must_agree:
            if other.config["data"].get(key) != loaded[0].config["data"].get(key):
                raise UserError(
                    f"{other.path} and {loaded[0].path} differ in data.{key}, so they cannot be averaged; "
                    "leave one of them out."
                )
    return loaded


def _learner(description: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Learner:
    config, named = description["config"], task_of(description).statistics
    if not all(name in weights for name in named):
        raise UserError(MISFIT)
    learner = assemble(config, description, build_loss(config), [weights[name] for name in named])
    known = learner.state_dict()
    own = {name: value for name, value in weights.items() if name in known or not name.startswith("loss.")}
    missing, unexpected = learner.load_state_dict(own, strict=False)
    if missing or unexpected:
        raise UserError(MISFIT)
    return learner
