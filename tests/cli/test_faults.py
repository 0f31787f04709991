"""Trials that go wrong in every way: the state says so, the others finish, and what repeating the command does."""

import json
import os
import signal

import pytest
from conftest import FAKE, leaderboard, ledger, read, states_of, trials, wait_until

WAYS = {
    # fault: (state, exit code of the trial)
    "none": ("finished", 0),
    "raise_once": ("failed", 1),
    "nan_once": ("nan", 1),
    "exit3_once": ("failed", 3),
    "exit4_once": ("failed", 4),
    "memory_once": ("oom", 1),
    "hang_once": ("timeout", 124),
}


@pytest.fixture(scope="module")
def zoo(project, tmp_path_factory):
    """A sweep with a trial for each fault, run, repeated, and repeated with `retry=true`."""
    outputs = tmp_path_factory.mktemp("zoo")
    command = (*FAKE, f"+fake.fault={','.join(WAYS)}", "sweep.name=zoo", "timeout=4", f"outputs={outputs}")
    stages = []
    for more in ((), (), ("retry=true",)):
        result = project.run(*command, *more)
        stages.append((result, trials(outputs, "zoo"), ledger(outputs, "zoo")))
    return outputs, stages


def _status(outputs, rows, fault):
    [row] = [row for row in rows if row["fake.fault"] == fault]
    folder = outputs / row["runs"]
    first = folder / "attempts" / "1" / "status.json"
    return read(first if first.exists() else folder / "status.json")


@pytest.mark.slow
def test_states_and_exit_codes(zoo):
    outputs, [(result, rows, lines), *_] = zoo
    assert result.returncode == 1, result.stderr
    assert {row["fake.fault"]: row["state"] for row in rows} == {f: state for f, (state, _) in WAYS.items()}
    for fault, (state, exit_code) in WAYS.items():
        seen = states_of(lines, f"+fake.fault={fault}")
        assert seen == ["queued", "running", state]
        [last] = [line for line in lines if line["overrides"][0] == f"+fake.fault={fault}"][-1:]
        assert (last["exit_code"], last["attempt"]) == (exit_code, 1)
        status = _status(outputs, rows, fault)
        assert (status["state"], status["exit_code"]) == (state, exit_code)
        assert bool(status["error"]) == (state != "finished")


@pytest.mark.slow
def test_errors_tell_why(zoo):
    outputs, [(_, rows, _), *_] = zoo
    assert "RuntimeError: a fault on purpose" in _status(outputs, rows, "raise_once")["error"]
    assert "timeout=4" in _status(outputs, rows, "hang_once")["error"]
    assert "sys.exit(3)" in _status(outputs, rows, "exit3_once")["error"]


@pytest.mark.slow
def test_repeated_command_leaves_failures_alone(zoo):
    outputs, [_, (result, rows, lines), _] = zoo
    assert result.returncode == 1
    second = lines[3 * len(WAYS) :]
    assert [line["state"] for line in second] == ["reused", *(state for state, _ in list(WAYS.values())[1:])]
    assert {row["state"] for row in rows} == {"finished", "failed", "nan", "oom", "timeout"}
    assert (outputs / "prepared.txt").read_text().split() == ["7", "6"], "the second command prepared nothing"


@pytest.mark.slow
def test_retry_runs_failures_again(zoo):
    outputs, [*_, (result, rows, lines)] = zoo
    assert result.returncode == 0, result.stdout
    assert {row["state"] for row in rows} == {"finished"}
    assert len(rows) == len(WAYS)
    assert {line["attempt"] for line in lines if line["state"] == "finished"} == {1, 2}
    for row in rows:
        attempts = outputs / row["runs"] / "attempts"
        assert attempts.exists() == (row["fake.fault"] != "none")
    assert not any("retry" in row for row in rows), "retry is no column"


@pytest.fixture(scope="module")
def killed(project, tmp_path_factory):
    """Four trials over two pretended GPUs, one of them killed from outside; then the same command again."""
    outputs = tmp_path_factory.mktemp("killed")
    command = (
        *FAKE, "optimizer=adam,sgd", "seed=1,2", "sweep.name=four", "+fake.epoch_s=0.7", f"outputs={outputs}",
        "hydra.launcher.gpus=[0,1]",
    )  # fmt: skip
    process = project.start(*command)
    pid = wait_until(lambda: _pid_after_an_epoch(outputs))
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=120)
    first = process.returncode, leaderboard(outputs, "four"), ledger(outputs, "four")
    again = project.run(*command)
    return outputs, first, (again, leaderboard(outputs, "four"), ledger(outputs, "four"))


def _pid_after_an_epoch(outputs):
    for line in ledger(outputs, "four"):
        folder = outputs / "runs" / line["signature"]
        if (folder / "history.csv").exists() and line["overrides"][:2] == ["optimizer=adam", "seed=2"]:
            return read(folder / "status.json")["pid"]
    return None


@pytest.mark.slow
def test_one_of_four_killed(killed):
    _, (code, rows, lines), _ = killed
    assert code == 1
    final = {tuple(line["overrides"][:2]): line["state"] for line in lines}
    assert sorted(final.values()) == ["finished", "finished", "finished", "killed"]
    assert final["optimizer=adam", "seed=2"] == "killed"
    assert {row["name"]: row["state"] for row in rows if row["kind"] == "trial"} == {
        "adam": "1 finished, 1 killed",
        "sgd": "finished",
    }
    [line] = [line for line in lines if line["state"] == "killed"]
    assert line["exit_code"] == 137


@pytest.mark.slow
def test_same_command_runs_the_killed_one_only(killed):
    outputs, (_, _, before), (again, rows, lines) = killed
    assert again.returncode == 0, again.stdout + again.stderr
    second = lines[len(before) :]
    assert [line["state"] for line in second].count("reused") == 3
    ran = [line for line in second if line["state"] in ("running", "finished")]
    assert [line["overrides"][:2] for line in ran] == [["optimizer=adam", "seed=2"]] * 2
    assert [line["attempt"] for line in ran] == [2, 2]
    folder = outputs / "runs" / ran[0]["signature"]
    assert "epochs from 1" in (folder / "train.log").read_text(), "it went on from last.ckpt"
    assert (folder / "history.csv").read_text().split() == ["0", "1"]
    assert read(folder / "attempts" / "1" / "status.json")["state"] == "killed"
    assert {row["state"] for row in rows if row["kind"] == "trial"} == {"finished"}


@pytest.mark.slow
def test_each_trial_sees_one_gpu_and_both_are_used(killed):
    outputs, _, (_, _, lines) = killed
    seen = {}
    for line in lines:
        if line["state"] == "finished":
            metrics = json.loads((outputs / "runs" / line["signature"] / "metrics.json").read_text())
            seen.setdefault(metrics["environment"]["visible_devices"], set()).add(line["slot"])
    assert seen == {"0": {"gpu:0"}, "1": {"gpu:1"}}
