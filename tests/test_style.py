"""How functions are described: by what they return or do, in plain words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from src.paths import ROOT

ROOMS = ("src", "hydra_plugins", "benchmarks", "scripts")

DIALECT = re.compile(r"Give (?!.* back)|Tell whether|How (many|far|often)")
"""A docstring begins with `Return`, `Whether` or another verb in the imperative instead."""


def function_docstrings(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, ast.get_docstring(node) or ""


def test_docstrings_begin_with_what_is_returned_or_done() -> None:
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    odd = [
        f"{path.relative_to(ROOT)}: {name}: {text.partition(chr(10))[0]}"
        for path in files
        for name, text in function_docstrings(path)
        if DIALECT.match(text)
    ]

    assert files
    assert odd == []
