"""Calls classes with options from the user."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from src.errors import UserError

T = TypeVar("T")


def build(constructor: Callable[..., T], options: Mapping[str, Any], group: str, /, **further: Any) -> T:
    """Call a class with the options of a configuration group.

    Args:
        constructor: the class.
        options: its arguments; keys between underscores are Hydra's and left out.
        group: of the options, for the message.
        further: arguments that are no options.

    Raises:
        UserError: the class doesn't take an option, or refuses a value.
    """
    arguments = {
        key: value for key, value in options.items() if not (key.startswith("_") and key.endswith("_"))
    }
    try:
        return constructor(**arguments, **further)
    except UserError:
        raise
    except Exception as error:
        name = options.get("_target_") or getattr(constructor, "__name__", group)
        raise UserError(
            f"{group} ({name}) cannot be built: {first_line(error)}; check the keys of {group}."
        ) from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class where there is none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
