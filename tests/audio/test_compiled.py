import os
import pwd
import subprocess
import sys
from pathlib import Path

import librosa
import pytest
from filelock import FileLock

from src.audio import compiled, music_features
from src.audio.compiled import compiles_alone
from src.paths import ROOT

FIRST_CALL = """
import sys, time
from pathlib import Path
from src.audio import compiled
folder = Path(sys.argv[1])
compiled.lock_file = lambda: folder / "lock"

@compiled.compiles_alone
def compile_something():
    (folder / f"{sys.argv[2]} begins").touch()
    time.sleep(0.3)
    with (folder / "order").open("a") as file:
        file.write(sys.argv[2] + "\\n")
        time.sleep(0.3)
        file.flush()
        file.write(sys.argv[2] + "\\n")

compile_something()
"""


def test_the_first_calls_of_two_processes_do_not_overlap(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", FIRST_CALL, str(tmp_path), name], cwd=ROOT)
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    order = (tmp_path / "order").read_text().split()
    assert order in (["one", "one", "two", "two"], ["two", "two", "one", "one"])


def test_later_calls_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "lock_file", lambda: tmp_path / "lock")
    double = compiles_alone(lambda number: 2 * number)
    assert double(2) == 4
    with FileLock(tmp_path / "lock"):
        assert double(3) == 6


def test_a_first_call_that_fails_lets_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "lock_file", lambda: tmp_path / "lock")

    @compiles_alone
    def fails() -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fails()
    with FileLock(tmp_path / "lock", timeout=0) as lock:
        assert lock.is_locked


@pytest.mark.parametrize("name", ["mel_and_chroma", "beat_synchronous"])
def test_features_are_compiled_alone(name: str) -> None:
    assert hasattr(getattr(music_features, name), "__wrapped__")


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
