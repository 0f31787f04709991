import errno
import json
import math
import os
import signal
import sys
import time
import types

import pytest

from src.errors import UserError
from src.fingerprint import content_hash
from src.sweep import attempt as attempts
from src.sweep.attempt import attempt
from src.sweep.folder import TrialFolder, what_to_do
from src.sweep.job import Job
from src.sweep.room import FULL
from src.sweep.state import StopReason


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs an attempt of a trial that does what the given function does; gives exit code and status."""

    def attempted(behaviour, *, reports=False, stop=None, inputs=None, **options):
        module = types.ModuleType("a_trial_of_a_test")
        for name in ("freeze", "gpus", "gpus_needed", "incomparable", "jackknife", "prepare", "roles"):
            setattr(module, name, lambda *_: None)
        module.run = lambda config, folder, report, info: behaviour(report) if reports else behaviour()
        monkeypatch.setitem(sys.modules, module.__name__, module)
        job = Job(
            "0123456789ab", {"seed": 1}, ("seed=1",), tmp_path, module.__name__, "c0de", "a sweep",
            inputs=inputs or {},
        )  # fmt: skip
        folder = TrialFolder(job.folder)
        folder.lock()
        number = folder.begin(job.config, resume=False, code=job.code)
        if stop:
            folder.ask_to_stop(stop)
        code = attempt(job, folder, lambda _: None, number, **options)
        folder.unlock()
        return code, json.loads((folder.path / "status.json").read_text())

    return attempted


def throw(error):
    def behaviour():
        raise error

    return behaviour


class OutOfMemoryError(RuntimeError):
    """Named like CUDA's."""


@pytest.mark.parametrize(
    ("behaviour", "state", "exit_code"),
    [
        (lambda: 0.5, "finished", 0),
        (lambda: math.nan, "nan", 1),
        (lambda: math.inf, "nan", 1),
        (lambda: None, "nan", 1),
        (throw(FloatingPointError("loss")), "nan", 1),
        (throw(OSError(errno.ENOSPC, "No space left on device")), "interrupted", FULL),
        (throw(OSError(errno.EACCES, "Permission denied")), "failed", 1),
        (throw(RuntimeError("boom")), "failed", 1),
        (throw(UserError("choose another")), "failed", 1),
        (throw(MemoryError()), "oom", 1),
        (throw(OutOfMemoryError("CUDA out of memory")), "oom", 1),
        (throw(RuntimeError("DefaultCPUAllocator: can't allocate memory")), "oom", 1),
        (throw(SystemExit(3)), "failed", 3),
        (throw(SystemExit(0)), "failed", 1),
        (throw(SystemExit("text")), "failed", 1),
        (throw(KeyboardInterrupt()), "interrupted", 130),
    ],
)
def test_status_says_how_it_ended(run, behaviour, state, exit_code):
    code, status = run(behaviour)
    assert (code, status["state"], status["exit_code"]) == (exit_code, state, exit_code)
    assert (status["error"] is None) == (state == "finished")


