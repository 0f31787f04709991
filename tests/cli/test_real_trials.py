"""Real trials, with the preset `debug`: resumption, loggers, one data build, several devices, other modes."""

import csv
import json
import re
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile
import torch
from conftest import leaderboard, ledger, names_in, read, trials
from wandb.proto import wandb_internal_pb2

DEBUG = "experiment=debug"
OPTIMIZERS = ("adam", "adamw", "sgd")
PLACED = ("-m", "trainer=cpu", "hydra.launcher.gpus=[0,1]")
"""As many threads a trial however many trials there are: figures to 1e-6 depend on them."""
SWEPT = f"optimizer={','.join(OPTIMIZERS)}"


@pytest.fixture(scope="module")
def sweeps(project, tmp_path_factory):
    """Two sweeps side by side: one never stopped, one that is."""
    with ThreadPoolExecutor(2) as pool:
        never, stopped = (pool.submit(run, project, tmp_path_factory) for run in (_never_stopped, _stopped))
        return never.result(), stopped.result()


@pytest.fixture(scope="module")
def three(sweeps):
    """Outputs and rows of three trials that were never stopped."""
    return sweeps[0]


@pytest.fixture(scope="module")
def resumed(sweeps):
    """Outputs, first result, states after it, and second result of the stopped sweep."""
    return sweeps[1]


def _never_stopped(project, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("three")
    result = project.run(*PLACED, DEBUG, SWEPT, "sweep.name=three", f"outputs={outputs}")
    assert result.returncode == 0, result.stdout + result.stderr
    return outputs, {row["optimizer"]: row for row in trials(outputs, "three")}


def _stopped(project, tmp_path_factory):
    """Two of the three, one killed and one interrupted within the second epoch; then the same command again."""
    outputs, marks = tmp_path_factory.mktemp("resumed"), tmp_path_factory.mktemp("marks")
    command = (
        *PLACED, DEBUG, "optimizer=adam,adamw", "sweep.name=resumed", f"outputs={outputs}",
        "trust=stop_callback", "+callbacks.stop._target_=stop_callback.Stop", f"+callbacks.stop.marks={marks}",
    )  # fmt: skip
    first = project.run(*command)
    states = {row["optimizer"]: row["state"] for row in trials(outputs, "resumed")}
    return outputs, first, states, project.run(*command)


@pytest.fixture(scope="module")
def later(project, three, tmp_path_factory):
    """Commands that use the three trials, two at a time: `{name: (result, folder)}`."""
    outputs, rows = three
    commands = {
        "test": _test_command,
        "average": _average_command,
        "predict": _predict_command,
        "fonts": _fonts_command,
        "loggers": _loggers_command,
    }

    def run(name):
        folder = tmp_path_factory.mktemp(name)
        # With as many threads as each of the three trials had, figures are equal to the last digit.
        environment = {"COLUMNS": "400", "OMP_NUM_THREADS": "1"}
        return project.run(*commands[name](outputs, rows, folder), **environment), folder

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(commands, pool.map(run, commands), strict=True))


def _best(outputs, rows, optimizer):
    return outputs / rows[optimizer]["runs"] / "checkpoints" / "best.ckpt"


def _test_command(outputs, rows, folder):
    return "mode=test", f"checkpoint={_best(outputs, rows, 'adam')}", f"outputs={folder}"


def _average_command(outputs, rows, folder):
    paths = folder / "ä [1],#.ckpt", folder / "b c.ckpt"
    for optimizer, path in zip(("adam", "sgd"), paths, strict=True):
        shutil.copy(_best(outputs, rows, optimizer), path)
    return "mode=test", f"checkpoint=[{paths[0]},{paths[1]}]", f"outputs={folder}"


def _predict_command(outputs, rows, folder):
    sounds = folder / "Aufnahmen [é], #2 = 'live'"
    (sounds / "sub").mkdir(parents=True)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(22050 * 3) / 22050)
    soundfile.write(sounds / "a, b [x].wav", tone, 22050)
    soundfile.write(sounds / "sub" / "stéréo #1.flac", np.stack([tone, tone], 1), 44100)
    soundfile.write(sounds / "silent.wav", np.zeros(22050), 22050)
    soundfile.write(sounds / "empty.wav", np.zeros(0), 22050)
    (sounds / "broken.mp3").write_text("no sound")
    checkpoint = _best(outputs, rows, "adam")
    return (
        "mode=predict",
        f"checkpoint={checkpoint}",
        f"input={sounds}",
        f"outputs={folder / 'out, [put] #s'}",
    )


