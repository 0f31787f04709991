import numpy as np
import pytest

from src.errors import UserError
from src.jackknife import Jackknife
from src.sweep.leaderboard import leaderboard, ranked_rows
from src.sweep.ranking import Ranking, edges, find_row
from src.sweep.reporting import reservations
from src.sweep.rows import Entry, Row
from src.sweep.state import State
from src.sweep.table_text import edge_notes, markdown, verdict_cell


def entry(lr="0.1", seed=1, value=0.9, test=None, state="finished", data="a"):
    metrics = {
        "objective": {"name": "f1_macro", "value": value, "direction": "max"},
        "seed": seed,
        "test": {"f1_macro": value if test is None else test},
        "data": {"signature": "x" + data, "evaluation": data},
        "baselines": {"majority": {"f1_macro": 0.1}},
        "time": {"total_s": 1.0, "epochs": 1},
    }
    known = metrics if state == "finished" else {}
    return Entry({"optimizer.lr": lr, "seed": str(seed)}, State(state), known, f"runs/{lr}-{seed}", seed)


def ranking(**options):
    return Ranking("val_f1_macro", "max", **options)


def test_a_configuration_with_a_diverged_seed_ranks_behind_those_without():
    trials = [entry("1e-1", 1, 0.95), entry("1e-1", 2, 0.96), entry("1e-1", 3, state="nan")]
    trials += [entry("1e-2", seed, 0.9) for seed in (1, 2, 3)]
    table = leaderboard(trials).set_index("name")
    assert list(table.index[:2]) == ["optimizer.lr=1e-2", "optimizer.lr=1e-1"]
    assert table.loc["optimizer.lr=1e-1", "state"] == "1 of 3 diverged, 2 finished"


def judged(lr, seed, value, without_choice):
    found = entry(lr, seed, value)
    found.metrics["objective"] |= {"judged": without_choice, "flattered": value - without_choice}
    return found


def test_where_the_choice_of_the_epoch_flatters_one_row_more_the_other_one_is_first():
    trials = [judged("1e-1", seed, 0.91 + seed / 1000, 0.85) for seed in (1, 2)]
    trials += [judged("1e-2", seed, 0.90 + seed / 1000, 0.89) for seed in (1, 2)]
    table = leaderboard(trials)
    assert list(table["name"][:2]) == ["optimizer.lr=1e-2", "optimizer.lr=1e-1"]
    assert list(table["val_f1_macro_judged_mean"][:2]) == pytest.approx([0.89, 0.85])
    rows = ranked_rows(trials, ranking())
    assert ranking().reorders(rows)
    assert any("ranked by val_f1_macro_judged" in note for note in reservations(rows, ranking()))


def test_where_it_flatters_all_alike_nothing_changes():
    trials = [
        judged(lr, seed, value, value - 0.02) for lr, value in (("1", 0.9), ("2", 0.8)) for seed in (1, 2)
    ]
    rows = ranked_rows(trials, ranking())
    assert not ranking().reorders(rows)
    assert any(
        "by 0.0200 on average, which changes no rank" in note for note in reservations(rows, ranking())
    )


def test_a_row_that_is_not_judged_leaves_the_ranks_to_the_objective():
    trials = [judged("1", 1, 0.9, 0.5), entry("2", 1, 0.8)]
    assert ranked_rows(trials, ranking())[0].name == "optimizer.lr=1"


def test_a_configuration_that_always_diverges_has_no_rank():
    table = leaderboard([entry("1", 1, state="nan"), entry("1", 2, state="nan"), entry("2")]).set_index(
        "name"
    )
    assert table.loc["optimizer.lr=1", "state"] == "2 of 2 diverged"
    assert table["rank"].isna().loc["optimizer.lr=1"]


def test_a_pruned_trial_is_not_averaged_with_finished_ones():
    trials = [entry(seed=1, value=0.9), entry(seed=2, value=0.1)]
    trials[1].state = State.PRUNED
    table = leaderboard([*trials, entry("0.2")])
    assert table.loc[table["name"] == "optimizer.lr=0.1", "val_f1_macro_mean"].item() == 0.9


def test_rows_of_different_test_items_are_never_ranked_together():
    trials = [entry("1", seed, 0.9 + seed / 100, data="a") for seed in (1, 2)]
    trials += [entry("2", seed, 0.99 + seed / 1000, data="leak") for seed in (1, 2)]
    table = leaderboard(trials)
    ranked = table[table["kind"] == "trial"]
    assert list(ranked["rank"]) == [1, 1]
    assert ranked["verdict"].isna().all(), "each is alone"
    text = markdown(table)
    assert "Test items a:" in text
    assert "Test items leak:" in text
    assert text.count("*majority*") == 2
    assert "can't be compared" in text


