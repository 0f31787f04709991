"""A sweep through the real command: plan, seeds, resumption, interruption, edits."""

import os
import shutil
import signal
import statistics

import psutil
import pytest
from conftest import (
    FAKE,
    ROOT,
    Project,
    leaderboard,
    ledger,
    names_in,
    processes_that_mention,
    read,
    states_of,
    trials,
    wait_until,
)  # fmt: skip

SEEDS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def seeds(project, tmp_path_factory):
    """Three optimizers over four seeds, two at once on one pretended GPU."""
    outputs = tmp_path_factory.mktemp("seeds") / "été [1], #2"
    command = (
        *FAKE, "optimizer=adam,adamw,sgd", f"seed={','.join(map(str, SEEDS))}", "sweep.name=2024",
        "hydra.launcher.gpus=[3]", "hydra.launcher.trials_per_gpu=2", "+fake.epoch_s=0.1", f"outputs={outputs}",
    )  # fmt: skip
    planned = project.run(*command, "dry_run=true")
    untouched = not (outputs / "sweeps").exists() and not (outputs / "runs").exists()
    return outputs, planned, untouched, project.run(*command)


@pytest.mark.slow
def test_dry_run_prints_the_trials_and_stops(seeds):
    _, planned, untouched, _ = seeds
    assert planned.returncode == 0, planned.stderr
    assert untouched
    for optimizer in ("adam", "adamw", "sgd"):
        for seed in SEEDS:
            assert f" optimizer={optimizer} seed={seed} " in planned.stdout


@pytest.mark.slow
def test_seeds_are_grouped_and_compared(seeds):
    outputs, planned, _, result = seeds
    assert result.returncode == 0, result.stderr
    rows = trials(outputs, "2024")
    assert [int(row["rank"]) for row in rows] == [1, 2, 3]
    values = {}
    for row in rows:
        metrics = [read(outputs / run / "metrics.json") for run in row["runs"].split()]
        of_seed = {one["seed"]: one["objective"]["value"] for one in metrics}
        values[row["optimizer"]] = [of_seed[seed] for seed in SEEDS]
        assert row["n_seeds"] == "4"
        assert float(row["val_f1_macro_mean"]) == pytest.approx(statistics.mean(of_seed.values()))
        assert float(row["val_f1_macro_std"]) == pytest.approx(statistics.stdev(of_seed.values()))
        assert row["val_f1_macro_low"] == row["val_f1_macro_high"] == ""
        assert row["state"] == "finished"
    assert {row["optimizer"]: row["verdict"] for row in rows}["sgd"] == "worse"
    best = rows[0]["optimizer"]
    for row in rows[1:]:
        behind = statistics.mean(values[best]) - statistics.mean(values[row["optimizer"]])
        assert float(row["behind"]) == pytest.approx(behind), "on test, which is .01 below validation for all"
        assert float(row["behind_low"]) < behind < float(row["behind_high"])
    effects = (outputs / "sweeps" / "2024" / "effects.csv").read_text()
    assert "adam - sgd" in effects
    assert "leads of" in planned.stdout
    assert "Intervals are over seeds only" in result.stdout


@pytest.mark.slow
def test_baselines_have_no_rank(seeds):
    outputs, *_ = seeds
    baselines = [row for row in leaderboard(outputs, "2024") if row["kind"] == "baseline"]
    assert {row["name"]: (row["rank"], row["f1_macro_mean"]) for row in baselines} == {
        "majority": ("", "0.05"),
        "prior": ("", "0.25"),
    }


@pytest.mark.slow
def test_two_trials_share_a_gpu(seeds):
    outputs, *_ = seeds
    metrics = [read(path) for path in outputs.glob("runs/*/metrics.json")]
    assert {one["environment"]["visible_devices"] for one in metrics} == {"3"}
    changes = sorted([(one["begun"], 1) for one in metrics] + [(one["ended"], -1) for one in metrics])
    at_once = [sum(step for _, step in changes[: n + 1]) for n in range(len(changes))]
    assert max(at_once) == 2


@pytest.mark.slow
def test_folder_of_a_sweep(seeds):
    outputs, *_ = seeds
    assert {"jobs.jsonl", "leaderboard.csv", "leaderboard.md"} <= names_in(outputs / "sweeps" / "2024")
    lines = ledger(outputs, "2024")
    assert [states_of(lines, f"seed={seed}") for seed in SEEDS] == [states_of(lines, "seed=1")] * 4
    info = read(next(outputs.glob("runs/*/metrics.json")))["info"]
    assert info["sweep"] == "2024"
    assert info["attempt"] == 1


