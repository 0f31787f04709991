"""The script that judges figures of elsewhere."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.judge import read_figures
from src.errors import UserError
from src.paths import ROOT


def test_a_summary_stands_for_results_with_its_mean_and_deviation():
    found = read_figures("a: 0.8 0.9 0.85\nb, c=1: 0.7 ± 0.02 (5)\n\n")
    assert found["a"].tolist() == [0.8, 0.9, 0.85]
    assert len(found["b, c=1"]) == 5
    assert found["b, c=1"].mean() == pytest.approx(0.7)
    assert np.std(found["b, c=1"], ddof=1) == pytest.approx(0.02)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "a: 1\n",
        "a: 1\nb: none\n",
        "a: 1\nb:\n",
        "a: 1\n0.3\n",
        "a: 1\nb: nan\n",
        "a: 1\nb: 1 ± inf (3)\n",
        "a: 1\nb: 1 ± -1 (3)\n",
        "a: 1\nb: 1 ± 1 (0)\n",
    ],
)
def test_what_cannot_be_judged_is_refused(text):
    with pytest.raises(UserError):
        read_figures(text)


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("a: 1 2\nb: 1 3\n".encode("utf-16"), (), "save it as UTF-8"),
        (None, (), "name a text file"),
        (b"a: 1 2\nb: 1 3\n", ("--matters", "nan"), "--matters=nan"),
        (b"a: 1 2\nb: 1 3\n", ("--matters", "-1"), "--matters=-1.0"),
        (b"a: 1 2\nb: 1 3\n", ("--reference", "c"), "name one of a, b"),
    ],
)
def test_refusals_are_one_line(tmp_path: Path, content: bytes | None, options: tuple[str, ...], told: str):
    figures = tmp_path / "figures.txt"
    if content is not None:
        figures.write_bytes(content)
    command = [sys.executable, "scripts/judge.py", str(figures), *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("Error: ")
    assert told in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_clear_lead_is_told_and_one_seed_tells_nothing(tmp_path: Path):
    far = _judged(tmp_path, "good: 0.95 0.951 0.952\nbad: 0.80 ± 0.002 (3)\n")
    assert far[0].split()[0] == "good"
    assert far[0].endswith("among the best")
    assert far[1].endswith("worse")
    # The same figures, where smaller ones are better.
    assert _judged(tmp_path, "bad: 0.95 0.951 0.952\ngood: 0.80 ± 0.002 (3)\n", "--lower")[0].endswith(
        "worse"
    )
    assert all(line.endswith("undecided") for line in _judged(tmp_path, "a: 0.9\nb: 0.8\n"))


def _judged(folder: Path, text: str, *options: str) -> list[str]:
    (folder / "figures.txt").write_text(text, encoding="utf-8")
    command = [sys.executable, "scripts/judge.py", str(folder / "figures.txt"), *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()
