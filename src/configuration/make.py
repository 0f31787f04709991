"""Builds the class that a `_target_` names, with its options."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from src.configuration.targets import find_class
from src.construction import build


def make(options: Mapping[str, Any], group: str, /, **more: Any) -> Any:
    """Build the class that `_target_` names from the other options; with `_partial_`, return a `partial` of it.

    Plain values reach the class as they are (Hydra's `instantiate` would rebuild them as its own types).

    Args:
        options: of the configuration.
        group: that the options lie in; see `src.configuration.targets.find_class`.
        more: further arguments.

    Raises:
        UserError: the target is refused, or it refuses an option or its value.
    """
    named = find_class(options.get("_target_"), group)
    return build(partial(partial, named) if options.get("_partial_") else named, options, group, **more)
