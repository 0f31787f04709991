"""A configuration is resolved and checked for sense before any work: `freeze`."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import lightning
import torch
from hydra.utils import get_class
from torch import nn

import src.losses
import src.models.networks
from src.configuration.build import (
    build_callbacks,
    build_data,
    build_loss,
    build_network,
    build_regularization,
    build_transfer,
    features_of,
    generation_options,
    make,
    wandb_mode,
)
from src.configuration.devices import resolve_accelerator, resolve_precision
from src.configuration.settings import check_settings
from src.datamodules.base import DataModule
from src.datamodules.rolls import RollDataModule
from src.errors import UserError
from src.libraries import settle
from src.metrics.kinds import KINDS, direction
from src.models.optimization import INTERVALS, STEPS, configure
from src.models.transfer import Transfer, load_features


def freeze(config: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve every `auto`, and refuse what cannot work.

    Args:
        config: the composed configuration as plain values.

    Returns:
        The same with every `auto` resolved: what a trial's signature is made of.

    Raises:
        UserError: an impossible combination; the message names the remedy.
    """
    frozen = deepcopy(dict(config))
    check_settings(frozen)
    for group in ("augment", "callbacks", "logger"):
        frozen[group] = {name: options for name, options in (frozen.get(group) or {}).items() if options}
    _freeze_trainer(frozen)
    data = build_data(frozen)
    data.check()
    frozen["data"] |= data.resolved()
    _freeze_objective(frozen, data.target)
    _check_parts(frozen)
    _check_sizes(frozen, data)
    _check_loss(frozen, data)
    _check_augment(frozen, data)
    _check_network(frozen, data)
    _check_transfer(frozen, data)
    _freeze_generation(frozen, data)
    _check_callbacks(frozen, data)
    _check_optimizer(frozen)
    for options in frozen["logger"].values():
        wandb_mode(str(options.get("mode", "auto")))
    return frozen


def _freeze_trainer(frozen: dict[str, Any]) -> None:
    trainer = frozen["trainer"]
    _check_trainer_keys(trainer)
    trainer["accelerator"] = resolve_accelerator(str(trainer["accelerator"]))
    trainer["precision"] = resolve_precision(trainer["precision"], trainer["accelerator"])
    trainer["devices"] = _devices(trainer["devices"], trainer["accelerator"])
    if not isinstance(trainer["max_epochs"], int) or trainer["max_epochs"] < 1:
        raise UserError(f"trainer.max_epochs={trainer['max_epochs']}: choose a whole number, 1 or more.")
    settle()
    make(
        trainer, "trainer", logger=False, callbacks=[], enable_checkpointing=False, enable_model_summary=False
    )


def _check_trainer_keys(trainer: Mapping[str, Any]) -> None:
    known = inspect.signature(lightning.Trainer).parameters
    for key in trainer:
        if key not in known and key != "_target_":
            raise UserError(
                f"trainer.{key}: Lightning's Trainer has no such argument.{did_you_mean(key, known)}"
            )


def _devices(devices: Any, accelerator: str) -> int:
    """The number of devices; which ones is the business of CUDA_VISIBLE_DEVICES."""
    if isinstance(devices, list):
        return len(devices)
    if devices in ("auto", -1, "-1"):
        return max(1, torch.cuda.device_count()) if accelerator == "cuda" else 1
    if not str(devices).isdigit() or int(devices) < 1:
        raise UserError(f"trainer.devices={devices}: choose a number from 1, or auto.")
    return int(devices)