def test_other_features_of_the_same_items_are_compared():
    trials = [entry("1", seed, 0.9 + seed / 100) for seed in (1, 2)] + [
        entry("2", seed, 0.5 + seed / 100) for seed in (1, 2)
    ]
    for trial in trials:
        trial.metrics["data"]["signature"] = trial.run
    assert list(leaderboard(trials)["rank"].dropna()) == [1, 2]


def kept(trials, noise=0.01, items="same"):
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.2, 40)
    return {
        t.run: Jackknife(
            0.5,
            0.5 + (shared + rng.normal(0, noise, 40)) / 40,
            items if isinstance(items, str) else items[t.run],
        )
        for t in trials
    }


def test_test_items_widen_the_interval_where_they_are_known():
    trials = [
        entry(lr, seed, base + seed / 1000) for lr, base in (("1", 0.9), ("2", 0.89)) for seed in (1, 2, 3)
    ]
    widths = {}
    for name, known in {"none": {}, "quiet": kept(trials, 0.0001), "noisy": kept(trials, 1.0)}.items():
        row = ranked_rows(trials, ranking(kept=known))[1]
        widths[name] = row.judgement.high - row.judgement.low
    assert widths["quiet"] == pytest.approx(widths["none"], rel=0.05), "what all configurations share cancels"
    assert widths["noisy"] > 1.5 * widths["none"]


def test_items_that_are_not_the_same_are_not_paired():
    trials = [entry(lr, seed, 0.9 + seed / 100) for lr in "12" for seed in (1, 2)]
    known = kept(trials, items={t.run: t.overrides["optimizer.lr"] for t in trials})
    rows = ranked_rows(trials, ranking())
    assert all(result.without is None for result in ranking(kept=known).results(rows))
    assert all(result.without is not None for result in ranking(kept=kept(trials)).results(rows))


def test_values_are_those_that_were_measured():
    trials = [entry("1", seed, 0.9 + seed / 100) for seed in (1, 2)] + [entry("2")]
    rows = ranked_rows(trials, ranking())
    [first, _] = ranking(kept=kept(trials)).results(rows)
    assert first.values == pytest.approx([0.91, 0.92])
    assert first.without.mean(1) == pytest.approx([0.91, 0.92], abs=0.01)


def test_the_best_value_at_the_end_of_its_list_is_marked():
    trials = [entry(lr, value=value) for lr, value in (("0.001", 0.7), ("0.01", 0.8), ("0.1", 0.9))]
    table = leaderboard(trials)
    assert table.loc[0, "edge"] == "optimizer.lr"
    assert edge_notes(table) == [
        "EDGE: the best has optimizer.lr=0.1, the end of the values that were tried; try some beyond it."
    ]
    inner = [entry(lr, value=value) for lr, value in (("0.001", 0.7), ("0.01", 0.95), ("0.1", 0.9))]
    assert edge_notes(leaderboard(inner)) == []


def test_names_have_no_end():
    best = Row("trial", "a", {"optimizer": "adam"})
    assert edges(best, [best, Row("trial", "b", {"optimizer": "sgd"})]) == []


def test_a_reference_is_named_by_swept_values():
    trials = [
        entry(lr, seed, value + seed / 500)
        for lr, value in (("1", 0.9), ("2", 0.8), ("3", 0.7))
        for seed in (1, 2, 3)
    ]
    rows = {row.name: row for row in ranked_rows(trials, ranking(reference="optimizer.lr=2"))}
    assert rows["optimizer.lr=1"].judgement.behind == pytest.approx(-0.1)
    assert rows["optimizer.lr=3"].judgement.behind == pytest.approx(0.1)
    assert rows["optimizer.lr=3"].judgement.verdict == "worse"


@pytest.mark.parametrize(
    ("described", "reason"), [("optimizer.lr=7", "no configuration has"), ("", "several configurations have")]
)
def test_a_reference_that_names_no_single_row_is_refused(described, reason):
    rows = ranked_rows([entry("1"), entry("2")], ranking())
    with pytest.raises(UserError, match=f"{reason} these values; name one of each swept key .optimizer.lr."):
        find_row(rows, described)


def test_what_would_settle_it_is_named():
    by_seeds = {"verdict": "undecided", "more_items": False}
    assert verdict_cell(by_seeds | {"more_seeds": 1}) == "undecided, about 1 more seed would tell"
    assert verdict_cell(by_seeds | {"more_seeds": 4}) == "undecided, about 4 more seeds would tell"
    assert verdict_cell({"verdict": "worse", "more_seeds": None, "more_items": False}) == "worse"
    assert verdict_cell({"verdict": None, "more_seeds": None, "more_items": None}) == ""
    only_items = {"verdict": "undecided", "more_seeds": None, "more_items": True}
    assert verdict_cell(only_items) == "undecided, only more test items would tell"
