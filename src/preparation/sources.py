"""Which files of this project a module is made of."""

import ast
from collections.abc import Iterator
from pathlib import Path

from src.paths import ROOT


def sources(module: str) -> set[Path]:
    """Find the file of a module and, through its imports, those of all modules of `src` that it needs.

    Args:
        module: dotted name inside `src`, such as `src.audio.mel`.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path is not None and path not in found:
            found.add(path)
            waiting += _imports(path)
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    if module.split(".")[0] != "src":
        return None
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return path if path.is_file() else None
