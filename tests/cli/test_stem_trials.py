"""Mixed stems by the real command line: trained, tested again, and refused where a recording lies in two parts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import read
from sklearn.metrics import f1_score

from src.metrics.threshold import cross_fitted, scut
from tests.audio.soundfonts.tiny_fonts import tone, write_font

PROGRAMS = (0, 40, 56)
CLASSES = (
    "[{name: piano, program: 0, low: 48, high: 72, relatives: [[0, 1]]},"
    " {name: violin, program: 40, low: 55, high: 80}, {name: trumpet, program: 56, low: 54, high: 80}]"
)
SMALL = (
    "data=synth_stems", f"data.classes={CLASSES}", "data.leave_out.A320U=[]", "data.max_instruments=2",
    "data.n_stems=8", "data.n_mixtures=32", "data.n_clips={val: 16, test: 16}", "data.clip_seconds=0.5",
    "data.length=[0.1, 0.3]", "data.gap=[0.0, 0.2]", "data.notes_per_instrument=2",
    "data.features.sample_rate=8000", "data.features.n_fft=512", "data.features.hop_length=256",
    "data.features.n_mels=32", "data.workers=1", "batch_size=4", "trainer=cpu", "trainer.max_epochs=1",
    "scheduler=none", "logger=[]",
)  # fmt: skip
THREADS = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def fonts(tmp_path_factory):
    """`kin` has the test font's violin."""
    folder = tmp_path_factory.mktemp("fonts [1] (ä), b")
    write_font(folder / "full.sf2", [*PROGRAMS, 1], seed=1)
    write_font(folder / "kin.sf2", PROGRAMS, seed=2, copied=(40, tone(4040)))
    write_font(folder / "judge.sf2", PROGRAMS, seed=3)
    write_font(folder / "examiner.sf2", PROGRAMS, seed=4)
    return (
        f"data.soundfonts=[{folder / 'full.sf2'},{folder / 'kin.sf2'}]",
        f"data.val_soundfonts=[{folder / 'judge.sf2'}]",
        f"data.test_soundfonts=[{folder / 'examiner.sf2'}]",
    )


def named(fonts, name):
    """The path of one of the soundfonts."""
    return fonts[0].partition("[")[2].partition("full.sf2")[0] + f"{name}.sf2"


