import os
import signal

import pytest
from filelock import FileLock

from src.sweep.conduct import _uninterrupted, running_sweeps


def test_ctrl_c_does_not_keep_the_leaderboard_from_being_written():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_sweeps_that_run_are_named(tmp_path):
    for name in ("ended", "mine", "running"):
        (tmp_path / name).mkdir()
        FileLock(tmp_path / name / ".lock").acquire().lock.release()
    with FileLock(tmp_path / "running" / ".lock"), FileLock(tmp_path / "mine" / ".lock"):
        assert running_sweeps(tmp_path / "mine") == ["running"]
    assert running_sweeps(tmp_path / "mine") == []
