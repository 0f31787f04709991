"""Pruning through the real command: trials pause and go on, and a later grid finishes what was paused or pruned."""

import json
import os
import signal
from collections import Counter

import pytest
from conftest import FAKE, ledger, read, states_of, trials, wait_until

ONE_SLOT = "hydra.launcher.gpus=[0]"
RISING = (*FAKE, "+fake.epochs=9", "+fake.rises=true", "confirm=0", "sweep.name=s")
ASHA = (*RISING, "+fake.x=interval(0,1)", "search=tpe", "n_trials=14", "pruner=asha", ONE_SLOT)


def epochs_done(outputs):
    """How many epochs each trial has done, by signature."""
    lines = {
        path.parent.name: path.read_text().splitlines() for path in outputs.glob("runs/*/progress.jsonl")
    }
    done = {signature: [json.loads(line)["epoch"] for line in of_one] for signature, of_one in lines.items()}
    assert all(epochs == list(range(1, len(epochs) + 1)) for epochs in done.values()), "each epoch once"
    return {signature: len(epochs) for signature, epochs in done.items()}


def points(outputs):
    lines = [line for line in ledger(outputs, "s") if "proposal" in line]
    return [[text for text in line["overrides"] if text.startswith("+fake.x")] for line in lines]


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory):
    """A search with ASHA on one slot, never stopped."""
    outputs = tmp_path_factory.mktemp("whole")
    return outputs, project.run(*ASHA, f"outputs={outputs}")


@pytest.mark.slow
def test_few_are_trained_to_the_end(whole):
    outputs, result = whole
    assert result.returncode == 0, result.stdout + result.stderr
    done = epochs_done(outputs)
    assert set(done.values()) == {1, 3, 9}
    assert Counter(done.values())[1] >= 7
    states = {row["runs"].removeprefix("runs/"): row["state"] for row in trials(outputs, "s")}
    assert states == {signature: "finished" if n == 9 else "paused" for signature, n in done.items()}


@pytest.mark.slow
def test_the_best_of_all_is_trained_to_the_end(whole):
    """By the objective of the end, which the fake trial knows from its `x`."""
    outputs, _ = whole
    rows = trials(outputs, "s")
    best = min(rows, key=lambda row: abs(float(row["fake.x"]) - 0.3))
    assert epochs_done(outputs)[best["runs"].removeprefix("runs/")] == 9


@pytest.mark.slow
def test_one_that_goes_on_does_so_from_its_checkpoint(whole):
    outputs, _ = whole
    logs = [
        path.read_text() for path in outputs.glob("runs/*/train.log") if (path.parent / "attempts").exists()
    ]
    assert logs, "one paused before the others were known to be worse"
    assert set(logs) <= {"epochs from 1\n", "epochs from 3\n"}


@pytest.mark.slow
def test_it_says_how_many_are_paused(whole):
    outputs, result = whole
    n_paused = Counter(row["state"] for row in trials(outputs, "s"))["paused"]
    last = [line for line in result.stdout.splitlines() if line.startswith("search: ")][-1]
    assert (
        f"{14 - n_paused} done; {n_paused} paused; 0 running; left: 0 of 14 trials; best so far 0.5" in last
    )


