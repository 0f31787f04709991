"""Checks the trainer and the optimizer of a configuration before anything starts."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import nn

from src.configuration.build import scheduler_options
from src.configuration.build_trainer import build_callbacks, build_trainer
from src.configuration.devices import resolve_accelerator, resolve_precision
from src.configuration.make import make
from src.configuration.trainer_arguments import check_arguments, check_validation, planned_batches
from src.datamodules.base import DataModule
from src.errors import UserError
from src.fingerprint import value_hash
from src.libraries import configure_libraries
from src.models.optimization import INTERVALS, STEPS, configure
from src.rules import number
from src.words import did_you_mean

_BUILT: set[str] = set()
"""Hashes of the options with which Lightning has built a Trainer."""


def freeze_trainer(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Trainer's options with accelerator, precision and devices resolved; check the others one by one.

    Raises:
        UserError: an argument is unknown or refused, or there is no such device.
    """
    trainer = dict(trainer)
    _check_trainer_keys(trainer)
    check_arguments(trainer)
    trainer["accelerator"] = resolve_accelerator(str(trainer["accelerator"]))
    trainer["precision"] = resolve_precision(trainer["precision"], trainer["accelerator"])
    trainer["devices"] = _devices(trainer["devices"], trainer["accelerator"])
    return trainer


def check_trainer(frozen: Mapping[str, Any], data: DataModule) -> None:
    """Let Lightning check the Trainer as a whole, with its callbacks, and check that the scheduler gets its metric.

    Raises:
        UserError: the Trainer cannot be built, or there would be no validation (when a scheduler needs it).
    """
    # Building it takes Lightning longer than all other checks, and most trials of a sweep have the same.
    same = value_hash({key: frozen[key] for key in ("trainer", "callbacks", "generation") if key in frozen})
    if same not in _BUILT:
        configure_libraries()
        build_callbacks(frozen, Path(), logged=True)
        build_trainer(frozen, Path(), [], [])
        _BUILT.add(same)
    check_validation(frozen["trainer"], planned_batches(frozen, data))
    if "monitor" in frozen["scheduler"] and frozen["trainer"].get("check_val_every_n_epoch", 1) is None:
        raise UserError(
            "trainer.check_val_every_n_epoch=None: this scheduler follows the objective at the end of epochs; choose a "
            "whole number from 1, or another scheduler."
        )


def _check_trainer_keys(trainer: Mapping[str, Any]) -> None:
    known = inspect.signature(lightning.Trainer).parameters
    for key in trainer:
        if key not in known and key != "_target_":
            raise UserError(
                f"trainer.{key}: Lightning's Trainer has no such argument.{did_you_mean(key, known)}"
            )


def _devices(devices: Any, accelerator: str) -> int:
    """Return the number of devices; CUDA_VISIBLE_DEVICES chooses which ones."""
    if isinstance(devices, list):
        return len(devices)
    if devices in ("auto", -1, "-1"):
        return max(1, torch.cuda.device_count()) if accelerator == "cuda" else 1
    if not str(devices).isdigit() or int(devices) < 1:
        raise UserError(f"trainer.devices={devices}: choose a number from 1, or auto.")
    return int(devices)


def _refuse_options_without_class(frozen: Mapping[str, Any]) -> None:
    for group in ("scheduler", "regularization"):
        options = [key for key in frozen[group] if key != "_target_"]
        if options and not frozen[group].get("_target_"):
            raise UserError(
                f"{group}.{options[0]} has no effect with {group}=none; choose another, or leave it out."
            )


def check_optimizer(frozen: Mapping[str, Any]) -> None:
    """Build optimizer and scheduler and let them do one step.

    Raises:
        UserError: they cannot, or an option has no effect.
    """
    _refuse_options_without_class(frozen)
    scheduler = frozen["scheduler"]
    if scheduler.get("monitor") not in (None, "objective"):
        raise UserError(
            f"scheduler.monitor={scheduler['monitor']}: the scheduler follows the objective; set objective=."
        )
    if scheduler.get("_target_") and scheduler.get("interval") not in INTERVALS:
        raise UserError(f"scheduler.interval={scheduler.get('interval')}: choose {' or '.join(INTERVALS)}.")
    if "monitor" in scheduler and scheduler["interval"] != "epoch":
        raise UserError("scheduler.interval=step: the objective is measured after epochs; choose epoch.")
    if "lr" in frozen["optimizer"]:
        number(0, of="a learning rate")("optimizer.lr", frozen["optimizer"]["lr"])
    try:
        configured = configure(
            make(frozen["optimizer"], "optimizer"),
            scheduler_options(frozen),
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
