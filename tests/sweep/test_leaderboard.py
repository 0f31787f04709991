import statistics

import numpy as np
import pandas as pd
import pytest

from src.sweep.leaderboard import JUDGED, leaderboard
from src.sweep.rows import Entry, swept_keys
from src.sweep.state import State
from src.sweep.table_text import cell, markdown, shown_names

SEEDS = range(1, 6)


def entry(optimizer="adam", seed=1, value=0.9, state="finished", direction="max", **overrides):
    metrics = {
        "objective": {"name": "f1_macro", "value": value, "direction": direction},
        "seed": seed,
        "val": {"f1_macro": value},
        "test": {"f1_macro": value - 0.1, "loss": 1 - value, "f1_by_class": {"piano": 0.5}},
        "intervals": {"f1_macro": [value - 0.2, value], "val_f1_macro": [value - 0.05, value + 0.05]},
        "baselines": {"majority": {"f1_macro": 0.1, "threshold": 0.5}, "prior": {"f1_macro": 0.3}},
        "time": {"total_s": 10.0 + seed, "epochs": 4},
    }
    typed = {"optimizer": optimizer, "seed": str(seed), **overrides}
    return Entry(
        typed,
        State(state),
        metrics if state == "finished" else {},
        f"runs/{optimizer}{seed}{overrides}",
        seed,
    )


def grid():
    rng = np.random.default_rng(1)
    means = {"adam": 0.80, "adamw": 0.801, "sgd": 0.6}
    noise = {seed: rng.normal(0, 0.01) for seed in SEEDS}
    return [
        entry(name, seed, mean + noise[seed] + rng.normal(0, 0.004))
        for name, mean in means.items()
        for seed in SEEDS
    ]


def test_columns_are_those_of_the_contract():
    table = leaderboard(grid())
    columns = list(table.columns)
    assert columns[:5] == ["rank", "kind", "name", "optimizer", "n_seeds"]
    assert columns[5:9] == [f"val_f1_macro_{part}" for part in ("mean", "std", "low", "high")]
    assert columns[9:13] == [f"f1_macro_{part}" for part in ("mean", "std", "low", "high")]
    assert columns[-13:-6] == list(JUDGED)
    assert columns[-6:] == ["edge", "test_items", "state", "epochs", "time_s", "runs"]
    assert not any("f1_by_class" in column for column in columns)


def test_seeds_are_grouped():
    entries = grid()
    table = leaderboard(entries).set_index("name")
    for name in ("adam", "adamw", "sgd"):
        values = [e.metrics["objective"]["value"] for e in entries if e.overrides["optimizer"] == name]
        line = table.loc[name]
        assert line["n_seeds"] == len(SEEDS)
        assert line["val_f1_macro_mean"] == pytest.approx(statistics.mean(values))
        assert line["val_f1_macro_std"] == pytest.approx(statistics.stdev(values))
        assert line["f1_macro_mean"] == pytest.approx(statistics.mean(values) - 0.1)
        assert pd.isna(line["val_f1_macro_low"])
        assert line["epochs"] == 4
        assert line["time_s"] == 13
        assert len(line["runs"].split()) == len(SEEDS)


def test_verdicts_are_on_test_against_the_best_on_validation():
    entries = grid()
    for each in entries:
        if each.overrides["optimizer"] == "adam":  # the best on validation by far, but not on test
            each.metrics["objective"]["value"] += 0.1
    table = leaderboard(entries).set_index("name")
    assert table.loc["adam", "rank"] == 1
    test = table["f1_macro_mean"]
    assert table.loc["sgd", "behind"] == pytest.approx(test["adam"] - test["sgd"])
    assert table.loc["sgd", "verdict"] == "worse"
    assert table.loc["sgd", "behind_low"] < table.loc["sgd", "behind"] < table.loc["sgd", "behind_high"]
    assert table.loc["adamw", "verdict"] == "undecided"
    assert table.loc["adam", "behind"] == pytest.approx(test["adamw"] - test["adam"])
    assert table["p_best"].sum() == pytest.approx(1)


