"""The arguments of Lightning's Trainer that a trial can be run with, and whether it is validated at all."""

from collections.abc import Mapping
from typing import Any

from src.datamodules.base import DataModule
from src.errors import UserError
from src.rules import Rule, Unfit, null, one_of, whole


def _share(_: str, value: Any) -> float:
    if not isinstance(value, float) or not 0 < value <= 1:
        raise Unfit
    return value


_SHARE = Rule("a share of an epoch above 0 to 1.0", _share)
_ALL = one_of(1.0) | null()
_WHOLE_SPLITS = "metrics are of whole splits; make those smaller by the options of data"

_ELSEWHERE = {
    "callbacks": "set callbacks=[…] instead",
    "logger": "set logger=[…] instead",
    "default_root_dir": "set outputs=DIR instead",
}
"""Arguments that the trial itself passes, and what to set."""

_RULES: dict[str, tuple[Rule, str]] = {
    "max_epochs": (whole(1), ""),
    "max_steps": (whole(1) | one_of(-1), ""),
    "accumulate_grad_batches": (whole(1), ""),
    "limit_train_batches": (whole(1) | _SHARE | null("for all"), ""),
    # One batch as an interval would be read as 1.0 by some callbacks of Lightning.
    "val_check_interval": (whole(2) | _SHARE | null("for whole epochs"), ""),
    "check_val_every_n_epoch": (whole(1) | null("for a val_check_interval across epochs"), ""),
    "limit_val_batches": (_ALL, _WHOLE_SPLITS),
    "limit_test_batches": (_ALL, _WHOLE_SPLITS),
    "num_sanity_val_steps": (one_of(0) | one_of(-1), "a part of the split cannot be measured"),
    "overfit_batches": (
        one_of(0) | one_of(0.0),
        "it would replace the data's own batches; set overfit_batches= instead",
    ),
    "fast_dev_run": (one_of(False), "metrics are of whole splits; take experiment=debug, or dry_run=true"),
    "num_nodes": (one_of(1), "a trial runs on one machine"),
    "barebones": (one_of(False), "a trial has checkpoints and metrics, which it takes away"),
}
"""By argument, the values that a trial can be run with, and why."""


def check_arguments(trainer: Mapping[str, Any]) -> None:
    """Refuse arguments with which a trial could not be measured, or that it passes itself.

    Args:
        trainer: the options.

    Raises:
        UserError: there is one.
    """
    for key, remedy in _ELSEWHERE.items():
        if key in trainer:
            raise UserError(f"trainer.{key}: the trial passes it itself; {remedy}.")
    for key, (rule, reason) in _RULES.items():
        if key not in trainer:
            continue
        try:
            rule(f"trainer.{key}", trainer[key])
        except UserError as error:
            raise UserError(f"{str(error).removesuffix('.')}: {reason}." if reason else str(error)) from None


def planned_batches(config: Mapping[str, Any], data: DataModule) -> int | None:
    """Return the number of training batches of an epoch on each device; `None` before it is known."""
    if config["overfit_batches"]:
        return int(config["overfit_batches"])
    if data.epoch_items is None:
        return None
    return max(1, data.epoch_items // int(config["trainer"]["devices"]) // int(config["batch_size"]))


def check_validation(trainer: Mapping[str, Any], n_batches: int | None) -> None:
    """Refuse a training that ends before its first validation, from which the best weights are chosen.

    Args:
        trainer: the options; they have passed `check_arguments`.
        n_batches: of an epoch; while it is unknown (`None`) only epochs are compared.

    Raises:
        UserError: there would be no validation.
    """
    every, interval = trainer.get("check_val_every_n_epoch", 1), trainer.get("val_check_interval") or 1.0
    if n_batches is None:
        _compare(every or 1, trainer["max_epochs"], "epochs")
        return
    taken = _limited(n_batches, trainer.get("limit_train_batches"))
    if every is not None and interval > taken:
        raise UserError(
            f"trainer.val_check_interval={interval}: an epoch has only {taken} batches; choose at most that, or "
            "trainer.check_val_every_n_epoch=null to count across epochs."
        )
    within = interval if isinstance(interval, int) else max(1, int(taken * interval))
    first = within if every is None else (every - 1) * taken + within
    _compare(first, _training_batches(trainer, taken), "batches")


def _compare(first: int, last: int, unit: str) -> None:
    if first > last:
        raise UserError(
            f"there would be no validation, which chooses the best weights: the first comes after {first} {unit}, and "
            f"training ends after {last}; raise trainer.max_epochs or trainer.max_steps, or lower "
            "trainer.check_val_every_n_epoch or trainer.val_check_interval."
        )


def _limited(n_batches: int, limit: float | None) -> int:
    taken = int(n_batches * limit) if isinstance(limit, float) else min(n_batches, limit or n_batches)
    if taken < 1:
        raise UserError(
            f"trainer.limit_train_batches={limit}: it is less than one of the {n_batches} batches of an epoch; choose "
            "a larger share."
        )
    return taken


def _training_batches(trainer: Mapping[str, Any], n_batches: int) -> int:
    """Return the number of batches of the whole training; the last batch of an epoch always ends a step."""
    whole_training = int(trainer["max_epochs"]) * n_batches
    steps, accumulated = int(trainer.get("max_steps", -1)), int(trainer.get("accumulate_grad_batches", 1))
    if steps < 0:
        return whole_training
    epochs, further = divmod(steps, -(-n_batches // accumulated))
    return min(whole_training, epochs * n_batches + further * accumulated)
