"""Who may know whom: tasks stand between what is general and data sets, networks and generation."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
GENERAL = {"src.datamodules.base", "src.datamodules.first_batches"}
"""Modules of src/datamodules that hold no data set: whatever asks something of every one may import them."""

FORBIDDEN = {
    "tasks": ("src.commands", "src.trial", "src.configuration", "src.sweep"),
    "generation": ("src.commands", "src.trial", "src.configuration", "src.tasks", "src.datamodules", "src.callbacks"),
    "callbacks": ("src.commands", "src.trial", "src.configuration", "src.tasks", "src.datamodules"),
    "models": ("src.commands", "src.trial", "src.configuration", "src.tasks", "src.datamodules", "src.callbacks"),
    "metrics": ("src.commands", "src.trial", "src.configuration", "src.tasks", "src.datamodules", "src.models"),
    "datamodules": ("src.commands", "src.trial", "src.configuration", "src.tasks", "src.models", "src.generation"),
    "configuration": ("src.commands", "src.trial"),
}  # fmt: skip
"""By folder, what lies above it."""

LEARNERS = ("src.models.classifier", "src.models.sequence_classifier", "src.models.generator")


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports; `from a import b` may mean `a.b`, so both are among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def files() -> dict[str, Path]:
    return {path.relative_to(SRC).as_posix(): path for path in sorted(SRC.rglob("*.py"))}


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_imports_what_lies_above_it(folder: str) -> None:
    found = {name: set(imported(path)) for name, path in files().items() if name.startswith(f"{folder}/")}
    assert found
    wrong = {name: [m for m in modules if is_in(m, FORBIDDEN[folder])] for name, modules in found.items()}
    assert not {name: modules for name, modules in wrong.items() if modules}


def test_no_class_of_a_family_is_named_outside_its_folder() -> None:
    named = {}
    for name, path in files().items():
        if not name.startswith("datamodules/"):
            of_data = {item for item in imported(path) if is_in(item, ("src.datamodules",))}
            classes = {item for item in of_data if item.rpartition(".")[2][:1].isupper()}
            named[name] = {item for item in classes if not is_in(item, tuple(GENERAL))}
    assert not {name: classes for name, classes in named.items() if classes}


def test_learners_are_named_by_tasks_only() -> None:
    knowing = {name for name, path in files().items() if any(is_in(m, LEARNERS) for m in imported(path))}
    assert {name.partition("/")[0] for name in knowing} == {"tasks", "models"}
