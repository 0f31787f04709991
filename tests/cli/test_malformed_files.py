"""Malformed checkpoints and odd names, given to the real command.

A malformed checkpoint is answered with exit code 2 and one line that names the file and a remedy.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from conftest import ROOT

from src.errors import printable
from tests.configuration.malformed import write

SHIPPED = ROOT / "checkpoints" / "instruments.ckpt"
CASES = {
    "predict, NaN": ("NaN", ("mode=predict", "checkpoint={file}", "input={folder}")),
    "predict, a bomb": ("a bomb", ("mode=predict", "checkpoint={file}", "input={folder}")),
    "predict, a renamed network": (
        "a network that was renamed", ("mode=predict", "checkpoint={file}", "input={folder}")
    ),
    "predict, one of two": ("no classes", ("mode=predict", "checkpoint=[{good},{file}]", "input={folder}")),
    "test, NaN": ("NaN", ("mode=test", "checkpoint={file}")),
    "test, a truncated archive": ("a truncated archive", ("mode=test", "checkpoint={file}")),
    "generate, NaN": ("NaN", ("mode=generate", "checkpoint={file}")),
    "train, NaN": ("NaN", ("experiment=debug", "init_from={file}")),
    "train, no weights": ("no weights", ("experiment=debug", "init_from={file}")),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(project, tmp_path_factory):
    """By case: what the command answers, the file, and the part of the message."""
    commands, expected = {}, {}
    for name, (malformed, words) in CASES.items():
        folder = tmp_path_factory.mktemp("malformed")
        file = folder / "malformed.ckpt"
        expected[name] = file, write(malformed, SHIPPED, file)
        filled = [word.format(file=file, folder=folder, good=SHIPPED) for word in words]
        commands[name] = [*filled, f"outputs={folder / 'outputs'}"]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda name: project.run_warm(*commands[name]), commands)
        return {name: (answer, *expected[name]) for name, answer in zip(commands, done, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_malformed_checkpoint_is_one_line_in_every_mode(answers, name):
    answer, file, says = answers[name]
    assert answer.returncode == 2, answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    option = "init_from" if name.startswith("train") else "checkpoint"
    assert answer.stderr.startswith(f"Error: {option}={file}: ")
    assert says in answer.stderr
    assert "; take a file that this" in answer.stderr
    assert not list((file.parent / "outputs").glob("[!c]*")), "at most the cache remembers hashes of files"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["${oc.env:HOME}", os.fsdecode(b"caf\xe9 \xff")])
def test_a_folder_is_read_whatever_its_name(project, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    sine = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    soundfile.write(tmp_path / "a.wav", 0.5 * sine, 22050)
    (tmp_path / "a.wav").rename(folder / f"{name}.wav")
    answer = project.run("mode=predict", f"input={folder}", f"outputs={tmp_path}/outputs")
    assert answer.returncode == 0, answer.stderr
    table = tmp_path / "outputs" / "predicted" / name / "predictions.csv"
    assert f"1 classified by {SHIPPED}, 0 skipped: {printable(str(table))}\n" in answer.stdout
    assert os.fsencode(f"{folder / name}.wav") in table.read_bytes()


@pytest.mark.slow
def test_data_are_prepared_whatever_their_names(project, tmp_path):
    root = tmp_path / os.fsdecode(b"\xe9")
    sine = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    for number in range(12):
        file = (
            root / os.fsdecode(b"fl\xfbte" if number % 2 else b"oboe") / os.fsdecode(b"n\xe9%d.wav" % number)
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "a.wav", (0.1 + number / 100) * sine, 22050)
        (tmp_path / "a.wav").rename(file)
    answer = project.run("mode=prepare", "data=folder", f"data.root={root}", f"outputs={tmp_path}/outputs")
    assert answer.returncode == 0, answer.stderr
    [sheet] = tmp_path.glob("outputs/cache/folder-*/contact_sheet")
    assert len(list(sheet.glob("*.png"))) > 1
