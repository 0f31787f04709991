"""Which trial is it? A signature of what can change its result, and a fingerprint of the code that made it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.fingerprint import code_hash, content_hash, value_hash
from src.options import Role


def signature(
    config: Mapping[str, Any], roles: Mapping[str, frozenset[Role]], memory: Path | None = None
) -> str:
    """Hash a frozen configuration without what can't change the result.

    Args:
        config: plain values, resolved; no `auto` is left in it.
        roles: of keys, for those below, too: what has `Role.NO_EFFECT` does not count, and of what has `Role.INPUT`
            the content does.
        memory: a JSON file that remembers content hashes (`src.fingerprint.content_hash`).

    Returns:
        Hexadecimal digits: the name of the trial's folder.

    Raises:
        UserError: an input file or folder is missing.
    """
    counted = {}
    for key, value in _leaves(config):
        of_key = _roles_of(key, roles)
        if Role.NO_EFFECT not in of_key:
            counted[key] = _content(key, value, memory) if Role.INPUT in of_key else _plain(value)
    return value_hash(counted)


def _roles_of(key: str, roles: Mapping[str, frozenset[Role]]) -> frozenset[Role]:
    parts = key.split(".")
    above = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return frozenset().union(*(roles.get(name, ()) for name in above))


@cache
def code() -> str:
    """A fingerprint of `src/` without docstrings, comments and `src/sweep/`."""
    source = Path(__file__).resolve().parent.parent
    rooms = [path for path in source.iterdir() if path.suffix == ".py" or path.is_dir()]
    counted = [path for path in rooms if path.name not in ("sweep", "__pycache__")]
    return code_hash(counted, source)


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value: Any) -> Any:
    """Numbers that are equal are the same setting: `1` and `1.0`, `1e-3` and `0.001`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _content(key: str, value: Any, memory: Path | None) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return [_content(key, item, memory) for item in value]
    path = Path(value).expanduser()
    if not path.exists():
        raise UserError(f"{key}={value}: there is no such file or folder; check the path.")
    return content_hash(path, memory)
