"""The tutorial, word for word."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from src.paths import ROOT

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"(?:Save this as `(?P<file>[\w.]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
SOLO_SECONDS = 8.0


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which all of it was run, and what was printed."""
    folder, printed = tmp_path_factory.mktemp("tutorial"), ""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    for block in BLOCK.finditer(TUTORIAL):
        if block["language"] == "python":
            (folder / block["file"]).write_text(block["text"], encoding="utf-8")
        elif block["language"] == "sh":
            command = ["bash", "-euc", block["text"]]
            run = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240
            )
            assert run.returncode == 0, block["text"] + run.stdout + run.stderr
            printed += run.stdout
    return folder, printed


def shown(word: str) -> list[str]:
    """The lines of the output that the tutorial shows with this word in it."""
    [text] = [
        block["text"]
        for block in BLOCK.finditer(TUTORIAL)
        if block["language"] == "text" and word in block["text"]
    ]
    return text.splitlines()


@pytest.mark.slow
def test_the_folder_is_as_shown(done: tuple[Path, str]) -> None:
    folder, _ = done
    for line in shown("song.wav\n"):
        first, _, last = line.partition(" … ")
        assert (folder / first).is_file()
        assert (folder / first).with_name(last or Path(first).name).is_file()
    assert len(list(folder.glob("sounds/*/*.wav"))) == 160


@pytest.mark.slow
def test_the_leaderboard_is_as_shown(done: tuple[Path, str]) -> None:
    folder, printed = done
    with (folder / "outputs" / "sweeps" / "tutorial" / "leaderboard.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    names = {line.split("│")[2].strip() for line in shown("verdict ") if line.startswith("│")}
    assert names == set(rows)
    header = re.compile(r"┃ trial .*")
    assert header.findall("\n".join(shown("verdict ")))[0].split() == header.findall(printed)[0].split()
    assert float(rows["adamw"]["f1_macro_mean"]) > 0.2 + float(rows["class_prior"]["f1_macro_mean"])
    assert {row["state"] for row in rows.values() if row["kind"] == "trial"} == {"finished"}


@pytest.mark.slow
def test_each_solo_is_named(done: tuple[Path, str]) -> None:
    folder, printed = done
    table = pd.read_csv(folder / "outputs" / "predicted" / "song.wav" / "predictions.csv")
    answers = table[table["present"] == 1]
    for number, name in enumerate(("piano", "violin", "trumpet", "soprano_sax")):
        inside = answers["start_s"].between(number * SOLO_SECONDS, (number + 1) * SOLO_SECONDS - 2)
        assert answers[inside]["instrument"].mode()[0] == name
    assert shown("start_s")[0].split() in [line.split() for line in printed.splitlines()]


@pytest.mark.slow
def test_the_shipped_model_draws_the_timeline(done: tuple[Path, str]) -> None:
    folder, _ = done
    assert (folder / "outputs" / "shipped" / "predicted" / "song.wav" / "song.wav.png").is_file()
