import itertools
import json
import multiprocessing
import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from src.sweep.folder import TrialFolder, what_to_do
from src.sweep.state import State, StopReason

CODE = "c0de"


@pytest.fixture
def folder(tmp_path):
    return TrialFolder(tmp_path / "runs" / "0123456789ab")


def begin(folder, **options):
    folder.lock()
    number = folder.begin({"seed": 1}, **({"resume": False, "code": CODE} | options))
    folder.unlock()
    return number


def checkpoint(folder):
    (folder.path / "checkpoints").mkdir()
    (folder.path / "checkpoints" / "last.ckpt").write_text("weights")
    (folder.path / "history.csv").write_text("epoch\n0\n")
    (folder.path / "train.log").write_text("first\nsecond\nthird\n")


def action(folder, **options):
    return what_to_do(folder, **({"code": CODE, "retry": False, "reuse": "same_code"} | options))[0]


def test_begin_says_running_and_writes_the_configuration(folder):
    assert folder.state() is None
    folder.lock()
    assert folder.begin({"a": {"b": [1, "x"]}}, resume=False, code=CODE, pid=7) == 1
    status = json.loads((folder.path / "status.json").read_text())
    assert status == {
        "state": "running", "exit_code": None, "error": None, "attempt": 1, "code": CODE, "pid": 7,
    }  # fmt: skip
    assert OmegaConf.to_container(OmegaConf.load(folder.path / "config.yaml")) == {"a": {"b": [1, "x"]}}


def test_end_keeps_what_begin_wrote(folder):
    begin(folder)
    folder.end(State.FAILED, 1, "why")
    assert folder.status() == {
        "state": "failed", "exit_code": 1, "error": "why", "attempt": 1, "code": CODE,
    }  # fmt: skip


def test_running_without_a_process_means_killed(folder):
    begin(folder)
    assert folder.status()["state"] == "running"
    assert folder.state() == "killed"


def _hold(path, pipe):
    folder = TrialFolder(path)
    folder.lock()
    pipe.send("locked")
    pipe.recv()


def test_running_with_a_process_means_running(folder):
    begin(folder)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(folder.path, theirs))
    process.start()
    assert ours.recv() == "locked"
    assert folder.locked()
    assert not folder.lock()
    assert folder.state() == "running"
    ours.send("end")
    process.join()
    assert not folder.locked()
    assert folder.state() == "killed"


@pytest.mark.parametrize("resume", [True, False])
def test_an_earlier_attempt_moves_away(folder, resume):
    begin(folder)
    checkpoint(folder)
    folder.end(State.INTERRUPTED, 130)
    assert begin(folder, resume=resume) == 2
    put_away = folder.path / "attempts" / "1"
    assert json.loads((put_away / "status.json").read_text())["state"] == "interrupted"
    assert {"config.yaml", "train.log", "history.csv", "checkpoints"} <= {p.name for p in put_away.iterdir()}
    assert (folder.last_checkpoint() is not None) == resume
    assert (folder.path / "history.csv").exists() == resume
    assert not (folder.path / "train.log").exists()
    assert begin(folder) == 3
    assert sorted(p.name for p in (folder.path / "attempts").iterdir()) == ["1", "2"]


@pytest.mark.parametrize("resume", [True, False])
def test_an_attempt_that_is_still_queued_is_begun_anew_under_its_number(folder, resume):
    begin(folder, state=State.QUEUED)
    folder.ask_to_stop(StopReason.INTERRUPTED)
    assert begin(folder, state=State.QUEUED, resume=resume) == 1
    assert not (folder.path / "attempts").exists()
    assert folder.asked_to_stop() is None


def test_a_queued_attempt_that_would_go_on_keeps_its_checkpoint_when_another_sweep_begins_it(folder):
    begin(folder)
    checkpoint(folder)
    folder.end(State.INTERRUPTED, 130)
    assert [begin(folder, state=State.QUEUED, resume=True) for _ in range(2)] == [2, 2]
    assert folder.last_checkpoint() is not None
    assert begin(folder, resume=False) == 3
    assert folder.last_checkpoint() is None