def test_one_seed_has_an_interval_and_claims_nothing():
    table = leaderboard([entry("adam", value=0.9), entry("sgd", value=0.6)])
    trials = table[table["kind"] == "trial"]
    assert list(trials["rank"]) == [1, 2]
    assert trials["val_f1_macro_std"].isna().all()
    assert list(trials["verdict"]) == ["undecided", "undecided"]
    assert trials["behind_low"].isna().all()
    assert list(trials["val_f1_macro_low"]) == pytest.approx([0.85, 0.55])
    assert list(trials["f1_macro_high"]) == pytest.approx([0.9, 0.6])


def test_baselines_are_rows_without_rank():
    table = leaderboard(grid())
    baselines = table[table["kind"] == "baseline"]
    assert list(baselines["name"]) == ["majority", "prior"]
    assert baselines["rank"].isna().all()
    assert list(baselines["f1_macro_mean"]) == [0.1, 0.3]
    assert baselines["val_f1_macro_mean"].isna().all()


def test_baselines_of_different_data_stand_apart():
    here, there = entry(data="a"), entry(data="b")
    there.metrics["baselines"]["prior"]["f1_macro"] = 0.4
    table = leaderboard([here, there])
    baselines = table[table["kind"] == "baseline"]
    named = {(row["name"], row["data"]): row["f1_macro_mean"] for row in baselines.to_dict("records")}
    assert named == {("majority", ""): 0.1, ("prior", "a"): 0.3, ("prior", "b"): 0.4}


def test_lower_is_better_where_it_is():
    table = leaderboard([entry("adam", value=3.0, direction="min"), entry("sgd", value=2.0, direction="min")])
    assert list(table["name"][:2]) == ["sgd", "adam"]


def test_unfinished_trials_come_last_with_their_state():
    table = leaderboard([entry("rmsprop", state="failed"), entry("adam"), entry("sgd", state="killed")])
    trials = table[table["kind"] == "trial"]
    assert list(trials["name"]) == ["adam", "rmsprop", "sgd"]
    assert list(trials["state"]) == ["finished", "failed", "killed"]
    assert list(trials["n_seeds"]) == [1, 0, 0]
    assert list(trials["rank"].isna()) == [False, True, True]


def test_some_seeds_unfinished():
    table = leaderboard([entry(seed=1), entry(seed=2), entry(seed=3, state="oom")])
    assert table.loc[0, "state"] == "2 finished, 1 oom"
    assert table.loc[0, "n_seeds"] == 2


def test_nothing_finished_is_still_a_table():
    table = leaderboard([entry("adam", state="nan"), entry("sgd", state="interrupted")])
    assert len(table) == 2
    assert "interrupted" in markdown(table)


def test_swept_keys_leave_out_what_says_nothing():
    entries = [
        Entry({"lr": "1", "model": "cnn", "seed": "1", "retry": "true"}, State.FINISHED, {}, "a"),
        Entry({"lr": "2", "model": "cnn", "seed": "2", "sweep.name": "x"}, State.FINISHED, {}, "b"),
    ]
    assert swept_keys(entries) == ["lr"]


def test_names():
    names = list(leaderboard([entry("adam", **{"optimizer.lr": "1"}), entry("sgd")])["name"][:2])
    assert names == ["adam, optimizer.lr=1", "sgd"]
    assert leaderboard([Entry({}, State.FAILED, {}, "a")])["name"][0] == "defaults"


def test_cells():
    line = {"m_mean": 0.5, "m_std": 0.01, "m_low": None, "m_high": None}
    assert cell(line, "m") == "0.5000 ± 0.0100"
    assert cell(line | {"m_std": None, "m_low": 0.4, "m_high": 0.6}, "m") == "0.5000 [0.400, 0.600]"
    assert cell(line | {"m_mean": float("nan")}, "m") == ""


def test_markdown_has_a_row_a_line_and_escapes_bars():
    table = leaderboard([entry("a|b"), entry("sgd", value=0.1)])
    lines = markdown(table).splitlines()
    rows = [text for text in lines if text.startswith("|")]
    assert len(rows) == 2 + len(table)
    assert len({text.replace("\\|", "").count("|") for text in rows}) == 1
    assert "a\\|b" in rows[2]


