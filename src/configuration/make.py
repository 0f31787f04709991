"""From a `_target_` and its options to what it makes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from src.configuration.targets import find_class
from src.construction import build


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
