"""A class called with options that a user gave."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from src.errors import UserError

T = TypeVar("T")


def build(make_it: Callable[..., T], options: Mapping[str, Any], group: str, /, **more: Any) -> T:
    """Call a class of this project with the options of a group.

    Args:
        make_it: the class.
        options: its arguments; keys between underscores are Hydra's and left out.
        group: whose options they are, for the message.
        more: further arguments.

    Raises:
        UserError: an option that the class does not take, or a value that it refuses.
    """
    known = {key: value for key, value in options.items() if not (key.startswith("_") and key.endswith("_"))}
    try:
        return make_it(**known, **more)
    except UserError:
        raise
    except Exception as error:
        name = options.get("_target_") or getattr(make_it, "__name__", group)
        raise UserError(
            f"{group} ({name}) cannot be built: {first_line(error)}; check the keys of {group}."
        ) from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its class's name where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
