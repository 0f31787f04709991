"""Checks the trainer and the optimizer of a configuration before anything starts."""

import inspect
from collections.abc import Mapping
from typing import Any

import lightning
import torch
from torch import nn

from src.configuration.build import scheduler_options
from src.configuration.devices import resolve_accelerator, resolve_precision
from src.configuration.make import make
from src.errors import UserError
from src.libraries import configure_libraries
from src.models.optimization import INTERVALS, STEPS, configure
from src.rules import number, whole
from src.words import did_you_mean


def freeze_trainer(frozen: dict[str, Any]) -> None:
    """Resolve accelerator, precision and devices in place, and let Lightning check the other arguments.

    Raises:
        UserError: an argument is unknown, or there is no such device.
    """
    trainer = frozen["trainer"]
    _check_trainer_keys(trainer)
    trainer["accelerator"] = resolve_accelerator(str(trainer["accelerator"]))
    trainer["precision"] = resolve_precision(trainer["precision"], trainer["accelerator"])
    trainer["devices"] = _devices(trainer["devices"], trainer["accelerator"])
    whole(1)("trainer.max_epochs", trainer["max_epochs"])
    configure_libraries()
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