def test_csv_reads_back(tmp_path):
    table = leaderboard(grid())
    table.to_csv(tmp_path / "leaderboard.csv", index=False)
    read = pd.read_csv(tmp_path / "leaderboard.csv")
    assert list(read.columns) == list(table.columns)
    assert read["f1_macro_mean"].tolist() == pytest.approx(table["f1_macro_mean"].tolist())


def test_baselines_of_one_name_are_told_apart_by_what_was_swept():
    entries = [entry("adam", **{"data.features": name}) for name in ("mel", "chroma")]
    entries[1].metrics["baselines"]["prior"] = {"f1_macro": 0.4}
    table = leaderboard(entries)
    shown = dict(zip(shown_names(table), table["name"], strict=True))
    assert {"prior (features=mel)", "prior (features=chroma)", "majority"} <= set(shown)
    assert shown["prior (features=mel)"] == "prior"
    assert "*prior (features=chroma)*" in markdown(table)


def test_seeds_that_were_tested_on_different_items_are_not_averaged():
    entries = [entry(seed=seed, value=0.5 + 0.1 * seed) for seed in (1, 2, 3)]
    for each, items in zip(entries, ("first", "second", "second"), strict=True):
        each.metrics["data"] = {"evaluation": items}
    table = leaderboard([*entries, entry(seed=4, state="failed")])
    rows = table[table["kind"] == "trial"]
    assert dict(zip(rows["test_items"], rows["n_seeds"], strict=True)) == {"first": 1, "second": 2}
    assert sum(len(runs.split()) for runs in rows["runs"]) >= 4


def searched(x, seed, value, *, confirms=False):
    metrics = {
        "objective": {"name": "f1_macro", "value": value, "direction": "max"},
        "test": {"f1_macro": value - 0.1},
        "time": {"epochs": 1, "total_s": 1.0},
    }
    run = f"runs/{x}-{seed}"
    return Entry({"x": x, "seed": str(seed)}, State.FINISHED, metrics, run, seed, confirms=confirms)


def test_what_a_search_confirms_is_ranked_alone():
    tried = [searched("a", 1, 0.9), searched("b", 1, 0.8), searched("c", 1, 0.7)]
    again = [searched("a", 2, 0.6, confirms=True), searched("a", 3, 0.7, confirms=True)]
    again += [searched("b", 2, 0.75, confirms=True), searched("b", 3, 0.78, confirms=True)]
    table = leaderboard([*tried, *again])
    assert list(table["x"]) == ["b", "a", "a", "b", "c"]
    assert list(table["rank"].astype(object).where(table["rank"].notna(), None)) == [1, 2, None, None, None]
    assert list(table["confirms"]) == [True, True, False, False, False]
    assert list(table["searched"])[:2] == [0.8, 0.9]
    assert list(table["n_seeds"]) == [2, 2, 1, 1, 1]
    assert table["verdict"].notna().tolist() == [True, True, False, False, False]


def test_without_a_confirmation_there_are_no_columns_of_it():
    table = leaderboard([searched("a", 1, 0.9), searched("b", 1, 0.8)])
    assert not {"confirms", "searched"} & set(table.columns)
    assert list(table["rank"]) == [1, 2]


def test_a_confirmation_that_has_not_finished_ranks_nothing():
    unfinished = Entry({"x": "a", "seed": "2"}, State.KILLED, {}, "runs/a-2", 2, confirms=True)
    table = leaderboard([searched("a", 1, 0.9), searched("b", 1, 0.8), unfinished])
    assert list(table["rank"])[:2] == [1, 2]


def test_an_edge_is_one_of_all_that_was_tried():
    tried = [searched(x, 1, 0.5) for x in ("1", "2", "3", "4")]
    best = [searched("2", 2, 0.7, confirms=True), searched("3", 2, 0.6, confirms=True)]
    assert leaderboard([*tried, *best])["edge"][0] == ""
    assert leaderboard([*tried[1:], *best])["edge"][0] == "x"