def test_error_holds_the_last_lines(run):
    _, status = run(throw(RuntimeError("boom")))
    assert status["error"].splitlines()[-1] == "RuntimeError: boom"
    assert "^^^" not in status["error"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_signals_interrupt_even_where_the_trial_turns_them_into_an_exit(run, number):
    def behaviour():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except KeyboardInterrupt:
            sys.exit(1)  # as Lightning does

    code, status = run(behaviour)
    assert (code, status["state"]) == (130, "interrupted")
    assert number.name in status["error"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_between_the_end_of_the_trial_and_the_words_for_it_interrupts(run, monkeypatch):
    outcome = attempts._outcome

    def outcome_and_a_signal(*arguments):
        ended = outcome(*arguments)
        os.kill(os.getpid(), signal.SIGTERM)
        return ended

    monkeypatch.setattr(attempts, "_outcome", outcome_and_a_signal)
    code, status = run(lambda: 0.5)
    assert (code, status["state"], status["error"]) == (130, "interrupted", "stopped by SIGTERM")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_trial_has_ended_does_not_keep_it_from_saying_so(run, monkeypatch, number):
    end = TrialFolder.end

    def end_under_a_signal(folder, *outcome):
        os.kill(os.getpid(), number)
        end(folder, *outcome)

    monkeypatch.setattr(TrialFolder, "end", end_under_a_signal)
    code, status = run(lambda: 0.5)
    assert (code, status["state"]) == (0, "finished")


def test_timeout_cannot_be_swallowed(run):
    def behaviour():
        try:
            time.sleep(5)
        except Exception:
            return 0.5

    code, status = run(behaviour, timeout=0.2)
    assert (code, status["state"], status["exit_code"]) == (124, "timeout", 124)


def test_no_alarm_rings_after_a_trial_in_time(run):
    assert run(lambda: 0.5, timeout=0.3)[0] == 0
    time.sleep(0.4)


def test_a_library_that_does_not_load_is_one_line(run, monkeypatch, capsys):
    monkeypatch.setattr("src.sweep.attempt.broken_library", lambda _: "av 1 does not load: run `make setup`.")
    code, status = run(throw(ImportError("libavcodec.so: cannot open shared object file")))
    assert (code, status["state"]) == (1, "failed")
    assert status["error"] == "av 1 does not load: run `make setup`."
    assert "Traceback" not in capsys.readouterr().err


def test_an_import_that_fails_though_all_libraries_load_keeps_its_traceback(run, monkeypatch, capsys):
    monkeypatch.setattr("src.sweep.attempt.broken_library", lambda _: None)
    code, status = run(throw(ImportError("cannot import name 'x' from 'mine'")))
    assert (code, status["state"]) == (1, "failed")
    assert "cannot import name 'x'" in status["error"]
    assert "Traceback" in capsys.readouterr().err


CHANGED = "the data have changed since the sweep began; run the command again"


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "data" / "a.wav"
    file.parent.mkdir()
    file.write_text("a")
    return file


@pytest.mark.parametrize("change", [lambda file: file.write_text("b"), lambda file: file.unlink()])
def test_a_trial_whose_data_have_changed_does_not_begin(run, data, change):
    inputs = {str(data): content_hash(data)}
    change(data)
    code, status = run(lambda: pytest.fail("it began"), inputs=inputs)
    assert (code, status["state"], status["error"]) == (130, "interrupted", CHANGED)


def test_a_trial_whose_data_change_meanwhile_is_not_finished_and_starts_again(run, data, tmp_path):
    folder = tmp_path / "runs" / "0123456789ab"

    def behaviour():
        (folder / "checkpoints").mkdir()
        for result in ("checkpoints/last.ckpt", "metrics.json"):
            (folder / result).write_text("{}")
        data.write_text("b")
        return 0.5

    code, status = run(behaviour, inputs={str(data.parent): content_hash(data.parent)})
    assert (code, status["state"], status["error"]) == (130, "interrupted", CHANGED)
    action, _ = what_to_do(TrialFolder(folder), "c0de", retry=False, reuse="same_code")
    assert action == "run", "a checkpoint of other data is gone on from"
    assert not (folder / "metrics.json").exists()
    assert (folder / "attempts" / "1" / "checkpoints" / "last.ckpt").exists()


def test_a_trial_whose_data_stay_finishes(run, data):
    code, status = run(lambda: 0.5, inputs={str(data): content_hash(data)})
    assert (code, status["state"]) == (0, "finished")


@pytest.mark.parametrize(
    ("reason", "state", "exit_code"),
    [("pruned", "pruned", 0), ("budget", "paused", 0), ("interrupted", "interrupted", 130)],
)
@pytest.mark.parametrize("signalled", [False, True])
def test_stop_json_decides_the_state_at_the_end_of_an_epoch_or_at_a_signal(
    run, tmp_path, reason, state, exit_code, signalled
):
    def behaviour(report):
        try:
            if signalled:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
            report({"epoch": 1, "epochs": 3, "objective": 0.5})
        except Exception:
            return 0.5
        raise AssertionError("it went on")

    code, status = run(behaviour, reports=True, stop=StopReason(reason))
    assert (code, status["state"], status["exit_code"]) == (exit_code, state, exit_code)
    assert status["error"] == StopReason(reason).explanation
    lines = (tmp_path / "runs" / "0123456789ab").glob("progress.jsonl")
    assert len([*lines]) == (not signalled), "the epoch is written before the trial stops"
