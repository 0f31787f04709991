"""A race through the real command: who drops out, what is saved, how it goes on after SIGKILL, what is refused."""

import os
import signal

import pytest
from conftest import FAKE, ledger, read, trials, wait_until

ONE_SLOT = "hydra.launcher.gpus=[0]"
RACE = (*FAKE, "optimizer=adam,sgd,adamw", "seeds=5", "race=true", "sweep.name=r", ONE_SLOT)


def begun(outputs):
    """The trials that ran, in the order in which they began, each once."""
    lines = [line for line in ledger(outputs, "r") if line["state"] == "running"]
    return list(dict.fromkeys(line["signature"] for line in lines))


def told(result):
    lines = result.stdout.splitlines()
    return [
        line for line in lines if "drops out" in line or "trainings were saved" in line or "are left" in line
    ]


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory):
    """A race on one slot, never stopped, and again."""
    outputs = tmp_path_factory.mktemp("whole")
    first = project.run(*RACE, f"outputs={outputs}")
    lines = ledger(outputs, "r")
    return outputs, first, lines, project.run(*RACE, f"outputs={outputs}")


@pytest.mark.slow
def test_what_is_far_behind_gets_no_more_seeds(whole):
    outputs, first, *_ = whole
    assert first.returncode == 0, first.stderr
    rows = {row["name"]: row for row in trials(outputs, "r")}
    assert {name: row["n_seeds"] for name, row in rows.items()} == {"adam": "5", "adamw": "5", "sgd": "2"}
    assert {row["state"] for row in rows.values()} == {"finished"}
    assert not {"seeds", "race"} & rows["sgd"].keys()
    assert "race: sgd drops out after 2 seeds: told from the best on validation\n" in first.stdout
    note = (outputs / "sweeps" / "r" / "leaderboard.md").read_text(encoding="utf-8")
    assert "after 5 of up to 5 seeds 2 of 3 are left, not told apart: adam, adamw." in note
    assert "3 of 15 trainings were saved." in note


@pytest.mark.slow
def test_the_same_command_again_runs_nothing(whole):
    outputs, first, lines, again = whole
    assert again.returncode == 0, again.stderr
    assert {line["state"] for line in ledger(outputs, "r")[len(lines) :]} == {"queued", "reused"}
    assert told(again) == told(first)
    assert {read(path)["attempt"] for path in outputs.glob("runs/*/status.json")} == {1}


@pytest.mark.slow
def test_a_killed_race_goes_on_as_if_it_had_not_been(whole, project, tmp_path):
    process = project.start(*RACE, "+fake.epoch_s=0.1", f"outputs={tmp_path}")
    wait_until(lambda: len(begun(tmp_path)) == 8)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    again = project.run(*RACE, "+fake.epoch_s=0.1", f"outputs={tmp_path}")
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(begun(tmp_path)) == 12
    figures = {(row["name"], row["n_seeds"], row["val_f1_macro_mean"]) for row in trials(tmp_path, "r")}
    assert figures == {
        (row["name"], row["n_seeds"], row["val_f1_macro_mean"]) for row in trials(whole[0], "r")
    }
    assert told(again) == told(whole[1])


@pytest.mark.slow
def test_one_that_diverges_drops_out(project, tmp_path):
    fake = ("+fake.fault=none,nan", "seeds=3", "race=true", "sweep.name=r", ONE_SLOT)
    result = project.run(*FAKE, *fake, f"outputs={tmp_path}")
    assert result.returncode == 1, result.stderr
    assert "race: fake.fault=nan drops out after 1 seed: a trial diverged or failed" in result.stdout
    assert {row["fake.fault"]: len(row["runs"].split()) for row in trials(tmp_path, "r")} == {
        "none": 1,
        "nan": 1,
    }


@pytest.mark.slow
def test_seeds_are_short_for_a_list(project, tmp_path):
    result = project.run(
        *FAKE, "optimizer=adam,sgd", "seed=3", "seeds=2", "sweep.name=r", f"outputs={tmp_path}"
    )
    assert result.returncode == 0, result.stderr
    seeds = [text for line in ledger(tmp_path, "r") for text in line["overrides"] if text.startswith("seed=")]
    assert set(seeds) == {"seed=3", "seed=4"}
    assert {row["n_seeds"] for row in trials(tmp_path, "r")} == {"2"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        (("race=true", "optimizer=adam,sgd"), "add seeds=5"),
        (("race=true", "seeds=3"), "one configuration; give a key several values"),
        (("seeds=3", "seed=1,2", "optimizer=adam,sgd"), "leave one of the two out"),
        (("seeds=3", "search=tpe", "n_trials=3", "optimizer.lr=interval(0,1)"), "confirm=3"),
        (("seeds=3,4", "optimizer=adam,sgd"), "seeds can't be swept"),
    ],
)
def test_refusals(project, tmp_path, typed, remedy):
    result = project.run_warm(*FAKE, *typed, f"outputs={tmp_path}")
    assert result.returncode == 2, result.stdout
    assert result.stderr.startswith("Error: ")
    assert remedy in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["seeds=3", "race=true"])
def test_a_race_is_one_of_a_sweep(project, tmp_path, key):
    result = project.run_warm(key, f"outputs={tmp_path}")
    assert result.returncode == 2
    assert result.stderr == f"Error: {key.partition('=')[0]} is for a sweep: add -m, or leave it out.\n"
