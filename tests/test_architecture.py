"""Which room of `src` may import which: arrows point one way, in the order below."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest
from omegaconf import OmegaConf

from src.paths import ROOT

ROOMS = (
    {"main", "preload", "imports", "rank", "probe"},
    {"commands"},
    {"sweep"},
    {"trial"},
    {"configuration", "environment"},
    {"tasks"},
    {"datamodules", "models", "generation", "callbacks", "pictures"},
    {"splitting", "preparation", "losses", "metrics"},
    {"audio"},
    {
        "construction",
        "errors",
        "fingerprint",
        "jackknife",
        "libraries",
        "messages",
        "options",
        "paths",
        "processes",
        "requirements",
        "rules",
        "signals",
        "spreadsheets",
        "terminal",
        "words",
    },
)
"""From the command down: a module imports from its own line and those below, never from one above."""

FAMILIES = ("synthesized", "recordings", "notes", "sequences", "rolls")

MOST_FILES_OF_IRMAS = 40


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "src").rglob("*.py")
}


def imported_names(module: str) -> Iterator[tuple[str, str]]:
    """The modules that one imports, each with the name that is taken from it, or an empty one."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert not node.level, f"{module} imports relatively"
            yield from ((node.module, alias.name) for alias in node.names)


def imports(module: str) -> set[str]:
    """The modules of the project that one imports."""
    found = set()
    for name, taken in imported_names(module):
        found |= {f"{name}.{taken}", name} & TREES.keys()
    return found - {module, "src"}


GRAPH = networkx.DiGraph()
GRAPH.add_nodes_from(TREES)
GRAPH.add_edges_from((module, other) for module in TREES for other in imports(module))


def room(module: str) -> str:
    return module.split(".")[1]


def height(module: str) -> int:
    return next(number for number, rooms in enumerate(ROOMS) if room(module) in rooms)


def family(module: str) -> str | None:
    parts = module.split(".")
    return next((name for name in FAMILIES if parts[1:3] == ["datamodules", name]), None)


def test_every_room_has_its_place() -> None:
    rooms = [name for line in ROOMS for name in line]

    assert len(rooms) == len(set(rooms))
    assert {room(module) for module in TREES if module != "src"} - set(rooms) == set()


def test_arrows_point_one_way() -> None:
    upwards = {(one, other) for one, other in GRAPH.edges if height(other) < height(one)}

    assert upwards == set()


def test_no_modules_import_each_other() -> None:
    circles = [sorted(circle) for circle in networkx.strongly_connected_components(GRAPH) if len(circle) > 1]

    assert circles == []


def test_no_class_of_a_family_is_named_outside_its_folder() -> None:
    named = set()
    for module in TREES:
        for other, name in imported_names(module):
            if other in TREES and family(other) and family(other) != family(module):
                named |= {(module, name)} if name in classes(other) else set()

    assert named == set()


def classes(module: str) -> set[str]:
    return {node.name for node in TREES[module].body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_imports_no_other(name: str) -> None:
    others = {
        (one, other)
        for one, other in GRAPH.edges
        if family(one) == name and family(other) not in (None, name)
    }

    assert others == set()


@pytest.mark.parametrize("name", ["lightning", "hydra", "omegaconf"])
def test_audio_knows_no_framework(name: str) -> None:
    users = {
        module
        for module in TREES
        if module.startswith("src.audio")
        for other, _ in imported_names(module)
        if other.partition(".")[0] == name
    }

    assert users == set()


def test_the_sweep_knows_nothing_of_music() -> None:
    reached = {room(other) for module in TREES if module.startswith("src.sweep") for other in imports(module)}

    assert reached & {"audio", "datamodules", "models", "losses", "metrics", "tasks", "trial"} == set()


def test_a_data_set_of_recordings_needs_few_files() -> None:
    target = OmegaConf.load(ROOT / "conf" / "data" / "irmas.yaml")["_target_"]
    module = target.rpartition(".")[0]
    needed = {module, *networkx.descendants(GRAPH, module)}
    files = {name for name in needed if ast.get_docstring(TREES[name]) is None or TREES[name].body[1:]}

    assert len(files) <= MOST_FILES_OF_IRMAS, sorted(files)


def test_the_figure_shows_the_rooms_in_their_order() -> None:
    figure = (ROOT / "docs" / "pictures" / "architecture.svg").read_text(encoding="utf-8")
    shown = {
        name: float(y)
        for y, names in re.findall(r'y="([\d.]+)"[^>]*class="room">([^<]+)<', figure)
        for name in names.split(", ")
    }
    folders = {path.parent.name for path in (ROOT / "src").glob("*/__init__.py")}

    assert folders - shown.keys() == set()
    assert shown.keys() - {"run.py"} <= {name for line in ROOMS for name in line}
    heights = [(height(f"src.{name}"), y) for name, y in shown.items() if name != "run.py"]
    assert [y for _, y in sorted(heights)] == sorted(y for _, y in heights)