def only(folder):
    [found] = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def trained(project, fonts, tmp_path_factory):
    """Outputs of a trial, and of a test of its checkpoint."""
    outputs = tmp_path_factory.mktemp("outputs")
    result = project.run(*SMALL, *fonts, "++data.leave_out.kin=[violin]", f"outputs={outputs}", **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    best = only(outputs / "runs") / "checkpoints" / "best.ckpt"
    result = project.run("mode=test", f"checkpoint={best}", f"outputs={outputs}", **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return outputs


@pytest.mark.slow
def test_stems_are_mixed_trained_and_measured(trained):
    metrics = read(only(trained / "runs") / "metrics.json")
    assert set(metrics["test"]["f1_by_class"]) == {"piano", "violin", "trumpet"}
    assert metrics["data"]["name"] == "synth_stems"
    assert metrics["data"]["items"] == {"train": 5 * 8, "val": 16, "test": 16}  # no violin of `kin`
    assert set(metrics["baselines"]) == {"class_prior", "majority", "linear", "boosting"}


@pytest.mark.slow
def test_a_test_repeats_the_trials_figures_on_the_same_data(trained):
    trial, tested = (read(only(trained / folder) / "metrics.json") for folder in ("runs", "tested"))
    assert tested["test"]["f1_by_class"] == pytest.approx(trial["test"]["f1_by_class"], abs=1e-6)
    assert tested["val"]["f1_by_class"] == pytest.approx(trial["val"]["f1_by_class"], abs=1e-6)
    assert tested["threshold"] == pytest.approx(trial["threshold"])
    assert tested["data"] == trial["data"]
    assert "-" not in only(trained / "tested").name  # which would say: on other data
    assert len(list((trained / "cache").glob("synth_stems-*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("thresholds", ["scut", "pcut"])
def test_thresholds_by_class(project, trained, tmp_path, thresholds):
    """Rankings stay what they are; PCut answers each class in either part as often as validation has it."""
    best = only(trained / "runs") / "checkpoints" / "best.ckpt"
    command = ("mode=test", f"checkpoint={best}", f"thresholds={thresholds}", f"outputs={tmp_path}")
    result = project.run(*command, **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    folder = only(tmp_path / "tested")
    assert folder.name.endswith(f"-{thresholds}")
    single, tested = (read(only(trained / "runs") / "metrics.json"), read(folder / "metrics.json"))
    assert tested["thresholds"] == thresholds
    assert len(set(tested["threshold"].values())) == 3
    assert tested["test"]["average_precision"] == pytest.approx(single["test"]["average_precision"])
    if thresholds == "scut":
        assert tested["val"]["f1_macro"] == pytest.approx(_cross_fitted_f1(only(trained / "runs")))
    else:
        assert tested["val"]["recall_micro"] > 0
        assert tested["val"]["precision_micro"] == pytest.approx(tested["val"]["recall_micro"])
        assert tested["test"]["f1_macro"] != single["test"]["f1_macro"]


def _cross_fitted_f1(run):
    """Validation macro-F1 with each half of the groups at the thresholds by class that are best for the other half."""
    kept = np.load(run / "predictions.npz")
    outputs, marks, groups = (kept[f"val_{name}"] for name in ("outputs", "targets", "groups"))
    thresholds = cross_fitted(scut, torch.from_numpy(outputs), torch.from_numpy(marks), groups)
    return f1_score(marks, outputs > thresholds.numpy(), average="macro", zero_division=0)


@pytest.mark.slow
def test_a_recording_of_the_test_font_is_not_trained_on(project, fonts, tmp_path):
    result = project.run(*SMALL, *fonts, f"outputs={tmp_path}", **THREADS)
    assert result.returncode == 2
    [line] = result.stderr.strip().splitlines()
    assert "kin (train) and examiner (test)" in line
    assert "violin" in line
    assert not (tmp_path / "runs").exists()


DATA = tuple(text for text in SMALL if text.startswith("data") and "leave_out" not in text)


@pytest.mark.slow
def test_what_was_trained_on_cannot_be_called_unseen(project, fonts, trained, tmp_path):
    """Not even by naming other training soundfonts for the test."""
    best = only(trained / "runs") / "checkpoints" / "best.ckpt"
    full, judge = named(fonts, "full"), named(fonts, "judge")
    command = ("mode=test", f"checkpoint={best}", *DATA, fonts[2], f"data.val_soundfonts=[{full}]")
    for more, said in (
        ((), "soundfont full is in train and in val"),
        ((f"data.soundfonts=[{judge}]",), "data.soundfonts says how training items are made"),
    ):
        result = project.run(*command, *more, f"outputs={tmp_path}", **THREADS)
        assert result.returncode == 2
        [line] = result.stderr.strip().splitlines()
        assert said in line


@pytest.mark.slow
def test_a_soundfont_seen_in_training_is_tested_on_when_that_is_said(project, fonts, trained, tmp_path):
    best = only(trained / "runs") / "checkpoints" / "best.ckpt"
    typed = (f"data.test_soundfonts=[{named(fonts, 'full')}]", f"outputs={tmp_path}")
    result = project.run("mode=test", f"checkpoint={best}", *typed, **THREADS)
    assert result.returncode == 2
    assert "soundfont full is in train and in test" in result.stderr
    result = project.run("mode=test", f"checkpoint={best}", *typed, "data.seen=true", **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    data = read(only(tmp_path / "tested") / "metrics.json")["data"]
    assert data["seen"] is True
    assert data["soundfonts"]["test"] == ["full"]
    assert (
        "data.seen=true: the model was trained on recordings of full (by full)"
        in result.stdout + result.stderr
    )


@pytest.mark.slow
def test_a_checkpoint_of_an_earlier_version_repeats_its_figures(project, trained, tmp_path):
    """Its configuration has the keys, option names and import paths of that version."""
    best = only(trained / "runs") / "checkpoints" / "best.ckpt"
    state = torch.load(best, weights_only=True)
    config = state["hyper_parameters"]["config"]
    config["data"]["heard"] = config["data"].pop("seen")
    config["data"]["_target_"] = "src.datamodules.synth_stems.SynthStems"
    config |= {"generation": None, "class_map": {}, "thresholds": "single", "checkpoint": None, "input": None}
    torch.save(state, tmp_path / "earlier.ckpt")
    result = project.run("mode=test", f"checkpoint={tmp_path}/earlier.ckpt", f"outputs={trained}", **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "written: " in result.stdout
    written = read(Path(result.stdout.rpartition("written: ")[2].strip()))
    assert written["test"] == read(only(trained / "runs") / "metrics.json")["test"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("data/synth_stems/variation=none", "data/synth_stems/variation says how training items are made"),
        ("data.soundfonts=[TimGM6mb]", "data.soundfonts says how training items are made"),
        ("data.leave_out.kin=[]", "data.leave_out.kin says how training items are made"),
        ("data.seen=no", "data.seen=no: choose true or false"),
        ("data.heard=true", "data.heard=true is now called data.seen=true"),
        ("variation=none", "variation=none is now called data/synth_stems/variation=none"),
        ("batch_size=8", "batch_size has no effect with mode=test"),
    ],
)
def test_what_is_of_training_is_no_option_of_a_test(project, trained, tmp_path, typed, said):
    best = only(trained / "runs") / "checkpoints" / "best.ckpt"
    result = project.run("mode=test", f"checkpoint={best}", typed, f"outputs={tmp_path}", **THREADS)
    assert result.returncode == 2
    [line] = result.stderr.strip().splitlines()
    assert said in line
