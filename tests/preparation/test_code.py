import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from src.datamodules.synthesized import synth_clips
from src.paths import ROOT
from src.preparation.code import code_files, code_signature, module_of

PROJECT = {
    "__init__.py": "",
    "a.py": "import src.b\nimport numpy",
    "b.py": "from src import c\ndef f():\n    from src.d import x",
    "c.py": "import src.a",
    "d.py": "from src.room import HEIGHT, door\nx = HEIGHT",
    "e.py": "",
    "room/__init__.py": "HEIGHT = 3",
    "room/door.py": "from . import lock\nfrom .window import pane as own\nfrom ..f import *",
    "room/lock.py": "",
    "room/window.py": "pane = 1",
    "f.py": "",
}
NEEDED = PROJECT.keys() - {"e.py"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another `src`, whose modules import each other in every way."""
    monkeypatch.setattr("src.preparation.code.ROOT", tmp_path)
    return written(tmp_path / "src", PROJECT)


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports what lies in `tmp_path`, and forgets it after the test."""
    monkeypatch.syspath_prepend(tmp_path)

    def import_it(name: str) -> ModuleType:
        for part in (name.partition(".")[0], name):
            monkeypatch.delitem(sys.modules, part, raising=False)
        return importlib.import_module(name)

    return import_it


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def module(name: str) -> ModuleType:
    return ModuleType(name)


def test_imports_are_followed():
    found = {path.relative_to(ROOT).as_posix() for path in code_files(synth_clips)}
    assert found >= {
        "src/datamodules/synthesized/synth_clips.py",
        "src/audio/score.py",
        "src/audio/synthesis.py",
        "src/audio/fluid.py",  # imported by synthesis only
        "src/audio/mel.py",
    }
    assert "src/datamodules/base.py" not in found
    assert "src/audio/soundfonts/installed.py" not in found


def test_imports_of_every_kind(project: Path) -> None:
    found = {path.relative_to(project).as_posix() for path in code_files(module("src.a"))}

    assert found == NEEDED


@pytest.mark.parametrize("renamed", sorted(NEEDED - {"__init__.py", "room/__init__.py"}))
def test_a_module_that_was_renamed_is_missed(project: Path, renamed: str) -> None:
    (project / renamed).rename(project / "renamed.py")

    name = renamed.removesuffix(".py").replace("/", ".")
    with pytest.raises(ModuleNotFoundError, match=f"src.{name} is named as code that data are made by"):
        code_files(module("src.a"))


def test_a_name_that_a_package_lost_is_missed(project: Path) -> None:
    (project / "room" / "__init__.py").write_text("WIDTH = 3")

    with pytest.raises(ModuleNotFoundError, match=r"src\.room\.HEIGHT"):
        code_files(module("src.d"))


def test_modules_are_given_as_objects() -> None:
    with pytest.raises(AttributeError):
        code_files("src.audio.mel")  # type: ignore[arg-type]


def test_a_package_outside_counts_with_its_own_modules(tmp_path, imported) -> None:
    files = {"__init__.py": "", "data.py": "from mine.deep.makers import X", "other.py": ""}
    written(tmp_path / "mine", {**files, "deep/makers.py": "from src.audio import mel\nX = 1"})

    found = code_files(imported("mine.data"))

    assert {ROOT / "src/audio/mel.py", tmp_path / "mine/data.py", tmp_path / "mine/deep/makers.py"} <= found
    assert tmp_path / "mine" / "other.py" not in found


def test_the_signature_follows_the_code_of_a_module_outside(tmp_path, imported) -> None:
    first, second = (written(tmp_path / name, {"made.py": f"X = {name!r}"}) for name in ("one", "two"))
    same = written(tmp_path / "three", {"made.py": "X = 'one'  # a comment"})

    one, two, three = (code_signature(imported(f"{folder.name}.made")) for folder in (first, second, same))

    assert one != two
    assert one == three


def test_the_module_of_an_object_is_its_class_s() -> None:
    assert module_of(synth_clips.Split(n_clips=1, soundfonts=())) is synth_clips
