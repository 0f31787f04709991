"""Reads Hydra's flags, such as `-m` and `--cfg job`, wherever they stand between the overrides."""

from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from src.errors import UserError

_COMMANDS = {
    "run": "--run",
    "multirun": "-m",
    "cfg": "--cfg",
    "info": "--info",
    "shell_completion": "--shell-completion",
}
"""Flags of which Hydra takes one, by the name under which its parser keeps them."""


def flags_and_overrides(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the flags with their values, and the overrides, each in their order.

    Hydra finds overrides on one side of a flag only.

    Args:
        arguments: of the command line.

    Raises:
        UserError: a flag is unknown, lacks its value or does not go with another one.
    """
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    read = parser.parse_intermixed_args(list(arguments))
    typed = [flag for name, flag in _COMMANDS.items() if getattr(read, name)]
    if "-m" in typed and len(typed) > 1:
        raise UserError(
            f"{typed[-1] if typed[-1] != '-m' else typed[0]} does not go with -m: leave -m out and give each key one "
            "value; dry_run=true lists the trials of a sweep."
        )
    if len(typed) > 1:
        raise UserError(f"{' and '.join(typed)} do not go together; leave one of them out.")
    flags = list(arguments)
    for override in read.overrides:
        flags.remove(override)
    return flags, list(read.overrides)


def _refuse(message: str) -> NoReturn:
    raise UserError(f"{message}; see `python run.py --help`.")