def test_done_is_reused_unless_the_code_changed(folder):
    begin(folder)
    folder.end(State.FINISHED, 0)
    assert action(folder) == "reuse"
    assert action(folder, retry=True) == "reuse"
    assert action(folder, code="other") == "run"
    assert "code has changed" in what_to_do(folder, "other", retry=False, reuse="same_code")[1]
    assert action(folder, code="other", reuse="any") == "reuse"


def test_what_was_not_tested_goes_on_where_its_test_is_wanted(folder):
    begin(folder, test=False)
    checkpoint(folder)
    folder.end(State.FINISHED, 0)
    assert action(folder, test=False) == "reuse"
    wanted = what_to_do(folder, CODE, retry=False, reuse="same_code")
    assert wanted == ("resume", "finished, but not tested, goes on from its last checkpoint")
    begin(folder, resume=True, test=True)
    folder.end(State.FINISHED, 0)
    assert action(folder) == "reuse"


@pytest.mark.parametrize("state", [State.FAILED, State.OOM, State.TIMEOUT, State.NAN])
def test_failures_are_left_unless_retried(folder, state):
    begin(folder)
    checkpoint(folder)
    folder.end(state, 1)
    assert action(folder) == "leave"
    assert action(folder, retry=True) == ("run" if state == State.NAN else "resume")
    assert action(folder, retry="fresh") == "run"


def finished(folder):
    begin(folder)
    checkpoint(folder)
    (folder.path / "checkpoints" / "best.ckpt").write_text("the best weights")
    (folder.path / "predictions.npz").write_bytes(b"answers")
    (folder.path / "metrics.json").write_text('{"objective": {"value": 0.5}}')
    folder.end(State.FINISHED, 0)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("metrics.json", None, "resume"),
        ("metrics.json", "", "resume"),
        ("metrics.json", '{"objective": {"val', "resume"),
        ("metrics.json", " " * len('{"objective": {"value": 0.5}}'), "resume"),
        ("predictions.npz", None, "resume"),
        ("predictions.npz", "answ", "resume"),
        ("checkpoints/best.ckpt", "the best", "run"),
    ],
)
def test_a_trial_whose_results_are_gone_or_torn_has_not_finished(folder, name, content, what):
    finished(folder)
    assert action(folder) == "reuse"
    (folder.path / name).unlink() if content is None else (folder.path / name).write_text(content)
    assert folder.state() == State.DAMAGED
    assert what_to_do(folder, CODE, retry=False, reuse="same_code") == (
        what,
        f"finished, but {name} is gone or damaged, "
        + ("goes on from its last checkpoint" if what == "resume" else "starts again"),
    )


def test_a_checkpoint_may_be_deleted_to_save_space(folder):
    finished(folder)
    (folder.path / "checkpoints" / "best.ckpt").unlink()
    assert action(folder) == "reuse"


@pytest.mark.parametrize("name", ["metrics.json", "predictions.npz"])
def test_results_that_are_gone_are_not_computed_again_without_the_best_weights(folder, name):
    finished(folder)
    (folder.path / "checkpoints" / "best.ckpt").unlink()
    (folder.path / name).unlink()
    assert what_to_do(folder, CODE, retry=False, reuse="same_code") == (
        "run",
        f"finished, but {name} and checkpoints/best.ckpt is gone or damaged, starts again",
    )


def test_a_trial_that_kept_no_best_weights_goes_on_from_its_last_checkpoint(folder):
    begin(folder)
    checkpoint(folder)
    (folder.path / "metrics.json").write_text('{"objective": {"value": 0.5}}')
    folder.end(State.FINISHED, 0)
    (folder.path / "metrics.json").unlink()
    assert action(folder) == "resume"


class Killed(BaseException):
    pass


