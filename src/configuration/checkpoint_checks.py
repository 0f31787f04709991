"""Checks that `checkpoints/best.ckpt` and `last.ckpt` will hold what other commands take them for."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint, WeightAveraging

from src.configuration.targets import find_class
from src.errors import UserError

BEST, LAST = "best", "last"
_HELD = {BEST: "the best weights, which are tested", LAST: "the last epoch, from which a trial goes on"}

_WHOLE = {
    "save_top_k": (1,),
    "every_n_epochs": (None, 1),
    "every_n_train_steps": (None, 0),
    "train_time_interval": (None,),
    "save_on_exception": (False,),
    "enable_version_counter": (False,),
}
_NEEDED: dict[str, dict[str, tuple[Any, ...]]] = {
    BEST: {**_WHOLE, "save_on_train_epoch_end": (None, False)},
    LAST: {**_WHOLE, "save_on_train_epoch_end": (True,), "save_weights_only": (False,), "monitor": (None,)},
}
"""By file, the options of its callback that decide what it holds, and their values."""

Options = Mapping[str, Any]


def check_checkpoints(frozen: Mapping[str, Any]) -> None:
    """Refuse callbacks that would write something else to `best.ckpt` or `last.ckpt`.

    Args:
        frozen: its callbacks have a `_target_` each.

    Raises:
        UserError: there is one.
    """
    writers: dict[str, str] = {}
    for name, options in _of_class(frozen, ModelCheckpoint):
        _check_place(name, options)
        file = options.get("filename")
        if name in _HELD and file != name:
            _refuse(name, "filename", file, name)
        if file not in _HELD:
            continue
        if file in writers:
            raise UserError(
                f"callbacks.{name}.filename={file}: callbacks.{writers[file]} writes {file}.ckpt; choose another "
                "filename."
            )
        writers[file] = name
        _check_content(name, options, str(file))
    if BEST in writers:
        _check_averages(frozen, writers[BEST])
    else:
        _refuse_unused_monitor(frozen)


def _of_class(frozen: Mapping[str, Any], wanted: type) -> Iterator[tuple[str, Options]]:
    for name, options in frozen["callbacks"].items():
        if issubclass(find_class(options["_target_"], f"callbacks.{name}"), wanted):
            yield name, options


def _check_place(name: str, options: Options) -> None:
    if "dirpath" in options:
        raise UserError(
            f"callbacks.{name}.dirpath: checkpoints lie in the trial's folder; leave it out, or set outputs=DIR."
        )
    if options.get("save_last"):
        raise UserError(
            f"callbacks.{name}.save_last={options['save_last']}: callbacks.{LAST} writes {LAST}.ckpt; leave it out."
        )


def _check_content(name: str, options: Options, file: str) -> None:
    defaults = inspect.signature(ModelCheckpoint).parameters
    for key, values in _NEEDED[file].items():
        value = options.get(key, defaults[key].default)
        if value not in values:
            _refuse(name, key, value, file)
    if file == BEST and "monitor" not in options:
        raise UserError(
            f"callbacks.{name} has no monitor, so {BEST}.ckpt would not be {_HELD[BEST]}: set "
            f"callbacks.{name}.monitor=objective."
        )


def _refuse(name: str, key: str, value: Any, file: str) -> None:
    raise UserError(
        f"callbacks.{name}.{key}={value}: {file}.ckpt would not be {_HELD[file]}; leave {key} as it is, and for "
        "further checkpoints add a callback of another name and filename."
    )


def _check_averages(frozen: Mapping[str, Any], best: str) -> None:
    """Refuse to keep the trained weights where averaged ones are validated: callbacks change whole checkpoints only."""
    for name, _ in _of_class(frozen, WeightAveraging):
        if frozen["callbacks"][best].get("save_weights_only"):
            raise UserError(
                f"callbacks.{best}.save_weights_only=True: {BEST}.ckpt would not hold the average of "
                f"callbacks.{name}; leave one of them out."
            )


def _refuse_unused_monitor(frozen: Mapping[str, Any]) -> None:
    for name, options in _of_class(frozen, ModelCheckpoint):
        if "monitor" in options:
            raise UserError(
                f"callbacks.{name}: the last weights would be tested, since no callback writes {BEST}.ckpt; add "
                "checkpoint to callbacks=[…]."
            )
