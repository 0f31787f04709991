"""`mode=test` on a folder of recordings whose classes have other names than a checkpoint's."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import read

from src.commands.sharing import share
from tests.audio.soundfonts.tiny_fonts import write_font
from tests.datamodules.notes.tiny_notes import tone
from tests.datamodules.sounds import write

CLASSES = (
    "[{name: piano, program: 0, low: 48, high: 72}, {name: violin, program: 40, low: 55, high: 80},"
    " {name: trumpet, program: 56, low: 54, high: 80}]"
)
SMALL = (
    "data.clip_seconds=0.5", "data.features.sample_rate=8000", "data.features.n_fft=512",
    "data.features.hop_length=256", "data.features.n_mels=32", "data.workers=1", "batch_size=4",
    "trainer=cpu", "trainer.max_epochs=1", "scheduler=none", "logger=[]",
)  # fmt: skip
CLIPS = (
    "data=synth_instruments", f"data.classes={CLASSES}", "data.max_instruments=2",
    "data.n_clips={train: 32, val: 16, test: 16}", "data.length=[0.1, 0.3]", "data.gap=[0.0, 0.2]",
    "data.notes_per_instrument=2",
)  # fmt: skip
RECORDED = ("Trumpet in C", "VIOLIN", "Cello", "grand-piano", "Pianoforte")
FILES = 6
MAPPED = ("++class_map.trumpet_in_c=trumpet", "++class_map.Grand_Piano=piano", "++class_map.pianoforte=piano")
SPLIT = "data.split={val: 0.2, test: 0.5}"
THREADS = {"OMP_NUM_THREADS": "1"}


def only(folder):
    [found] = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder a class; sounds are longer than a window, of another rate."""
    root = tmp_path_factory.mktemp("Aufnahmen [1] (é), b")
    for place, label in enumerate(RECORDED):
        for number in range(FILES):
            write(
                root / label / f"{number}.wav", tone(place % 3, 60 + number, 1.3 + place / 10, 11025), 11025
            )
    return root


@pytest.fixture(scope="module")
def trained(project, tmp_path_factory):
    """Outputs of a trial with three classes."""
    outputs = tmp_path_factory.mktemp("outputs")
    font = write_font(tmp_path_factory.mktemp("fonts") / "three.sf2", (0, 40, 56), seed=1)
    result = project.run(*CLIPS, *SMALL, f"data.soundfonts=[{font}]", f"outputs={outputs}", **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    return outputs


def best(outputs):
    return only(outputs / "runs") / "checkpoints" / "best.ckpt"


@pytest.mark.slow
def test_a_copy_of_the_trained_soundfont_is_no_other(project, trained, tmp_path):
    """Not even where another is said to be trained on."""
    copy = write_font(tmp_path / "copy.sf2", (0, 40, 56), seed=1)
    other = write_font(tmp_path / "other.sf2", (0, 40, 56), seed=2)
    typed = (f"data.soundfonts=[{other}]", f"data.test_soundfonts=[{copy}]", f"outputs={tmp_path}")
    result = project.run("mode=test", f"checkpoint={best(trained)}", *typed, **THREADS)
    assert result.returncode == 2
    [line] = result.stderr.strip().splitlines()
    assert "copy shares recordings of piano, trumpet, violin with three" in line


@pytest.fixture(scope="module")
def tests(project, trained, recordings, tmp_path_factory):
    """Results by name, and the folders of their outputs."""
    on = (
        "mode=test",
        f"checkpoint={best(trained)}",
        "data=folder",
        f"data.root={recordings}",
        "data.workers=1",
    )
    commands = {
        "mapped": (*on, SPLIT, "data.stride_seconds=0.5", *MAPPED),
        "recorded": (*on, "mode/test/class_map=recorded"),
        "too few": (*on, "++class_map.cello=violin"),
        "no map": on,
        "stereo": (*on, "data.channels=2", *MAPPED),
        "no sounds": ("mode=test", f"checkpoint={best(trained)}", "data=chorales", *MAPPED),
    }
    folders = {name: tmp_path_factory.mktemp("tested") for name in commands}

    def run(name):
        return project.run(*commands[name], f"outputs={folders[name]}", **THREADS)

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(commands, pool.map(run, commands), strict=True))
    return {name: (results[name], folders[name]) for name in commands}


@pytest.mark.slow
def test_known_classes_of_recordings_are_measured(tests, trained):
    result, folder = tests["mapped"]
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    metrics = read(only(folder / "tested") / "metrics.json")
    assert set(metrics["test"]["f1_by_class"]) == {"piano", "violin", "trumpet"}
    assert metrics["data"]["name"] == "folder"
    assert metrics["data"]["recordings"]["test"] == 5 * FILES / 2
    assert metrics["data"]["tested_items"] == 4 * FILES / 2  # of five classes, cellos are unknown
    assert metrics["data"]["class_map"]["trumpet_in_c"] == "trumpet"
    assert metrics["val"] == {}
    assert 0 <= metrics["test"]["f1_macro"] <= 1
    low, high = metrics["intervals"]["f1_macro"]
    assert low <= metrics["test"]["f1_macro"] <= high
    [trial] = (trained / "runs").glob("*/metrics.json")
    assert metrics["threshold"] == pytest.approx(read(trial)["threshold"])
    assert metrics["thresholds"] == "single"


REFUSED = {
    "recorded": "class_map: the checkpoint has no class soprano_sax; it has piano, violin, trumpet",
    "too few": "the checkpoint knows 1, and a test needs two; add names to the mapping",
    "no map": "was trained for other classes or features than data folder has",
    "stereo": "if only the channels differ, set data.channels",
    "no sounds": "is no option of this data set, so it has no sounds; choose one with sounds",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_a_line(tests, name):
    result, folder = tests[name]
    assert result.returncode == 2, result.stdout + result.stderr
    [line] = result.stderr.strip().splitlines()
    assert REFUSED[name] in line
    assert not list(folder.glob("*/*"))  # nothing was built


@pytest.fixture(scope="module")
def single(project, recordings, tmp_path_factory):
    """Outputs of a trial on the recordings, one class each."""
    outputs = tmp_path_factory.mktemp("single")
    data = "data=folder", f"data.root={recordings}", SPLIT, "loss=cross_entropy"
    result = project.run(*data, *SMALL, f"outputs={outputs}", **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    return outputs


@pytest.mark.slow
def test_a_checkpoint_of_one_class_an_item_repeats_its_figures_on_its_own_splits_only(
    project, single, recordings
):
    command = ("mode=test", f"checkpoint={best(single)}", "++class_map.unused=Cello", f"outputs={single}")
    result = project.run(*command, **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    trial = read(only(single / "runs") / "metrics.json")
    metrics = read(only(single / "tested") / "metrics.json")
    assert metrics["test"]["accuracy"] == pytest.approx(trial["test"]["accuracy"], abs=1e-6)
    assert metrics["test"]["confusion"] == trial["test"]["confusion"]
    result = project.run(*command, "data.seed=2", **THREADS)
    assert result.returncode == 2
    assert "data.seed: another draw of the splits would test on items that" in result.stderr


@pytest.mark.slow
def test_a_checkpoint_that_was_shared_knows_its_splits_too(project, single, recordings, tmp_path):
    light = tmp_path / "light.ckpt"
    share(Path(best(single)), light)
    result = project.run(
        "mode=test",
        f"checkpoint={light}",
        f"data.root={recordings}",
        "data.seed=2",
        f"outputs={single}",
        **THREADS,
    )
    assert result.returncode == 2, result.stdout
    assert "data.seed: another draw of the splits would test on items that" in result.stderr