@pytest.fixture(scope="module")
def interrupted(project, tmp_path_factory):
    """Ctrl-C while two of four run; then the sweep itself killed; then left alone."""
    outputs = tmp_path_factory.mktemp("interrupted")
    command = (
        *FAKE, "optimizer=adam,sgd", "seed=1,2", "sweep.name=stopped", "+fake.epochs=4", "+fake.epoch_s=0.6",
        "+fake.child=true", f"outputs={outputs}",
    )  # fmt: skip
    process = project.start(*command)
    family = wait_until(lambda: _two_are_under_way(outputs, process))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=240)
    first = process.returncode, out, err, _left(outputs, family), trials(outputs, "stopped")
    states = {path.parent.name: read(path)["state"] for path in outputs.glob("runs/*/status.json")}

    process = project.start(*command)
    family = wait_until(lambda: _two_are_under_way(outputs, process, attempt=2))
    process.kill()
    process.communicate(timeout=240)
    second = _left(outputs, family)
    return outputs, first, states, second, project.run(*command)


def _two_are_under_way(outputs, process, attempt=1):
    running = [path for path in outputs.glob("runs/*/status.json") if read(path)["attempt"] == attempt]
    begun = [path for path in running if (path.parent / "child.pid").exists()]
    epochs = [path for path in begun if "epoch" in (path.parent / "train.log").read_text()]
    ready = len(epochs) == 2 and all((path.parent / "history.csv").exists() for path in epochs)
    if not ready:
        return None
    children = [psutil.Process(int((path.parent / "child.pid").read_text())) for path in epochs]
    return [*psutil.Process(process.pid).children(recursive=True), *children]


def _left(outputs, family):
    """What is still alive ten seconds later of all that the command had started."""
    _, alive = psutil.wait_procs(family, timeout=10)
    return [
        process for process in alive if process.status() != psutil.STATUS_ZOMBIE
    ] + processes_that_mention(str(outputs))


@pytest.mark.slow
def test_ctrl_c_leaves_a_table_and_no_process(interrupted):
    _, (code, out, err, left, rows), states, *_ = interrupted
    assert code == 130
    assert left == []
    assert "Traceback" not in err
    assert "continues from here" in out
    assert sorted(states.values()) == ["interrupted", "interrupted"]
    assert len(rows) == 2
    assert {row["state"] for row in rows} <= {"interrupted", "queued", "1 interrupted, 1 queued"}


@pytest.mark.slow
def test_trials_stop_when_their_sweep_is_killed(interrupted):
    assert interrupted[3] == []


@pytest.mark.slow
def test_same_command_goes_on_from_last_checkpoints(interrupted):
    outputs, _, states, _, again = interrupted
    assert again.returncode == 0, again.stdout + again.stderr
    assert {row["state"] for row in trials(outputs, "stopped")} == {"finished"}
    for signature in states:
        folder = outputs / "runs" / signature
        assert names_in(folder / "attempts") == {"1", "2"}
        assert "epochs from 0" not in (folder / "train.log").read_text()
        assert (folder / "history.csv").read_text().split() == ["0", "1", "2", "3"], "each epoch once"


@pytest.mark.slow
def test_edits_in_mid_sweep_have_no_effect(tmp_path):
    copy = tmp_path / "project"
    for name in ("conf", "src", "hydra_plugins"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run.py", copy)
    outputs = tmp_path / "outputs"
    project = Project(copy)
    process = project.start(
        *FAKE, "optimizer=adam", "seed=1,2,3,4,5,6", "sweep.name=edited", "+fake.epoch_s=0.5",
        f"outputs={outputs}",
    )  # fmt: skip
    try:
        wait_until(lambda: "running" in states_of(ledger(outputs, "edited"), "optimizer=adam"))
        (copy / "conf" / "optimizer" / "adam.yaml").write_text("_target_: torch.optim.SGD\nlr: 7\n")
        (copy / "conf" / "config.yaml").write_text("nonsense: true\n")
        with (copy / "src" / "losses" / "focal.py").open("a") as file:
            file.write("\nraise RuntimeError\n")
        out, err = process.communicate(timeout=400)
    finally:
        project.stop()
    assert process.returncode == 0, out + err
    configs = [path.read_text() for path in outputs.glob("runs/*/config.yaml")]
    assert len(configs) == 6
    assert all("torch.optim.Adam\n" in text and "lr: 7\n" not in text for text in configs)
    [row] = trials(outputs, "edited")
    assert row["n_seeds"] == "6"
    assert out.count("src/losses/focal.py changed; all trials of this sweep run the code") == 1
