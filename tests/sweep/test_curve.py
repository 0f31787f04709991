import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.image import imread

from src.errors import UserError
from src.sweep.curve import curve
from src.sweep.leaderboard import Entry, leaderboard
from src.sweep.state import State

ROOT = Path(__file__).resolve().parents[2]


def board(trials: list[tuple[str, int, float]], key: str = "data.soundfonts") -> pd.DataFrame:
    """A leaderboard of trials: what was typed, the seed, macro-F1 on validation (on test it is .1 less)."""
    entries = [
        Entry(
            overrides={key: typed, "seed": str(seed), "optimizer.lr": "0.1"},
            state=State.FINISHED,
            metrics={
                "objective": {"name": "f1_macro", "value": value, "direction": "max"},
                "val": {"f1_macro": value},
                "test": {"f1_macro": value - 0.1},
                "time": {"total_s": 1.0, "epochs": 1},
                "baselines": {"linear": {"f1_macro": 0.2, "val_f1_macro": 0.3}},
            },
            run=f"runs/{number}",
            seed=seed,
        )
        for number, (typed, seed, value) in enumerate(trials)
    ]
    return leaderboard(entries)


def test_lists_count_by_their_length():
    trials = [("[a,b]", 1, 0.5), ("[a,c]", 1, 0.7), ("[b]", 1, 0.4), ("[a,b,c]", 1, 0.8), ("[a,b,c]", 2, 0.9)]
    points = curve(board(trials), "data.soundfonts", "val_f1_macro")
    assert points["x"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(points["mean"], [0.4, 0.6, 0.85])
    np.testing.assert_allclose(
        points["std"], [np.nan, np.std([0.5, 0.7], ddof=1), np.std([0.8, 0.9], ddof=1)]
    )
    assert points["n"].tolist() == [1, 2, 2]
    np.testing.assert_allclose(curve(board(trials), "data.soundfonts", "f1_macro")["mean"], [0.3, 0.5, 0.75])


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 1)), min_size=2, max_size=12))
@example([(1, 0.0), (1, 0.0), (1, 0.0), (2, 0.0)])  # a leaderboard of equal values
def test_numbers_in_order(trials):
    table = board([(str(x), seed, value) for seed, (x, value) in enumerate(trials)], "batch_size")
    if len({x for x, _ in trials}) < 2:
        with pytest.raises(UserError, match="batch_size was not swept"):
            curve(table, "batch_size", "val_f1_macro")
        return
    points = curve(table, "batch_size", "val_f1_macro")
    assert points["x"].tolist() == sorted({x for x, _ in trials})
    for x, mean in zip(points["x"], points["mean"], strict=True):
        assert mean == pytest.approx(np.mean([value for other, value in trials if other == x]))


@pytest.mark.parametrize(
    ("trials", "key", "metric", "says"),
    [
        ([("1", 1, 0.5), ("2", 1, 0.6)], "optimizer", "f1_macro", "optimizer was not swept; choose one of batch_size"),
        ([("1", 1, 0.5), ("2", 1, 0.6)], "batch_size", "accuracy", "no metric accuracy; choose one of val_f1_macro"),
        ([("all", 1, 0.5), ("none", 1, 0.4)], "batch_size", "f1_macro", "batch_size=all is neither a number nor"),
        ([("true", 1, 0.5), ("1", 1, 0.6)], "batch_size", "f1_macro", "batch_size=true is neither"),
        ([("[1", 1, 0.5), ("2", 1, 0.6)], "batch_size", "f1_macro", r"batch_size=\[1 cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(trials, key, metric, says):
    with pytest.raises(UserError, match=says):
        curve(board(trials, "batch_size"), key, metric)


def test_the_script_draws_a_sweep(tmp_path):
    board([("[a]", 1, 0.4), ("[a,b]", 1, 0.6)]).to_csv(tmp_path / "leaderboard.csv", index=False)
    picture = tmp_path / "curve.png"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/curve.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        )

    done = run(str(tmp_path), "data.soundfonts", str(picture))
    assert done.returncode == 0, done.stderr
    assert "val_f1_macro" in done.stdout
    assert "0.6000" in done.stdout
    assert imread(picture).std() > 0.05
    missing = run(str(tmp_path / "none"), "data.soundfonts", str(picture))
    assert missing.returncode != 0
    assert missing.stderr.startswith("error: ")
    assert "outputs/sweeps/<name>" in missing.stderr
    assert run(str(tmp_path)).returncode != 0
