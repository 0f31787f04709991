"""Which trials count, and what is written and told."""

import io
import itertools

import pandas as pd
import pytest
from matplotlib.image import imread
from rich.console import Console

from src.sweep.importance.shares import LEAST
from src.sweep.importance.table import importance_notes, importance_of, importance_table, write_importance
from src.sweep.publish import publish
from src.sweep.rows import Entry
from src.sweep.settings import Settings
from src.sweep.state import State

OPTIMIZERS = {"adam": 0.8, "sgd": 0.4}


def trial(optimizer, lr, seed, state=State.FINISHED, items="a", **metrics):
    value = OPTIMIZERS[optimizer] + 0.01 * int(lr) + seed / 1000
    measured = {
        "objective": {"name": "f1", "value": value, "direction": "max"},
        "test": {"f1": value},
        "data": {"evaluation": items},
        "time": {},
        **metrics,
    }
    typed = {"optimizer": optimizer, "lr": lr, "seed": str(seed)}
    return Entry(typed, state, measured, f"runs/{optimizer}{lr}{seed}", seed)


def grid(seeds=(1, 2, 3, 4), lrs="12345"):
    return [trial(*each) for each in itertools.product(OPTIMIZERS, lrs, seeds)]


def test_each_trial_counts_and_the_seed_is_no_key():
    found = importance_of(grid(), "a", ())
    assert found.n_trials == 40
    assert [share.keys for share in found.shares] == [("optimizer",), ("lr",), ("optimizer", "lr")]
    assert found.shares[0].fanova > 0.95
    assert importance_notes(found)[0].startswith(
        "Variance of val_f1 over the space (importance.csv), by 40 finished trials: optimizer 100%."
    )


def test_the_best_is_the_greatest_where_more_is_better():
    """PED-ANOVA knows the direction: of a peak at one value of ten it finds the key, of a dip it does not."""
    entries = grid()
    for entry in entries:
        peak = entry.overrides["optimizer"] == "adam" and entry.overrides["lr"] == "5"
        entry.metrics["objective"]["value"] = 0.9 if peak else 0.5
    up = {share.keys: share for share in importance_of(entries, "a", ()).shares}
    for entry in entries:
        entry.metrics["objective"]["direction"] = "min"
    down = {share.keys: share for share in importance_of(entries, "a", ()).shares}
    assert up["lr",].fanova == down["lr",].fanova
    assert up["lr",].ped_anova != pytest.approx(down["lr",].ped_anova, abs=0.05)


def test_what_did_not_finish_is_left_out_and_counted():
    others = [
        trial("adam", "6", 1, State.NAN),
        trial("adam", "6", 2, State.PRUNED),
        trial("sgd", "6", 1, State.FAILED),
        trial("sgd", "6", 2, State.FAILED),
        trial("sgd", "6", 3, items="b"),
        trial("sgd", "6", 4, objective={"name": "f1", "value": float("nan"), "direction": "max"}),
    ]
    found = importance_of([*grid(), *others], "a", ())
    assert found.n_trials == 40
    told = "left out: 1 diverged, 1 pruned, 2 failed, 1 of other test items, 1 without an objective"
    assert told in importance_notes(found)[0]
    assert list(importance_table(found)["n_left_out"])[:2] == [6, 6]


def test_confirmations_are_no_sample_of_the_space():
    again = [trial("adam", "9", seed) for seed in (1, 2, 3)]
    for entry in again:
        entry.confirms = True
    assert importance_of([*grid(), *again], "a", ()) == importance_of(grid(), "a", ())


def test_one_key_shares_nothing():
    assert importance_of(grid(lrs="1"), "a", ()) is None
    assert importance_of([], "a", ()) is None
    assert importance_notes(None) == []


def test_a_sweep_that_is_stopped_before_its_first_figure_has_a_leaderboard(tmp_path):
    stopped = [trial("adam", "1", 1, State.INTERRUPTED), trial("sgd", "2", 1, State.PAUSED)]
    for entry in stopped:
        entry.metrics = {}
    assert importance_of(stopped, "", ()) is None
    publish(stopped, tmp_path, Settings(tmp_path, "src.trial"), Console(file=io.StringIO()))
    assert (tmp_path / "leaderboard.csv").exists()
    assert not (tmp_path / "importance.csv").exists()


def test_few_trials_are_a_table_of_notes_without_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr("src.sweep.importance.table.call", None)  # nothing is computed
    found = importance_of(grid(seeds=(1, 2)), "a", ())
    write_importance(found, tmp_path)
    table = pd.read_csv(tmp_path / "importance.csv")
    assert set(table["note"]) == {f"too few trials: 20 of at least {LEAST}"}
    assert table[["ped_anova", "fanova", "explained"]].isna().all(axis=None)
    assert set(table["n_trials"]) == {20}
    assert [path.name for path in tmp_path.iterdir()] == ["importance.csv"]
    assert importance_notes(found) == []


def test_a_leaderboard_comes_with_the_importance_of_its_keys(tmp_path):
    console = Console(file=io.StringIO(), width=160)
    publish(grid(), tmp_path, Settings(tmp_path, "src.trial"), console)
    table = pd.read_csv(tmp_path / "importance.csv")
    assert list(table["key"]) == ["optimizer", "lr", "optimizer × lr"]
    assert list(table["interaction"]) == [False, False, True]
    assert imread(tmp_path / "importance.png").std() > 0.05
    told = "Variance of val_f1 over the space (importance.csv)"
    assert told in console.file.getvalue()
    assert told in (tmp_path / "leaderboard.md").read_text()
