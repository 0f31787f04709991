import os
import signal

import pytest

from src.sweep.conduct import _uninterrupted


def test_ctrl_c_does_not_keep_the_leaderboard_from_being_written():
    with _uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
