"""Hashes by which trials and prepared data are recognised: of code, of files, of plain values."""

import ast
import hashlib
import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

DIGITS = 12
"""Hexadecimal digits of a signature: 48 bits, a collision among 100,000 trials has odds of 1 in 56,000."""


def value_hash(value: Any) -> str:
    """Hash plain values (mappings, sequences, str, int, float, bool, None), whatever the order of keys.

    Args:
        value: anything `json` can write; `1e-3` and `0.001` are the same float and hash alike.

    Returns:
        `DIGITS` hexadecimal digits.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=DIGITS // 2).hexdigest()


def code_hash(paths: Iterable[Path], root: Path) -> str:
    """Hash the syntax trees of Python files, so that comments, layout and docstrings do not count.

    Args:
        paths: files, or folders that are searched for `*.py`.
        root: the folder that names are taken relative to, so that a moved project hashes alike; a file outside of
            it counts by its own name.
    """
    digest = hashlib.blake2b(digest_size=DIGITS // 2)
    for path in sorted(_python_files(paths)):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        digest.update(name.encode() + b"\0")
        digest.update(_tree(path).encode() + b"\0")
    return digest.hexdigest()


def content_hash(path: Path, memory: Path | None = None) -> str:
    """Hash what lies behind a path: a file's bytes, or every file below a folder with its relative name.

    Args:
        path: a file or a folder that exists.
        memory: a JSON file that remembers the hashes of files by path, size and modification time, so that
            a large file is read once; `None` reads every file each time.
    """
    known = _remembered(memory)
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    digest = hashlib.blake2b(digest_size=DIGITS // 2)
    fresh: dict[str, str] = {}
    for file in files:
        stat = file.stat()
        key = f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
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
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: a temporary name beside it, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _python_files(paths: Iterable[Path]) -> set[Path]:
    return {file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])}


@cache
def _tree(path: Path) -> str:
    # Cached, so that a process goes by the code that it has loaded, not by what is edited meanwhile.
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
