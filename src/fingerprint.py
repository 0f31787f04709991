"""Hashes of code, files and plain values, by which trials and prepared data are recognised, and files written whole."""

import ast
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

DIGITS = 12
"""Hexadecimal digits of a signature: with 48 bits the odds of a collision among 100,000 trials are 1 in 56,000."""

_UNFINISHED = ".unfinished-"
_LONGEST_NAME = 64  # characters, of up to four bytes; file systems end at 255


class Memory(StrEnum):
    """Files in `outputs/cache` that remember hashes of inputs; `reuse=verify` deletes them all."""

    CONTENTS = "content_hashes.json"
    """Of `content_hash`."""
    LISTS = "file_lists.json"
    """Of `files_hash`."""


def value_hash(value: Any) -> str:
    """Hash plain values (mappings, sequences, str, int, float, bool, None), independently of the order of keys.

    Args:
        value: anything that `json` can write; equal floats such as `1e-3` and `0.001` have the same hash.

    Returns:
        `DIGITS` hexadecimal digits.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(_bytes(text), digest_size=DIGITS // 2).hexdigest()


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
        digest.update(_bytes(name) + b"\0")
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
    root = path.resolve()  # once: that of each file takes ten times as long as the rest
    digest = hashlib.blake2b(digest_size=DIGITS // 2)
    fresh: dict[str, str] = {}
    for name, found in [("", path.stat())] if path.is_file() else _files_below(path):
        key = "|".join(map(str, (root / name, *stamp(found))))
        fresh[key] = known.get(key) or _file_hash(path / name)
        digest.update(_bytes(f"{name}|{found.st_size}|{fresh[key]}\0"))
    if memory is not None and not fresh.keys() <= known.keys():
        write_json(memory, known | fresh)
    return digest.hexdigest()


def files_hash(root: Path, names: Sequence[str], memory: Path) -> str:
    """Hash the names and contents of some files below a folder.

    Args:
        root: the folder that the names are relative to.
        names: of files; of one that is no regular file, the name counts alone.
        memory: a JSON file that caches the hash by names, sizes and times, so that unchanged files are not read again.
    """
    known = read_json(memory) or {}
    key = value_hash([str(root), [[name, *_stamp_of(root / name)] for name in names]])
    if key not in known:
        known[key] = value_hash([[name, content_hash(root / name)] for name in names])
        write_json(memory, known)
    return str(known[key])


def _stamp_of(path: Path) -> tuple[int, ...]:
    return stamp(path.stat()) if path.is_file() else ()


def stamp(found: os.stat_result) -> tuple[int, int, int]:
    """Return size and times of a file: one that has kept them is not read again.

    The time of the last change of status (ctime) is there because a program can set the time of modification back, but
    not that one.
    """
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_json(path: Path) -> Any:
    """Read a JSON file; None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: a reader sees the old file or the new one."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically; see `replacing`.

    Names of files that are not UTF-8 are written with the escapes that JSON has for them.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def unfinished_in(folder: Path) -> list[Path]:
    """Return the temporary files in a folder that processes which were killed have left."""
    return list(folder.glob(f"{_UNFINISHED}*"))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file that replaces `path` when the block has written it.

    What it holds is on the disk before it is renamed, so that not even a power cut leaves half a file. A block that
    raises leaves `path` as it was. Nobody can have put a file or link where the temporary file is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{_UNFINISHED}{path.name[-_LONGEST_NAME:]}.{secrets.token_hex(8)}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
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
        found = path.stat()
        _LOADED[path] = _Code(found.st_size, found.st_mtime_ns, _parsed(path))
    return _LOADED[path].tree


def _has_changed(path: Path) -> bool:
    loaded, found = _LOADED[path], path.stat()
    if (found.st_size, found.st_mtime_ns) == (loaded.size, loaded.modified_ns):
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


def _files_below(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Return relative name and status of all files below a folder; `Path.rglob` takes ten times as long."""
    files = []
    for parent, _, names in os.walk(folder):
        inner = Path(parent).relative_to(folder).as_posix()
        for name in names:
            with suppress(FileNotFoundError):  # a link to nothing
                found = os.stat(f"{parent}/{name}")  # noqa: PTH116 - faster than a Path of each file
                if stat.S_ISREG(found.st_mode):
                    files.append((name if inner == "." else f"{inner}/{name}", found))
    return sorted(files, key=lambda file: file[0].split("/"))


def _bytes(text: str) -> bytes:
    """Return text in UTF-8; what is not UTF-8 in names of files becomes escapes."""
    return text.encode(errors="backslashreplace")


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
