import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import librosa
import pytest
from filelock import FileLock

from src.audio import compiled
from src.audio.compiled import BEATS, COMPILED, import_librosa
from src.paths import ROOT

IMPORT = """
import importlib, sys, time
from pathlib import Path
from src.audio import compiled
folder = Path(sys.argv[1])

def compiling(name):
    for word in ("begins", "ends"):
        with (folder / "order").open("a") as file:
            file.write(f"{sys.argv[2]} {name} {word}\\n")
        time.sleep(0.1)
    return name

compiled.lock_file = lambda: folder / "lock"
importlib.import_module = compiling
assert compiled.import_librosa(compiled.BEATS) == "librosa"
"""


def test_what_two_processes_compile_does_not_overlap(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", IMPORT, str(tmp_path), name], cwd=ROOT)
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    lines = [line.split() for line in (tmp_path / "order").read_text().splitlines()]
    compiled_by = [process for process, name, _ in lines if name != "librosa"]
    assert compiled_by in (["one"] * 8 + ["two"] * 8, ["two"] * 8 + ["one"] * 8)


def test_once_it_is_imported_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "lock_file", lambda: tmp_path / "lock")
    import_librosa()
    with FileLock(tmp_path / "lock"):
        assert import_librosa() is librosa


def test_every_module_that_compiles_when_it_is_imported_is_known() -> None:
    """Of these the files of one function refer to each other."""
    folder = Path(librosa.__file__).parent
    found = {
        ".".join(("librosa", *path.relative_to(folder).with_suffix("").parts))
        for path in folder.glob("**/*.py")
        if re.search(r"^@(numba\.vectorize|(numba\.)?guvectorize)\(", path.read_text(), re.M)
    }
    assert found == {*COMPILED, BEATS}


def test_nothing_else_imports_librosa() -> None:
    importing = re.compile(r"^\s*(import librosa|from librosa)", re.M)
    found = [path for path in ROOT.glob("src/**/*.py") if importing.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_a_user_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)

    def unknown(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert compiled.lock_file().name.startswith("polysweep-numba-")


def test_machines_that_share_an_environment_share_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: True)
    assert compiled.lock_file().parent == Path(librosa.__file__).parent
