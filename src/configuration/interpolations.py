"""Tells which keys of a configuration read which by interpolation, such as `${optimizer.lr}`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

_BEGIN = re.compile(r"\$\{([\w.]*)(:?)")
_WHOLE = re.compile(r"\$\{\w[\w.]*\}")


class Interpolations:
    """The interpolations of a configuration.

    Args:
        config: composed, its interpolations not resolved.
    """

    def __init__(self, config: DictConfig) -> None:
        found = [
            (place, text, path, resolver)
            for place, text in _texts(OmegaConf.to_container(config, resolve=False))
            for path, resolver in _BEGIN.findall(text)
        ]
        # Relative interpolations and resolvers may read any key.
        self._known = not any(resolver or path[:1] in ("", ".") for _, _, path, resolver in found)
        self._readers: dict[str, set[str | None]] = {}
        for place, text, path, _ in found:
            reader = place if _WHOLE.fullmatch(text) else None
            self._readers.setdefault(path.rstrip("."), set()).add(reader)

    def copies(self, key: str) -> set[str] | None:
        """Return the keys whose value is that of a key as it is, or `None` where others may depend on it, too.

        Args:
            key: in full, such as `optimizer.lr`; it has no keys below.
        """
        related = {path for path in self._readers if lie_on_one_branch(key, path)}
        places = self._readers.get(key, set())
        if not self._known or related - {key} or None in places:
            return None
        copies = {place for place in places if place is not None}
        is_read = any(lie_on_one_branch(place, path) for place in copies for path in self._readers)
        return None if is_read else copies


def lie_on_one_branch(key: str, other: str) -> bool:
    """Whether two keys are equal or one is below the other."""
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")


def _texts(value: Any, place: str | None = "") -> Iterator[tuple[str | None, str]]:
    """Return all texts in a configuration, each with its key; those in lists have none."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, place if place is None else f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, None)
    elif isinstance(value, str):
        yield place, value
