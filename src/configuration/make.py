"""From a `_target_` and its options to what it makes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from src.configuration.targets import find_class
from src.errors import UserError

T = TypeVar("T")


def make(options: Mapping[str, Any], group: str, /, **more: Any) -> Any:
    """Build the class that `_target_` names with the other options; with `_partial_`, return it as a `partial`.

    Plain values reach the class as they are (Hydra's `instantiate` would rebuild them as its own types).

    Args:
        options: of the configuration.
        group: whose options they are; see `src.configuration.targets.find_class`.
        more: further arguments.

    Raises:
        UserError: the target is refused, or it refuses an option or its value.
    """
    named = find_class(options.get("_target_"), group)
    return build(partial(partial, named) if options.get("_partial_") else named, options, group, **more)


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
