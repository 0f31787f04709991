import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Listener
from pathlib import Path

import psutil
import pytest

from src.errors import UserError
from src.paths import ROOT
from src.processes import CORES, call, cores, shorten_socket_paths


def _pid_and_sum(a, b):
    return os.getpid(), a + b


def _refuse():
    raise UserError("choose another")


def _die():
    os._exit(7)


def _be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def _environment():
    return os.environ.get("PYTHONPATH", ""), signal.getsignal(signal.SIGINT)


@pytest.mark.slow
def test_call_runs_elsewhere_and_hands_back_results_and_errors():
    pid, total = call(_pid_and_sum, 1, 2)
    assert total == 3
    assert pid != os.getpid()
    with pytest.raises(UserError, match="choose another"):
        call(_refuse)
    with pytest.raises(RuntimeError, match="_die died with exit code 7"):
        call(_die)
    with pytest.raises(UserError, match=r"_be_killed was killed \(SIGKILL\).* the same command again"):
        call(_be_killed)


def _parents():
    return os.getppid(), call(os.getppid)


@pytest.mark.slow
def test_a_child_has_its_own_children_forked_from_the_same_server():
    assert len(set(call(_parents))) == 1


@pytest.mark.slow
def test_child_ignores_ctrl_c_and_finds_the_project():
    path, on_interrupt = call(_environment)
    assert on_interrupt == signal.SIG_IGN
    root = Path(__file__).resolve().parent.parent
    assert str(root) in path.split(os.pathsep)


@pytest.mark.slow
def test_interrupted_call_ends_its_child(tmp_path):
    file = tmp_path / "pid"
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 3.0)
        with pytest.raises(KeyboardInterrupt):
            call(_sleep, str(file))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


def _interrupt(*_):
    raise KeyboardInterrupt


def _sleep(file):
    Path(file).write_text(str(os.getpid()))
    time.sleep(60)


def test_sockets_have_a_short_path_where_other_temporary_files_have_a_long_one(tmp_path, monkeypatch):
    of_process = vars(multiprocessing.current_process())["_config"]
    monkeypatch.setitem(of_process, "tempdir", None)
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    shorten_socket_paths()
    assert of_process["tempdir"] is None
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    shorten_socket_paths()
    with Listener(family="AF_UNIX") as listener:
        assert str(long) not in str(listener.address)


def test_a_temporary_folder_too_long_for_sockets_is_refused_where_there_is_no_other(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/" + "x" * 105)
    monkeypatch.setattr("src.processes._SHORT_FOLDERS", ("/nowhere",))
    monkeypatch.setitem(vars(multiprocessing.current_process())["_config"], "tempdir", None)
    with pytest.raises(UserError, match=r"TMPDIR=/xxx.* too long"):
        shorten_socket_paths()


def test_cores_are_those_of_this_process():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_fewer_cores_may_be_chosen(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    monkeypatch.setenv(CORES, "3")
    assert cores() == 3
    monkeypatch.setenv(CORES, "30")
    assert cores() == 8


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_a_process_that_ends_with_its_parent_is_killed_even_if_it_holds_the_lock(tmp_path):
    file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(file)], cwd=ROOT)
    while not file.exists() or not file.read_text():
        assert parent.poll() is None
    child = psutil.Process(int(file.read_text()))
    parent.kill()
    parent.wait()
    child.wait(timeout=20)


_PARENT = """
import ctypes, os, sys, time
from pathlib import Path
from src.processes import end_with_parent
if os.fork() == 0:
    end_with_parent()
    Path(sys.argv[1]).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(600)  # PyDLL keeps Python's lock
time.sleep(600)
"""
