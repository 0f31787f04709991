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
from src.audio.compiled import import_librosa
from src.paths import ROOT, private_folder

IMPORT = """
import builtins, sys, time
from pathlib import Path
from src.audio import compiled
folder, usual = Path(sys.argv[1]), builtins.__import__

def compiling(name, *more):
    if name.startswith("librosa."):
        with (folder / "order").open("a") as file:
            file.write(f"{sys.argv[2]} {name}\\n")
        time.sleep(0.1)
        return compiled
    return usual(name, *more)

compiled.lock_file = lambda: folder / "lock"
builtins.__import__ = compiling
compiled.import_librosa(beats=True)
"""


def test_what_two_processes_compile_does_not_overlap(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", IMPORT, str(tmp_path), name], cwd=ROOT)
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    compiled_by = [line.split()[0] for line in (tmp_path / "order").read_text().splitlines()]
    assert compiled_by in (["one"] * 4 + ["two"] * 4, ["two"] * 4 + ["one"] * 4)


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
    imported = re.findall(r"import (librosa\.[\w.]+)", Path(compiled.__file__).read_text(encoding="utf-8"))
    assert found == set(imported)


def test_nothing_else_imports_librosa() -> None:
    importing = re.compile(r"^\s*(import librosa|from librosa)", re.M)
    found = [
        path.name for path in ROOT.glob("src/**/*.py") if importing.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["compiled.py"]


def test_a_user_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)

    def unknown(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert compiled.lock_file() == private_folder() / "numba.lock"


def test_machines_that_share_an_environment_share_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: True)
    assert compiled.lock_file().parent == Path(librosa.__file__).parent