def _freeze_objective(frozen: dict[str, Any], target: str) -> None:
    objective = frozen["objective"]
    if objective == "auto":
        frozen["objective"] = objective = KINDS[target].objectives[0]
    known = KINDS[target].objectives
    if objective not in known:
        near = did_you_mean(objective, known)
        raise UserError(
            f"objective={objective} is not measured on {target} targets.{near} Known: {', '.join(known)}."
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
        near = did_you_mean(metric, known)
        raise UserError(f"callbacks.{name}.monitor={monitor}: it is not measured on validation.{near}")
    return metric


def _check_parts(frozen: Mapping[str, Any]) -> None:
    """Callbacks and loggers have a target, and options that it takes."""
    for group in ("callbacks", "logger"):
        for name, options in frozen[group].items():
            if not isinstance(options, Mapping) or "_target_" not in options:
                raise UserError(
                    f"{group}.{name} has no _target_: add {name} to {group}=[…], or leave its keys out."
                )
            _check_options(f"{group}.{name}", options)


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(_class(name, options)).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for key in options:
        if key not in parameters and key not in ("_target_", "_partial_"):
            raise UserError(f"{name}.{key}: there is no such option.{did_you_mean(key, parameters)}")


def _class(name: str, options: Mapping[str, Any]) -> type:
    try:
        return get_class(str(options["_target_"]))
    except Exception as error:
        raise UserError(f"{name}._target_={options.get('_target_')}: there is no such class.") from error


def _check_sizes(frozen: Mapping[str, Any], data: DataModule) -> None:
    batch_size, items = frozen["batch_size"], data.n_items.get("train")
    if items is not None and batch_size > items:
        raise UserError(
            f"batch_size={batch_size} is larger than the training part ({items} items); choose a smaller one."
        )


def _check_loss(frozen: Mapping[str, Any], data: DataModule) -> None:
    _check_fits("loss", frozen["loss"], src.losses, data)
    build_loss(frozen).check(len(data.classes))


def _check_fits(group: str, options: Mapping[str, Any], room: ModuleType, data: DataModule) -> None:
    """Refuse a class whose `targets` or `inputs` are not the data's, and name those of its room that fit."""
    chosen = _class(group, options)
    if _fits(chosen, data):
        return
    others = []
    for file in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
        if file.name.endswith("base"):
            continue
        members = vars(importlib.import_module(file.name)).values()
        if any(_fits(member, data) for member in members if _is_in(member, file)):
            others.append(file.name.rpartition(".")[2])
    fits: Sequence[str] = getattr(chosen, "targets", ())
    what, has = f"{' and '.join(fits) or 'unknown'} targets", data.target
    if data.target in fits:
        what, has = " and ".join(getattr(chosen, "inputs", ())), data.inputs
    raise UserError(
        f"{group} {chosen.__name__} fits {what}, but data {data.name} has {has}; choose "
        f"{group}={', '.join(others) or 'another'}."
    )


def _fits(chosen: Any, data: DataModule) -> bool:
    takes = getattr(chosen, "inputs", (data.inputs,))
    return data.target in getattr(chosen, "targets", ()) and data.inputs in takes


def _is_in(member: Any, file: pkgutil.ModuleInfo) -> bool:
    return inspect.isclass(member) and member.__module__ == file.name


def _check_augment(frozen: Mapping[str, Any], data: DataModule) -> None:
    features = frozen["data"].get("features")
    scaling = features.get("scaling") if isinstance(features, Mapping) else None
    for name, options in frozen["augment"].items():
        make(options, f"augment.{name}")
        chosen = _class(f"augment.{name}", options)
        fits: Sequence[Any] = getattr(chosen, "scalings", (scaling,))
        if scaling not in fits:
            raise UserError(
                f"augment={name} does not fit data.features.scaling={scaling}; choose {' or '.join(fits)}, or leave "
                "it out."
            )
        if data.target not in getattr(chosen, "targets", ()):
            raise UserError(
                f"augment={name} does not fit data {data.name} with {data.target} targets; leave it out."
            )


def _check_network(frozen: Mapping[str, Any], data: DataModule) -> None:
    _check_fits("model", frozen["model"], src.models.networks, data)
    with torch.device("meta"):
        network: Any = build_network(frozen, data.target, len(data.classes), data.item_shape)
    network.check(data.item_shape)


def _check_transfer(frozen: Mapping[str, Any], data: DataModule) -> None:
    """Refuse a checkpoint whose network or features differ, and options that would have no effect."""
    build_regularization(frozen)
    transfer = build_transfer(frozen)
    if not frozen["init_from"]:
        if transfer != Transfer():
            raise UserError("transfer.… has no effect without init_from=CHECKPOINT; name one.")
        return
    if data.target == "rolls":
        raise UserError(
            "init_from is for classifiers, whose output layer is new; leave it out with piano rolls."
        )
    description, weights = features_of(frozen["init_from"])
    own, theirs = frozen["data"]["features"], description["config"]["data"].get("features")
    if own != theirs or list(data.item_shape[:2]) != list(description["item_shape"][:2]):
        raise UserError(
            f"init_from={frozen['init_from']}: it was trained on other features; set data.features and "
            f"data.channels to its own: {theirs}, {description['item_shape'][0]}."
        )
    network: Any = build_network(frozen, data.target, len(data.classes), data.item_shape)
    load_features(network, weights, str(frozen["init_from"]))


def _check_callbacks(frozen: Mapping[str, Any], data: DataModule) -> None:
    for name, options in frozen["callbacks"].items():
        fits = getattr(_class(f"callbacks.{name}", options), "targets", None)
        if fits is not None and data.target not in fits:
            raise UserError(
                f"callbacks.{name} is for {' and '.join(fits)}, but data {data.name} has {data.target}; leave it out."
            )
    build_callbacks(frozen, Path(), logged=True)


def _freeze_generation(frozen: dict[str, Any], data: DataModule) -> None:
    """Only rolls are generated: for other data these options have no effect, so they do not count."""
    if not isinstance(data, RollDataModule):
        frozen["generation"] = None
        return
    generation_options(frozen).length(data.grid)


def _check_optimizer(frozen: Mapping[str, Any]) -> None:
    scheduler = frozen["scheduler"]
    if scheduler.get("monitor") not in (None, "objective"):
        raise UserError(
            f"scheduler.monitor={scheduler['monitor']}: the scheduler follows the objective; set objective=."
        )
    if scheduler.get("_target_") and scheduler.get("interval") not in INTERVALS:
        raise UserError(f"scheduler.interval={scheduler.get('interval')}: choose {' or '.join(INTERVALS)}.")
    try:
        configured = configure(
            make(frozen["optimizer"], "optimizer"),
            scheduler,
            [([nn.Parameter(torch.zeros(1))], 1.0)],
            training_steps=1000,
            monitor=f"val/{frozen['objective']}",
        )
        configured["optimizer"].step()
        if "lr_scheduler" in configured:
            configured["lr_scheduler"]["scheduler"].step(*([0.0] if "monitor" in scheduler else []))
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"optimizer or scheduler: {error}; check their keys ({STEPS} is a number of steps)."
        ) from error


def did_you_mean(word: str, known: Any) -> str:
    """` Did you mean …?`, or nothing where no known word is near."""
    near = get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""
