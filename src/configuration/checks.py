"""`freeze` resolves a configuration and checks that its values fit each other, before any work."""

import inspect
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import torch
from lightning.pytorch.callbacks import EarlyStopping

import src.losses
import src.models.networks
from src.configuration.build import (
    build_data,
    build_loss,
    build_network,
    build_regularization,
    build_transfer,
)
from src.configuration.build_loggers import settle_loggers
from src.configuration.checkpoint_checks import check_checkpoints
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.fitting import check_fits
from src.configuration.make import make
from src.configuration.settings import check_settings
from src.configuration.targets import find_class, find_task
from src.configuration.trainer_checks import check_optimizer, check_trainer, freeze_trainer
from src.datamodules.base import DataModule
from src.datamodules.first_batches import check_batches
from src.errors import UserError
from src.metrics.kinds import direction, objectives
from src.models.transfer import Transfer, load_features
from src.tasks.base import TASKS, Task
from src.words import did_you_mean

T = TypeVar("T")

_MOST_KNOWN = 32
"""Results kept at most of other configurations; a data module holds filter banks of some hundred kilobytes."""


def freeze(config: Mapping[str, Any], known: MutableMapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the configuration with every `auto` resolved; refuse combinations that cannot work.

    Args:
        config: the composed configuration as plain values.
        known: what this function found out about other configurations of the same sweep, at first empty; it adds to it
            what it finds out about this one.

    Returns:
        The resolved configuration, from which the trial's signature is computed.

    Raises:
        UserError: a combination is impossible; the message names the remedy.
    """
    frozen = deepcopy(dict(config))
    check_settings(frozen)
    for group in ("augment", "callbacks", "logger"):
        frozen[group] = {name: options for name, options in (frozen.get(group) or {}).items() if options}
    known = {} if known is None else known
    frozen["trainer"] = dict(
        _once(known, "trainer", frozen["trainer"], lambda: freeze_trainer(frozen["trainer"]))
    )
    data = _checked_data(frozen, known)
    frozen["data"] |= data.resolved()
    _freeze_objective(frozen, data.target)
    callbacks_and_loggers = (frozen["callbacks"], frozen["logger"])
    _once(known, "callbacks and loggers", callbacks_and_loggers, lambda: _check_callbacks_and_loggers(frozen))
    _check_sizes(frozen, data)
    _freeze_overfitting(frozen, data)
    _check_loss(frozen, data)
    _check_augment(frozen, data)
    task = find_task(data.inputs)
    _once(known, "network", (frozen["model"], frozen["data"]), lambda: _check_network(frozen, data, task))
    task.check(frozen, data)
    _check_transfer(frozen, data, task)
    _check_groups(frozen, data, task)
    _check_callbacks(frozen, data)
    check_optimizer(frozen)
    check_trainer(frozen, data)
    frozen["logger"] = settle_loggers(frozen["logger"])
    return frozen


def _once(known: MutableMapping[str, Any], name: str, options: Any, find: Callable[[], T]) -> T:
    """Return what a function finds out about some options, which it is called for once."""
    key = f"{name} {options}"
    if key not in known:
        if len(known) >= _MOST_KNOWN:
            known.pop(next(iter(known)))
        known[key] = find()
    found: T = known[key]
    return found


def _checked_data(frozen: Mapping[str, Any], known: MutableMapping[str, Any]) -> DataModule:
    def checked() -> DataModule:
        data = build_data(frozen)
        data.check()
        return data

    return _once(known, "data", (frozen["data"], frozen["batch_size"], frozen["outputs"]), checked)


def incomparable(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why frozen configurations can't be ranked together, a message for each reason."""
    losses = {repr(config["loss"]) for config in configs if config["objective"] == "loss"}
    if len(losses) < 2:
        return []
    return [
        "objective=loss ranks each trial by its own loss, and these trials have different ones; name a metric that "
        "they share (objective=…, see docs/contract.md)."
    ]


def _freeze_objective(frozen: dict[str, Any], target: str) -> None:
    known = objectives(target)
    objective = frozen["objective"]
    if objective == "auto":
        frozen["objective"] = objective = known[0]
    if objective not in known:
        nearest = did_you_mean(objective, known)
        raise UserError(
            f"objective={objective} is not measured on {target} targets.{nearest} Known: {', '.join(known)}."
        )
    for name, options in frozen["callbacks"].items():
        if "monitor" in options:
            metric = (
                objective
                if options["monitor"] == "objective"
                else _monitored(name, options["monitor"], known)
            )
            options["monitor"] = f"val/{metric}"
            options["mode"] = direction(metric)


def _monitored(name: str, monitor: Any, known: Sequence[str]) -> str:
    metric = str(monitor).removeprefix("val/")
    if metric not in known:
        nearest = did_you_mean(metric, known)
        raise UserError(f"callbacks.{name}.monitor={monitor}: it is not measured on validation.{nearest}")
    return metric


def _check_callbacks_and_loggers(frozen: Mapping[str, Any]) -> None:
    """Refuse callbacks and loggers without a target, options that the target does not have, and other checkpoints."""
    for group in ("callbacks", "logger"):
        for name, options in frozen[group].items():
            if not isinstance(options, Mapping) or "_target_" not in options:
                raise UserError(
                    f"{group}.{name} has no _target_: add {name} to {group}=[…], or take its keys out: "
                    f"~{group}.{name}"
                )
            _check_options(f"{group}.{name}", options)
    check_checkpoints(frozen)


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(find_class(options["_target_"], name)).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for key in options:
        if key not in parameters and key not in ("_target_", "_partial_"):
            raise UserError(f"{name}.{key}: there is no such option.{did_you_mean(key, parameters)}")


def _check_sizes(frozen: Mapping[str, Any], data: DataModule) -> None:
    batch_size, items = frozen["batch_size"], data.epoch_items
    if items is not None and batch_size > items:
        raise UserError(
            f"batch_size={batch_size} is larger than an epoch of training ({items} items); choose a smaller one."
        )


def _freeze_overfitting(frozen: dict[str, Any], data: DataModule) -> None:
    """Refuse an unusable number of batches to overfit; leave out early stopping while they are overfitted."""
    k = frozen["overfit_batches"]
    if k is None:
        return
    if data.epoch_items is not None:
        check_batches(k, max(1, data.epoch_items // frozen["batch_size"]))
    frozen["callbacks"] = {
        name: options
        for name, options in frozen["callbacks"].items()
        if not issubclass(find_class(options["_target_"], f"callbacks.{name}"), EarlyStopping)
    }


def _check_loss(frozen: Mapping[str, Any], data: DataModule) -> None:
    check_fits("loss", frozen["loss"], src.losses, data)
    build_loss(frozen).check(len(data.classes))


def _check_augment(frozen: Mapping[str, Any], data: DataModule) -> None:
    features = frozen["data"].get("features")
    scaling = features.get("scaling") if isinstance(features, Mapping) else None
    for name, options in frozen["augment"].items():
        make(options, f"augment.{name}")
        chosen = find_class(options["_target_"], f"augment.{name}")
        if data.inputs not in getattr(chosen, "inputs", (data.inputs,)):
            raise UserError(
                f"augment={name} does not fit {data.inputs}, which data {data.name} has; leave it out."
            )
        scalings: Sequence[Any] = getattr(chosen, "scalings", (scaling,))
        if scaling not in scalings:
            raise UserError(
                f"augment={name} does not fit data.features.scaling={scaling}; choose {' or '.join(scalings)}, or "
                "leave it out."
            )
        if data.target not in getattr(chosen, "targets", ()):
            raise UserError(
                f"augment={name} does not fit data {data.name} with {data.target} targets; leave it out."
            )


def _check_network(frozen: Mapping[str, Any], data: DataModule, task: Task) -> None:
    check_fits("model", frozen["model"], src.models.networks, data)
    with torch.device("meta"):
        network: Any = build_network(frozen, task, len(data.classes), data.item_shape)
    network.check(data.item_shape)


def _check_transfer(frozen: Mapping[str, Any], data: DataModule, task: Task) -> None:
    """Refuse a checkpoint with another network or other features, and options that would have no effect."""
    build_regularization(frozen)
    transfer = build_transfer(frozen)
    if not frozen["init_from"]:
        if transfer != Transfer():
            raise UserError("transfer.… has no effect without init_from=CHECKPOINT; name one.")
        return
    checkpoint = read_checkpoint(frozen["init_from"], "init_from")
    description, weights = checkpoint["hyper_parameters"], checkpoint["state_dict"]
    own, theirs = frozen["data"], description["config"]["data"]
    keys = data.feature_options
    same = all(own.get(key) == theirs.get(key) for key in keys)
    if not same or list(data.item_shape[:2]) != list(description["item_shape"][:2]):
        known = {key: theirs.get(key) for key in keys} | task.shape_options(description["item_shape"])
        trained_with = ", ".join(f"data.{key}={value}" for key, value in known.items())
        raise UserError(
            f"init_from={frozen['init_from']}: it was trained on other features; set those: {trained_with}."
        )
    network: Any = build_network(frozen, task, len(data.classes), data.item_shape)
    load_features(network, weights, str(frozen["init_from"]))


def _check_callbacks(frozen: Mapping[str, Any], data: DataModule) -> None:
    for name, options in frozen["callbacks"].items():
        targets = getattr(find_class(options["_target_"], f"callbacks.{name}"), "targets", None)
        if targets is not None and data.target not in targets:
            raise UserError(
                f"callbacks.{name} is for {' and '.join(targets)} targets, but data {data.name} has {data.target}; "
                "leave it out."
            )


def _check_groups(frozen: Mapping[str, Any], data: DataModule, task: Task) -> None:
    for other in TASKS.values():
        for group in other.groups:
            if group in frozen and group not in task.groups:
                raise UserError(
                    f"{group} is for data with {other.name}, but data {data.name} has {task.name}; leave {group} out."
                )
