"""The process that is kept for several calls."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from src.errors import UserError
from src.paths import ROOT
from src.sweep.kept_process import KeptProcess


class _Counter:
    def __init__(self, first):
        self._number = first

    def __call__(self, step):
        if step == "refuse":
            raise UserError("choose another")
        if step == "die":
            os._exit(7)
        if step == "be killed":
            os.kill(os.getpid(), signal.SIGKILL)
        self._number += step
        return os.getpid(), self._number


def wait_for_end(pid):
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_it_remembers():
    kept = KeptProcess(_Counter, 10)
    pid, number = kept(1)
    assert pid != os.getpid()
    assert number == 11
    with pytest.raises(UserError, match="choose another"):
        kept("refuse")
    assert kept(2) == (pid, 13)
    kept.close()
    assert not psutil.pid_exists(pid)
    assert kept(1)[1] == 11, "another one"
    kept.close()


@pytest.mark.slow
def test_another_takes_the_place_of_one_that_died():
    kept = KeptProcess(_Counter, 10)
    with pytest.raises(RuntimeError, match="_Counter died with exit code 7"):
        kept("die")
    with pytest.raises(UserError, match=r"_Counter was killed \(SIGKILL\).* the same command again"):
        kept("be killed")
    pid, number = kept(1)
    assert number == 11
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    assert kept(1)[1] == 11, "it was killed between two calls"
    kept.close()


PROGRAM = """
import os, time
from src.sweep.kept_process import KeptProcess

def answer():
    return os.getpid

if __name__ == "__main__":
    kept = KeptProcess(answer)
    print(kept(), flush=True)
    time.sleep({seconds})
"""


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_it_ends_with_the_process_that_calls(tmp_path, killed):
    """Also where that is killed, or forgets to close it and would wait for it without end."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(seconds=600 if killed else 0))
    process = subprocess.Popen(
        [sys.executable, program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(process.stdout.readline())
    if killed:
        process.kill()
    process.communicate(timeout=60)
    wait_for_end(pid)