def _fonts_command(outputs, rows, folder):
    font = Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"
    moved, changed = folder / "moved, [2] #é" / "Other Name.sf2", folder / "changed.sf2"
    moved.parent.mkdir()
    shutil.copy(font, moved)
    content = bytearray(font.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    fonts = f"data.soundfonts=[TimGM6mb],[{moved}],[{changed}]"
    return "-m", DEBUG, fonts, "optimizer.lr=1e-3,0.001", "dry_run=true", f"outputs={folder}"


def _loggers_command(outputs, rows, folder):
    return (
        DEBUG, "~callbacks.early_stopping", "logger=[csv,tensorboard]", "seed=7", "trainer.max_epochs=1",
        f"outputs={folder}",
    )  # fmt: skip


@pytest.mark.slow
def test_folder_of_a_trial(three):
    outputs, rows = three
    for row in rows.values():
        folder = outputs / row["runs"]
        wanted = {
            "config.yaml",
            "status.json",
            "metrics.json",
            "history.csv",
            "train.log",
            "checkpoints",
            "samples",
        }
        assert wanted <= names_in(folder)
        assert names_in(folder / "checkpoints") == {"best.ckpt", "last.ckpt"}
        assert read(folder / "status.json")["state"] == "finished"
        metrics = read(folder / "metrics.json")
        assert {"objective", "val", "test", "baselines", "time", "environment"} <= set(metrics)
        assert metrics["objective"] == {
            "name": "f1_macro", "value": metrics["val"]["f1_macro"], "direction": "max", "matters": 0.005,
            "cautions": {}, **_judged(folder),
        }  # fmt: skip
        assert {"git_commit", "versions", "device"} <= set(metrics["environment"])
        [slot] = {line["slot"] for line in ledger(outputs, "three") if line["signature"] == folder.name} - {
            None
        }
        assert slot == f"gpu:{metrics['environment']['visible_devices']}"
        assert [line["epoch"] for line in _history(folder)] == ["0", "1"]


def _judged(folder):
    """The objective on each half of validation at the epoch that is best on the other half, from `history.csv`."""
    halves = [[float(line[f"val/f1_macro_half_{half}"]) for line in _history(folder)] for half in (1, 2)]
    first, second = np.array(halves)
    judged = (first[second.argmax()] + second[first.argmax()]) / 2
    flattered = (first.max() + second.max()) / 2 - judged
    return {"judged": pytest.approx(judged), "flattered": pytest.approx(flattered)}


@pytest.mark.slow
def test_one_seed_gives_intervals_and_no_claims(three):
    outputs, rows = three
    for row in rows.values():
        assert row["n_seeds"] == "1"
        assert row["val_f1_macro_std"] == row["f1_macro_std"] == row["behind_low"] == ""
        assert row["verdict"] == "undecided"
        for metric in ("val_f1_macro", "f1_macro"):
            low, mean, high = (float(row[f"{metric}_{part}"]) for part in ("low", "mean", "high"))
            assert low <= mean <= high
    baselines = [row for row in leaderboard(outputs, "three") if row["kind"] == "baseline"]
    assert baselines
    assert all(row["rank"] == "" and row["f1_macro_mean"] for row in baselines)


@pytest.mark.slow
def test_checkpoints_load_safely(three):
    outputs, rows = three
    state = torch.load(outputs / rows["adam"]["runs"] / "checkpoints" / "best.ckpt", weights_only=True)
    assert state["hyper_parameters"]["config"]["optimizer"]["_target_"] == "torch.optim.Adam"


@pytest.mark.slow
def test_offline_wandb_runs(three):
    outputs, rows = three
    for optimizer, row in rows.items():
        folder = outputs / row["runs"]
        [file] = folder.glob("wandb/offline-run-*/run-*.wandb")
        run, config, summary = _wandb_run(file)
        assert run.run_id == f"{folder.name}-1"
        assert run.run_group == "three"
        assert run.project == "polysweep"
        assert f"optimizer={optimizer}" in run.display_name
        assert f"optimizer={optimizer}" in list(run.tags)
        frozen = _yaml(folder / "config.yaml")
        assert config["optimizer"] == frozen["optimizer"]
        assert config["batch_size"] == 16
        metrics = read(folder / "metrics.json")
        assert summary["test/f1_macro"] == pytest.approx(metrics["test"]["f1_macro"])
        assert summary["val/f1_macro"] == pytest.approx(metrics["val"]["f1_macro"])


def _wandb_run(file):
    """The run's record, its configuration and its summary, as `wandb sync` would send them."""
    config, summary, found = {}, {}, None
    for data in _log_records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("run"):
            found = record.run
            config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        config |= {item.key: json.loads(item.value_json) for item in record.config.update}
        updates = [*record.summary.update, *record.history.item]
        summary |= {item.key or item.nested_key[0]: json.loads(item.value_json) for item in updates}
    return found, config, summary


def _log_records(data):
    """Records of a `.wandb` file: LevelDB's log format after 7 bytes, in blocks of 32 KiB, parts of 7 + n bytes."""
    assert data.startswith(b":W&B")
    at, parts = 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, last
            yield parts
            parts = b""


def _yaml(path):
    from omegaconf import OmegaConf

    return OmegaConf.to_container(OmegaConf.load(path))


def _history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_stopped_sweep_says_so(resumed):
    _, first, states, _ = resumed
    assert first.returncode == 130, first.stdout + first.stderr
    assert states == {"adam": "killed", "adamw": "interrupted"}
    assert "Traceback" not in first.stderr


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_resumed_trial_has_the_figures_of_one_never_stopped(three, resumed, optimizer):
    outputs, _, _, again = resumed
    assert again.returncode == 0, again.stdout + again.stderr
    [row] = [row for row in trials(outputs, "resumed") if row["optimizer"] == optimizer]
    folder, reference = outputs / row["runs"], three[0] / three[1][optimizer]["runs"]
    assert [line["epoch"] for line in _history(folder / "attempts" / "1")] == ["0"], (
        "it was stopped in epoch 1"
    )
    assert read(folder / "status.json")["attempt"] == 2
    for part in ("val", "test"):
        _same_figures(read(folder / "metrics.json")[part], read(reference / "metrics.json")[part])
    for line, expected in zip(_history(folder), _history(reference), strict=True):
        names = [name for name in expected if name != "time_s"]
        for name in names:
            assert float(line[name]) == pytest.approx(float(expected[name]), abs=1e-6), name


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_the_wandb_run_of_a_resumed_trial_has_all_epochs(resumed, optimizer):
    outputs = resumed[0]
    [row] = [row for row in trials(outputs, "resumed") if row["optimizer"] == optimizer]
    [file] = (outputs / row["runs"]).glob("wandb/offline-run-*/run-*.wandb")
    assert [int(line["epoch"]) for line in _wandb_history(file) if "train/loss" in line] == [0, 1]
    name = row["runs"].removeprefix("runs/")
    assert f"{name},{name}/attempts/1" in resumed[3].stdout


def _wandb_history(file):
    """The metrics that were logged, a mapping each time."""
    for data in _log_records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            yield {
                item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item
            }


def _same_figures(got, expected):
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            _same_figures(got[name], value)
        else:
            assert got[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.slow
def test_two_sweeps_at_once_get_two_folders_one_build_and_one_trial(project, tmp_path):
    command = ("-m", DEBUG, "callbacks=[checkpoint]", "logger=[]", f"outputs={tmp_path}")
    both = [project.start(*command) for _ in range(2)]
    texts = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    sweeps = names_in(tmp_path / "sweeps")
    assert len(sweeps) == 2
    assert all(re.match(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-2)?$", name) for name in sweeps)
    [run] = (tmp_path / "runs").iterdir()
    assert read(run / "status.json")["attempt"] == 1
    assert set(_yaml(run / "config.yaml")["callbacks"]) == {"best", "last"}
    assert not (run / "wandb").exists()
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1
    assert sum("128 of 128" in err for _, err in texts) + sum("128 of 128" in out for out, _ in texts) == 1
    ends = sorted(line["state"] for name in sweeps for line in ledger(tmp_path, name)[-1:])
    assert ends == ["finished", "reused"]


@pytest.mark.slow
def test_several_devices_in_a_single_command_and_in_a_sweep(project, three):
    outputs = three[0]
    options = (DEBUG, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "logger=[]")
    single = project.run(*options, "seed=5", f"outputs={outputs}", OMP_NUM_THREADS="1")
    assert single.returncode == 0, single.stdout + single.stderr
    swept = project.run("-m", *options, "seed=6", "sweep.name=ddp", f"outputs={outputs}")
    assert swept.returncode == 0, swept.stdout + swept.stderr
    runs = [read(path) for path in outputs.glob("runs/*/metrics.json")]
    by_seed = {one["seed"]: one for one in runs if one["seed"] in (5, 6)}
    assert {seed: one["environment"]["devices"] for seed, one in by_seed.items()} == {5: 2, 6: 2}


@pytest.mark.slow
def test_callbacks_and_loggers_are_chosen_on_the_command_line(later):
    result, outputs = later["loggers"]
    assert result.returncode == 0, result.stdout + result.stderr
    [run] = (outputs / "runs").iterdir()
    config = _yaml(run / "config.yaml")
    assert set(config["logger"]) == {"csv", "tensorboard"}
    assert "early_stopping" not in config["callbacks"]
    assert {"best", "last"} <= set(config["callbacks"])
    assert (run / "metrics.csv").exists()
    assert list(run.glob("events.out.tfevents.*"))
    assert not (run / "wandb").exists()


@pytest.mark.slow
def test_testing_again_repeats_the_figures(three, later):
    result, folder = later["test"]
    assert result.returncode == 0, result.stderr
    metrics, [tested] = read(three[0] / three[1]["adam"]["runs"] / "metrics.json"), _tested(folder)
    assert tested["test"] == metrics["test"]
    assert tested["threshold"] == metrics["threshold"]
    assert tested["baselines"] == metrics["baselines"]


@pytest.mark.slow
def test_several_checkpoints_are_averaged(three, later):
    result, folder = later["average"]
    assert result.returncode == 0, result.stderr
    [averaged] = _tested(folder)
    assert [Path(path).name for path in averaged["checkpoints"]] == ["ä [1],#.ckpt", "b c.ckpt"]
    for optimizer in ("adam", "sgd"):
        one = read(three[0] / three[1][optimizer]["runs"] / "metrics.json")
        assert averaged["test"]["average_precision"] != one["test"]["average_precision"]


def _tested(folder):
    return [read(path) for path in folder.glob("tested/*/metrics.json")]


@pytest.mark.slow
def test_prediction_skips_what_cannot_be_heard(later):
    result, folder = later["predict"]
    assert result.returncode == 1, result.stderr
    skipped = [line for line in result.stderr.splitlines() if line.startswith("skipped: ")]
    assert len(skipped) == 3
    assert "Traceback" not in result.stderr
    for name in ("silent.wav", "empty.wav", "broken.mp3"):
        assert sum(name in line for line in skipped) == 1
    [table] = (folder / "out, [put] #s" / "predicted").glob("*/predictions.csv")
    with table.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["file", "start_s", "end_s", "instrument", "probability", "present"]
    assert {Path(line["file"]).name for line in lines} == {"a, b [x].wav", "stéréo #1.flac"}
    assert table.parent.name == "Aufnahmen [é], #2 = 'live'"
    assert all(0 <= float(line["probability"]) <= 1 for line in lines)


@pytest.mark.slow
def test_soundfonts_count_by_their_content_and_equal_numbers_once(later):
    result, folder = later["fonts"]
    assert result.returncode == 0, result.stderr
    assert len(re.findall(r"│ [0-9a-f]{12} ", result.stdout)) == 2, result.stdout
    assert not (folder / "sweeps").exists()


@pytest.mark.slow
def test_help_is_quick_to_say_what_there_is(project):
    script = (
        "import runpy, sys\n"
        "sys.argv = ['run.py', '--help']\n"
        "try:\n    runpy.run_path('run.py', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules and 'lightning' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=project.root, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert re.search(r"^ *optimizer +adam, adamw", result.stdout, re.MULTILINE)
    helped = project.run("--help")
    assert helped.returncode == 0
    assert helped.stderr == ""
