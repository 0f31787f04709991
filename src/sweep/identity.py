"""Identifies trials: a signature of all options that can change the result, and a fingerprint of the code."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.fingerprint import Memory, changed_code, code_hash, content_hash, value_hash
from src.options import Role


def signature(
    config: Mapping[str, Any],
    roles: Mapping[str, frozenset[Role]],
    memory: Path | None = None,
    contents: dict[str, str] | None = None,
) -> str:
    """Return a hash of a frozen configuration without the options that cannot change the result.

    Args:
        config: plain values, resolved; no `auto` is left in it.
        roles: by key; they also apply to the keys below. Keys with `Role.NO_EFFECT` are left out, and of files and
            folders that keys with `Role.INPUT` name the content is hashed instead of the path.
        memory: a JSON file that remembers content hashes (`src.fingerprint.content_hash`).
        contents: hashes by path that were computed a moment ago; further ones are added.

    Returns:
        Hexadecimal digits; they name the trial's folder.

    Raises:
        UserError: an input file or folder is missing.
    """
    hashed, known = {}, {} if contents is None else contents
    for key, value in _leaves(config):
        key_roles = _roles_of(key, roles)
        if Role.NO_EFFECT not in key_roles:
            hashed[key] = _content(key, value, memory, known) if Role.INPUT in key_roles else _plain(value)
    return value_hash(hashed)


def known_contents(outputs: Path, reuse: str) -> Path:
    """Return the file that remembers the hashes of inputs.

    `reuse=verify` deletes it, and those of the lists of files of prepared data, so that all are read again.
    """
    if reuse == "verify":
        for memory in Memory:
            (outputs / "cache" / memory).unlink(missing_ok=True)
    return outputs / "cache" / Memory.CONTENTS


def inputs(config: Mapping[str, Any], roles: Mapping[str, frozenset[Role]]) -> list[str]:
    """Return the files and folders whose content counts for the signature, as the configuration names them."""
    counting = (value for key, value in _leaves(config) if _counts_by_content(_roles_of(key, roles)))
    return [path for value in counting for path in _paths(value)]


def have_changed(contents: Mapping[str, str], memory: Path) -> bool:
    """Whether inputs have another content now, or are gone.

    Args:
        contents: hashes by path, as `signature` computed them.
        memory: see `signature`.
    """
    with suppress(FileNotFoundError):
        return any(content_hash(Path(path).expanduser(), memory) != known for path, known in contents.items())
    return True


def without_effect(key: str, roles: Mapping[str, frozenset[Role]]) -> bool:
    """Whether a key is left out of signatures, since it cannot change a trial's result."""
    return Role.NO_EFFECT in _roles_of(key, roles)


def _roles_of(key: str, roles: Mapping[str, frozenset[Role]]) -> frozenset[Role]:
    """Return the roles of a key and of all keys above it."""
    names = key.split(".")
    prefixes = (".".join(names[:count]) for count in range(1, len(names) + 1))
    return frozenset().union(*(roles.get(prefix, ()) for prefix in prefixes))


_SOURCE = Path(__file__).resolve().parent.parent


@cache
def code() -> str:
    """Return a fingerprint of the code in `src/`, without docstrings, comments and `src/sweep/`."""
    return code_hash(_hashed(), _SOURCE)


def changed_since_loaded() -> list[str]:
    """Return the files of `src/` that have changed since this process, or the one it was forked from, called `code`."""
    code()
    return [path.relative_to(_SOURCE.parent).as_posix() for path in changed_code(_hashed())]


def _hashed() -> list[Path]:
    entries = [path for path in _SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()]
    return [path for path in entries if path.name not in ("sweep", "__pycache__")]


def _counts_by_content(roles: frozenset[Role]) -> bool:
    return Role.INPUT in roles and Role.NO_EFFECT not in roles


def _paths(value: Any) -> list[str]:
    """Return the paths in the value of an input: one, a list of them, or none."""
    if isinstance(value, list | tuple):
        return [path for item in value for path in _paths(item)]
    return [] if value is None else [str(value)]


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value: Any) -> Any:
    """Return a value with equal numbers written alike, since `1` and `1.0` are the same setting."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _content(key: str, value: Any, memory: Path | None, known: dict[str, str]) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return [_content(key, item, memory, known) for item in value]
    if str(value) not in known:
        path = Path(value).expanduser()
        if not path.exists():
            raise UserError(f"{key}={value}: there is no such file or folder; check the path.")
        known[str(value)] = content_hash(path, memory)
    return known[str(value)]
