"""Hashes of code, files and plain values, by which trials and prepared data are recognised, and files written whole."""

import ast
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

DIGITS = 12
"""Hexadecimal digits of a signature: with 48 bits the odds of a collision among 100,000 trials are 1 in 56,000."""

_UNFINISHED = ".unfinished-"


def value_hash(value: Any) -> str:
    """Hash plain values (mappings, sequences, str, int, float, bool, None), independently of the order of keys.

    Args:
        value: anything that `json` can write; equal floats such as `1e-3` and `0.001` have the same hash.

    Returns:
        `DIGITS` hexadecimal digits.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=DIGITS // 2).hexdigest()


def code_hash(paths: Iterable[Path], root: Path) -> str:
    """Hash the syntax trees of Python files without docstrings, so that comments and layout don't count.

    Args:
        paths: files, or folders that are searched for `*.py`.
        root: folder to which names are relative, so that a moved project has the same hash; a file outside of it
            counts by its name alone.
    """
    digest = hashlib.blake2b(digest_size=DIGITS // 2)
    for path in sorted(_python_files(paths)):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        digest.update(name.encode() + b"\0")
        digest.update(_tree(path).encode() + b"\0")
    return digest.hexdigest()


def changed_code(paths: Iterable[Path]) -> list[Path]:
    """Return the Python files that are other code now than when this process last hashed it with `code_hash`.

    Args:
        paths: files, or folders that are searched for `*.py`; files that were not there then are changed, too.
    """
    return [path for path in sorted(_python_files(paths)) if path not in _LOADED or _has_changed(path)]


def content_hash(path: Path, memory: Path | None = None) -> str:
    """Hash the content of a path: a file's bytes, or relative names and bytes of all files below a folder.

    Args:
        path: an existing file or folder.
        memory: a JSON file that caches the hashes of files by path, size and times, so that large files are read once;
            `None`: no cache.
    """
    known = _remembered(memory)
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    digest = hashlib.blake2b(digest_size=DIGITS // 2)
    fresh: dict[str, str] = {}
    for file in files:
        stat = file.stat()
        # A file that has kept its size and times is not read again. The time of the last change of status (ctime) is
        # there because a program can set the time of modification back, but not that one.
        key = f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ctime_ns}"
        fresh[key] = known.get(key) or _file_hash(file)
        name = "" if file == path else file.relative_to(path).as_posix()
        digest.update(f"{name}|{stat.st_size}|{fresh[key]}\0".encode())
    if memory is not None and not fresh.keys() <= known.keys():
        write_json(memory, known | fresh)
    return digest.hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file; None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: a reader sees the old file or the new one."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def unfinished_in(folder: Path) -> list[Path]:
    """Return the temporary files in a folder that processes which were killed have left."""
    return list(folder.glob(f"{_UNFINISHED}*"))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file that replaces `path` when the block has written it.

    What it holds is on the disk before it is renamed, so that not even a power cut leaves half a file. A block that
    raises leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{_UNFINISHED}{path.name}.{os.getpid()}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _python_files(paths: Iterable[Path]) -> set[Path]:
    return {file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])}


class _Code(NamedTuple):
    """A file of code when it was hashed."""

    size: int
    modified_ns: int
    tree: str


_LOADED: dict[Path, _Code] = {}


def _tree(path: Path) -> str:
    # Cached, so that the hash is that of the code that this process has loaded, even if it is edited meanwhile.
    if path not in _LOADED:
        stat = path.stat()
        _LOADED[path] = _Code(stat.st_size, stat.st_mtime_ns, _parsed(path))
    return _LOADED[path].tree


def _has_changed(path: Path) -> bool:
    loaded, stat = _LOADED[path], path.stat()
    if (stat.st_size, stat.st_mtime_ns) == (loaded.size, loaded.modified_ns):
        return False
    try:
        return _parsed(path) != loaded.tree
    except SyntaxError:
        return True


def _parsed(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _remembered(memory: Path | None) -> dict[str, str]:
    if memory is None or not memory.exists():
        return {}
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}
    return known if isinstance(known, dict) else {}
