import os
import signal
from pathlib import Path

import psutil
import pytest
from executor_contract import COMMAND, ExecutorContract, placed, to_the_end, until_it_hangs

from src.errors import UserError
from src.sweep.executors.base import Executor, Ticket
from src.sweep.executors.local import LocalExecutor
from src.sweep.folder import TrialFolder
from src.sweep.state import StopReason


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Executor:
    monkeypatch.setattr("src.sweep.executors.local.GRACE_S", 1.0)
    local = LocalExecutor(COMMAND)
    local.reserve(1, 0, [])
    return local


class TestLocalExecutor(ExecutorContract):
    def lose(self, executor: Executor, ticket: Ticket) -> None:
        fork_server = psutil.Process(int(ticket.number)).ppid()
        assert fork_server != os.getpid()
        os.kill(fork_server, signal.SIGKILL)


def test_a_trial_sees_the_gpus_of_its_slot(tmp_path: Path) -> None:
    local = LocalExecutor(COMMAND, gpus=[4, 5])
    local.reserve(2, 0, [])
    first = placed(local, tmp_path, "finishes", "000000000001")
    second = placed(local, tmp_path, "finishes", "000000000002")
    assert (first.slot, second.slot) == ("gpu:4", "gpu:5")
    assert not local.has_room()
    for ticket, gpu in ((first, "4"), (second, "5")):
        to_the_end(local, ticket)
        assert TrialFolder(ticket.folder).status()["environment"]["CUDA_VISIBLE_DEVICES"] == gpu


def test_more_gpus_than_there_are_are_refused() -> None:
    with pytest.raises(UserError, match=r"trainer\.devices=2: there are 1 GPUs"):
        LocalExecutor(COMMAND, gpus="0").reserve(1, 2, [])


def test_the_gpus_of_this_machine_are_taken_where_none_are_chosen(tmp_path: Path) -> None:
    local = LocalExecutor(COMMAND)
    local.reserve(2, 1, ["6"])
    ticket = placed(local, tmp_path, "finishes")
    assert ticket.slot == "gpu:6"
    to_the_end(local, ticket)


def test_a_trial_that_leads_its_session_is_signalled_once(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = placed(executor, tmp_path, "hangs")
    until_it_hangs(executor, ticket)
    sent: list[tuple[int | str, signal.Signals]] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "killpg", lambda process, number: sent.append((process, number)))
        patched.setattr(os, "kill", lambda process, number: sent.append((process, number)))
        executor.stop(ticket, StopReason.PRUNED)
    assert sent == [(ticket.number, signal.SIGTERM)]
    executor.stop(ticket, StopReason.PRUNED, now=True)
    to_the_end(executor, ticket)
