"""From a `_target_` and its options to what it makes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from hydra.utils import get_object

from src.errors import UserError


def make(options: Mapping[str, Any], group: str, /, **more: Any) -> Any:
    """Call `_target_` with the other options; with `_partial_`, what still wants arguments is given back.

    Plain values reach the target as they are (Hydra's `instantiate` would rebuild them as its own types).

    Raises:
        UserError: an option that the target does not take, or a value that it refuses.
    """
    known = {key: value for key, value in options.items() if not (key.startswith("_") and key.endswith("_"))}
    target = str(options.get("_target_"))
    try:
        called = get_object(target)
        return partial(called, **known, **more) if options.get("_partial_") else called(**known, **more)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{group} ({target}) cannot be built: {_first_line(error)}; check the keys of {group}."
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
