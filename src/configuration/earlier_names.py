"""Names of earlier versions: where a user types one, the current one is named; in stored files it is replaced."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from src.configuration.earlier_modules import with_current_targets
from src.configuration.typed import read
from src.errors import UserError

GROUPS = {
    "unheard": "data/synth_stems/unseen",
    "variation": "data/synth_stems/variation",
    "class_map": "mode/test/class_map",
}
KEYS = {"data.heard": "data.seen"}
STORED = {"src.datamodules.synthesized.synth_stems.": {"heard": "seen"}}
"""By the beginning of a data set's import path, the earlier and current names of its options."""
CHOICES = {"experiment": {"synth_instruments_unheard": "synth_instruments_unseen"}}


def answer_earlier_names(arguments: Sequence[str]) -> None:
    """Refuse arguments with names of earlier versions.

    Args:
        arguments: of the command line.

    Raises:
        UserError: there is one; the message is one line with the argument to type instead.
    """
    for argument in arguments:
        typed = read(argument)
        if typed is None:
            continue
        current = {**GROUPS, **KEYS}.get(typed.key, typed.key)
        value = typed.value
        for earlier, name in CHOICES.get(typed.key, {}).items():
            value = re.sub(rf"\b{earlier}\b", name, value)
        if (current, value) != (typed.key, typed.value):
            raise UserError(f"{argument} is now called {current}={value}: type that.")


def with_current_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored configuration with the current import paths and option names.

    Args:
        config: of a checkpoint or a trial's folder, plain values, as `check_stored` lets them pass.
    """
    current = with_current_targets(config)
    data = current.get("data")
    for module, names in STORED.items():
        if isinstance(data, Mapping) and str(data.get("_target_")).startswith(module):
            current["data"] = {names.get(name, name): value for name, value in data.items()}
    return current
