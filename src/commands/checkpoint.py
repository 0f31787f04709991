"""Loads checkpoints; they carry classes, features and threshold, so that nothing else is needed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.configuration.build import assemble, build_loss, build_network, task_of
from src.configuration.checkpoint_contents import REMEDY_OF_VERSION
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.targets import find_class
from src.errors import UserError, one_line
from src.fingerprint import content_hash, value_hash
from src.messages import reason
from src.models.learner import Learner
from src.models.weights import misfit
from src.paths import not_a_file
from src.tasks.base import Trained

_SMALLEST_STD = 1e-6
"""Deviation of a row of features, dB, up to which training takes 1 instead."""


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
        if problem := not_a_file(path):
            raise UserError(f"checkpoint={path}: it {problem}; outputs/runs/*/checkpoints/ holds them.")
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
    with refusing(path, "it cannot be loaded"):
        learner = _learner(description, state["state_dict"])
        data = find_class(description["config"]["data"]["_target_"], "data")
    return Trained(learner.eval(), dict(description), path, data)


@contextmanager
def refusing(path: Path, problem: str) -> Iterator[None]:
    """Answer whatever is raised where the description of a checkpoint is malformed with one line.

    Args:
        path: of the checkpoint.
        problem: what cannot be done, for the message.

    Raises:
        UserError: anything was raised; one whose message has the path stays as it is.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) and str(path) in str(error):
            raise
        said = str(error) if isinstance(error, UserError) else reason(error)
        raise UserError(
            f"checkpoint={path}: {problem} ({one_line(said).rstrip('.')}); {REMEDY_OF_VERSION}"
        ) from error


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
    config, task = description["config"], task_of(description)
    _check_network(description, weights)
    learner = assemble(config, description, build_loss(config), [weights[name] for name in task.statistics])
    known = learner.state_dict()
    own = {name: value for name, value in weights.items() if name in known or not name.startswith("loss.")}
    _check_fit(known, own)
    learner.load_state_dict(own)
    _check_scales(learner)
    if not 0 <= float(learner.threshold) <= 1:
        raise UserError(f"threshold {float(learner.threshold):g} is not in 0..1")
    return learner


def _check_scales(learner: Learner) -> None:
    """Refuse deviations that features or activations cannot be divided by."""
    for name, values in learner.named_buffers():
        if name == "std" and not (values > _SMALLEST_STD).all():
            raise UserError(f"a deviation of features is {float(values.min()):g}")
        if name.endswith("running_var") and not (values >= 0).all():
            raise UserError(f"a variance in {name} is {float(values.min()):g}")


def _check_network(description: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that do not fit the network or the items, before memory is taken for either."""
    task, shape, names = task_of(description), tuple(description["item_shape"]), description["classes"]
    with torch.device("meta"):
        network: Any = build_network(description["config"], task, len(names), shape)
    network.check(shape)
    if description["target"] not in network.targets or task.name not in network.inputs:
        raise UserError(f"its network is not for {task.name} with {description['target']} targets")
    theirs = {name: value for name, value in weights.items() if name.startswith("network.")}
    _check_fit({f"network.{name}": value for name, value in network.state_dict().items()}, theirs)
    rows = task.network_arguments(len(names), shape).get("n_rows")
    for name in task.statistics:
        if name not in weights or (rows is not None and list(weights[name].shape) != [rows]):
            raise UserError(f"there is no {name} of each of {rows} rows")


def _check_fit(known: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    if difference := misfit(known, given):
        raise UserError(f"its weights do not fit its network: {difference}")
