"""The process of a sweep that raises, loses its reader, or is killed."""

import psutil
import pytest
from conftest import FAKE, processes_that_mention, read, trials, wait_until

pytestmark = pytest.mark.slow


def test_an_error_of_the_sweep_leaves_a_leaderboard(project, tmp_path):
    result = project.run(
        *FAKE, "seed=1,2", "+fake.epoch_s=0.3", "+fake.epochs=3", "sweep.name=broken", f"outputs={tmp_path}",
        "hydra.launcher.executor=faulty_executor.FaultyExecutor",
    )  # fmt: skip
    assert result.returncode == 1
    assert "RuntimeError: a fault of the executor" in result.stderr
    [row] = trials(tmp_path, "broken")
    assert "interrupted" in row["state"]
    states = {read(path)["state"] for path in tmp_path.glob("runs/*/status.json")}
    assert states == {"interrupted"}


def test_a_sweep_outlives_the_reader_of_its_output(project, tmp_path):
    process = project.start(*FAKE, "seed=1,2", "sweep.name=unread", f"outputs={tmp_path}")
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    [row] = trials(tmp_path, "unread")
    assert (row["state"], row["n_seeds"]) == ("finished", "2")


def test_a_trial_that_holds_the_interpreter_ends_with_its_sweep(project, tmp_path):
    process = project.start(*FAKE, "+fake.fault=hold", "sweep.name=held", f"outputs={tmp_path}")
    holds = wait_until(lambda: next(tmp_path.glob("runs/*/holds"), None))
    trial = psutil.Process(read(holds.with_name("status.json"))["pid"])
    process.kill()
    process.communicate(timeout=60)
    trial.wait(timeout=30)
    assert not trial.is_running()


def test_what_builds_data_ends_with_its_sweep(project, tmp_path):
    process = project.start(
        "-m",
        "experiment=debug",
        "data.n_clips.train=20000",
        "data.workers=2",
        "seed=1,2",
        f"outputs={tmp_path}",
    )
    wait_until(lambda: len(list(tmp_path.glob("cache/*/**/*.npy"))) > 2, seconds=120.0)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=60)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
    assert processes_that_mention(str(tmp_path)) == []