@pytest.mark.parametrize("resume", [True, False])
def test_a_beginning_that_is_killed_can_be_repeated(folder, resume, monkeypatch):
    """Whatever step it is killed before, the trial is still the earlier one, with its checkpoint to go on from."""
    steps = [(Path, "rename"), (shutil, "copytree"), (shutil, "copy2"), (shutil, "rmtree"), (Path, "replace")]
    for count in itertools.count():
        place = TrialFolder(folder.path.with_name(f"{count:012x}"))
        begin(place)
        checkpoint(place)
        place.end(State.INTERRUPTED, 130)
        left = [count]
        with monkeypatch.context() as patch:
            for owner, name in steps:
                patch.setattr(owner, name, _killed_after(left, getattr(owner, name)))
            try:
                begin(place, resume=resume)
            except Killed:
                place.unlock()
            else:
                break
        assert place.state() == State.INTERRUPTED
        if resume:
            assert place.last_checkpoint().read_text() == "weights"
        assert begin(place, resume=resume) == 2
        put_away = place.path / "attempts" / "1"
        assert {"config.yaml", "train.log", "history.csv", "status.json"} <= {
            p.name for p in put_away.iterdir()
        }
        assert (put_away / "checkpoints" / "last.ckpt").read_text() == "weights"
        assert (place.last_checkpoint() is not None) == resume
    assert count > 5, "it was never killed"


def _killed_after(left, function):
    def step(*arguments, **options):
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return function(*arguments, **options)

    return step


@pytest.mark.parametrize(
    "state", [State.QUEUED, State.RUNNING, State.INTERRUPTED, State.KILLED, State.PAUSED, State.PRUNED]
)
def test_interrupted_ones_go_on_from_the_last_checkpoint(folder, state):
    begin(folder)
    folder.end(state, 130)
    assert action(folder) == "run"
    checkpoint(folder)
    assert action(folder) == "resume"
    assert action(folder, code="other") == "run", "checkpoints of other code are not carried on"


def test_new(folder):
    assert what_to_do(folder, CODE, retry=False, reuse="same_code") == ("run", "new")


def test_half_written_json_is_none(folder):
    folder.path.mkdir(parents=True)
    (folder.path / "status.json").write_text('{"state": "fin')
    assert folder.status() == {}
    assert folder.state() is None


def test_log_tail(folder):
    assert folder.log_tail() == ""
    folder.path.mkdir(parents=True)
    checkpoint(folder)
    assert folder.log_tail(2) == "second\nthird"


def test_a_state_that_nobody_knows_is_none(folder):
    begin(folder)
    folder.update(state="dreaming")
    assert folder.state() is None


def test_states_are_written_as_their_names(folder):
    begin(folder, state=State.QUEUED)
    assert '"state": "queued"' in (folder.path / "status.json").read_text()
    assert folder.state() is State.QUEUED


def test_a_resumed_attempt_keeps_the_environment_it_began_with(folder):
    begin(folder, environment={"OMP_NUM_THREADS": "3"})
    begin(folder, resume=True)
    assert folder.status()["environment"] == {"OMP_NUM_THREADS": "3"}
    begin(folder)
    assert "environment" not in folder.status()


def test_the_reason_to_stop_is_of_one_attempt(folder):
    begin(folder)
    assert folder.asked_to_stop() is None
    folder.ask_to_stop(StopReason.PRUNED)
    assert json.loads((folder.path / "stop.json").read_text()) == {"reason": "pruned"}
    assert folder.asked_to_stop() is StopReason.PRUNED
    folder.end(State.PRUNED, 0)
    begin(folder, resume=True)
    assert folder.asked_to_stop() is None


def test_without_a_status_nothing_is_gone_on_with_and_no_attempt_overwritten(folder):
    begin(folder)
    checkpoint(folder)
    assert begin(folder) == 2
    checkpoint(folder)
    for damage in ("{", None):
        path = folder.path / "status.json"
        path.unlink() if damage is None else path.write_text(damage)
        what, why = what_to_do(folder, CODE, retry=False, reuse="same_code")
        assert (what, why) == ("run", "status.json is gone or damaged, starts again")
        number = begin(folder)
        assert folder.last_checkpoint() is None
        assert sorted(entry.name for entry in (folder.path / "attempts").iterdir()) == [
            str(attempt) for attempt in range(1, number)
        ]
        checkpoint(folder)
    assert [(folder.path / f"attempts/{k}/train.log").exists() for k in (1, 2, 3)] == [True] * 3


def test_metrics_of_something_else_are_damaged(folder):
    begin(folder)
    (folder.path / "metrics.json").write_text('{"objective": {}}')
    folder.end(State.FINISHED, 0)
    assert folder.state() == State.FINISHED
    (folder.path / "metrics.json").write_text('{"objectivf": {}}')
    assert folder.state() == State.DAMAGED