@pytest.mark.slow
def test_a_killed_search_goes_on_as_if_it_had_not_been(whole, project, tmp_path):
    command = (*ASHA, f"outputs={tmp_path}")
    process = project.start(*command)
    wait_until(lambda: len(points(tmp_path)) == 9)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    again = project.run(*command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert points(tmp_path) == points(whole[0])
    assert epochs_done(tmp_path) == epochs_done(whole[0])


@pytest.mark.slow
def test_a_grid_afterwards_trains_them_to_the_end(project, tmp_path):
    grid = ("+fake.x=0.1,0.3,0.5,0.7,0.9", f"outputs={tmp_path}")
    search = project.run(*RISING, *grid, "search=random", "pruner=first_epoch", "min_epochs=2")
    assert search.returncode == 0, search.stdout + search.stderr
    assert sorted(epochs_done(tmp_path).values()) == [2, 2, 2, 2, 9]
    assert [row["state"] for row in trials(tmp_path, "s")].count("paused") == 4
    plain = project.run(*FAKE, "+fake.epochs=9", "+fake.rises=true", *grid, "sweep.name=g")
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert plain.stdout.count("paused, goes on from its last checkpoint") == 4
    assert {row["state"] for row in trials(tmp_path, "g")} == {"finished"}
    assert set(epochs_done(tmp_path).values()) == {9}
    assert Counter(path.read_text() for path in tmp_path.glob("runs/*/train.log")) == {"epochs from 2\n": 5}


@pytest.mark.slow
def test_the_median_stops_for_good(project, tmp_path):
    listed = "+fake.x=0.3,0.31,0.29,0.32,0.28,0.9,1.0"
    command = (*RISING, listed, "search=random", f"outputs={tmp_path}", ONE_SLOT)
    first = project.run(*command, "pruner=median", "min_epochs=3")
    assert first.returncode == 0, first.stdout + first.stderr
    states = {row["fake.x"]: row["state"] for row in trials(tmp_path, "s")}
    stopped = [x for x, state in states.items() if state == "pruned"]
    assert set(states.values()) == {"finished", "pruned"}
    assert set(epochs_done(tmp_path).values()) == {3, 9}
    again = project.run(*command, "pruner=median", "min_epochs=3")
    assert again.returncode == 0, again.stdout + again.stderr
    assert 3 in epochs_done(tmp_path).values(), "the same search leaves them"
    without = project.run(*command, "pruner=none")
    assert without.returncode == 0, without.stdout + without.stderr
    assert set(epochs_done(tmp_path).values()) == {9}
    assert all(states_of(ledger(tmp_path, "s"), f"+fake.x={x}")[-1] == "finished" for x in stopped)


@pytest.mark.slow
def test_a_budget_of_epochs_is_kept_and_the_best_is_trained_to_the_end(project, tmp_path):
    result = project.run(
        *RISING, "+fake.x=interval(0,1)", "search=random", "pruner=asha", "max_epochs_total=24", ONE_SLOT,
        f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    done = epochs_done(tmp_path)
    assert 20 <= sum(done.values()) <= 24
    assert len(done) >= 10
    assert 9 in done.values()


@pytest.mark.slow
def test_a_confirmation_is_never_stopped(project, tmp_path):
    command = [text for text in ASHA if text != "confirm=0"]
    result = project.run(*command, "confirm=2", f"outputs={tmp_path}")
    assert result.returncode == 0, result.stdout + result.stderr
    rows = trials(tmp_path, "s")
    assert [row["n_seeds"] for row in rows[:2]] == ["3", "3"]
    assert [row["state"] for row in rows[:2]] == ["finished", "finished"]


@pytest.mark.slow
def test_figures_of_one_that_was_paused_are_those_of_one_that_never_was(project, tmp_path):
    """Real trials: one epoch each and the best one to the end; then a plain grid over both."""
    debug = (
        "-m", "experiment=debug", "trainer=cpu", "optimizer=adam,adamw", "logger=[]", "trainer.max_epochs=3", ONE_SLOT,
    )  # fmt: skip
    paused, never = tmp_path / "paused", tmp_path / "never"
    search = project.run(
        *debug, "search=random", "pruner=first_epoch", "confirm=0", "sweep.name=s", f"outputs={paused}"
    )
    assert search.returncode == 0, search.stdout + search.stderr
    assert sorted(epochs_done(paused).values()) == [1, 3]
    for outputs in (paused, never):
        grid = project.run(*debug, "sweep.name=g", f"outputs={outputs}")
        assert grid.returncode == 0, grid.stdout + grid.stderr
    attempts = [read(path)["state"] for path in paused.glob("runs/*/attempts/1/status.json")]
    assert attempts == ["paused", "paused"]
    compared = ("val_f1_macro_mean", "f1_macro_mean", "loss_mean", "epochs")
    figures = [
        {row["runs"]: [row[key] for key in compared] for row in trials(outputs, "g")}
        for outputs in (paused, never)
    ]
    assert figures[0] == figures[1]
