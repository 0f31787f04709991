from pathlib import Path

import pandas as pd
import pytest

from src.sweep.leaderboard import ranked_rows, table_of
from src.sweep.ranking import Ranking
from src.sweep.reporting import code_notes, confirmation, effects_of, notes_of, ranking_of, write_leaderboard
from src.sweep.rows import Entry, Row
from src.sweep.settings import Settings
from src.sweep.state import State

OPTIMIZERS = {"adam": 0.8, "sgd": 0.6}
LOSSES = {"bce": 0.05, "focal": 0.0}


def trials(seeds=(1, 2, 3), data="a", matters=0.02, metric="f1"):
    found = []
    for optimizer, base in OPTIMIZERS.items():
        for loss, more in LOSSES.items():
            for seed in seeds:
                value = base + more + seed / 1000 + (len(optimizer) * len(loss) * seed % 5) / 2000
                metrics = {
                    "objective": {"name": metric, "value": value, "direction": "max", "matters": matters},
                    "test": {metric: value - 0.1},
                    "data": {"evaluation": data},
                    "time": {},
                }
                typed = {"optimizer": optimizer, "loss": loss, "seed": str(seed)}
                found.append(Entry(typed, State.FINISHED, metrics, f"runs/{optimizer}{loss}{seed}", seed))
    return found


def told(entries, folder: Path, **options) -> list[str]:
    return _notes(entries, Ranking("val_f1", "max", **options), folder)


def test_the_files_and_sentences_of_a_grid(tmp_path):
    notes = told(trials(), tmp_path, matters=0.02)
    assert notes[0] == "What matters: a difference of more than 0.02 in f1 (sweep.matters)."
    assert notes[1].startswith("Intervals are over seeds only")
    assert any(note.strip().startswith("optimizer: adam - sgd +0.") for note in notes)
    effects = pd.read_csv(tmp_path / "effects.csv").set_index("name")
    assert effects.loc["bce - focal", "value"] == pytest.approx(0.05, abs=0.002)
    assert effects["interaction"].sum() == 1
    table = pd.read_csv(tmp_path / "leaderboard.csv")
    assert list(table["verdict"]) == ["among the best", "worse", "worse", "worse"]
    assert all(note in (tmp_path / "leaderboard.md").read_text() for note in notes)


def test_what_an_objective_cautions_against_is_told_where_it_was_swept(tmp_path):
    entries = trials()
    for entry in entries:
        entry.metrics["objective"]["cautions"] = {"loss": "Only some losses minimise f1."}
    by_optimizer = [entry for entry in entries if entry.overrides["loss"] == "bce"]
    ranking = ranking_of(entries[:1], Settings(tmp_path, "none"))
    assert "Only some losses minimise f1." in _notes(entries, ranking, tmp_path)
    assert "Only some losses minimise f1." not in _notes(by_optimizer, ranking, tmp_path)


def _notes(entries, ranking, folder):
    rows = ranked_rows(entries, ranking)
    table = table_of(rows, entries)
    effects = effects_of(rows, ranking)
    notes = notes_of(rows, ranking, table, effects)
    write_leaderboard(table, notes, effects, folder)
    return notes


def test_one_seed_decides_nothing_but_a_grid_has_effects(tmp_path):
    notes = told(trials(seeds=(1,)), tmp_path)
    assert "Nothing tells the variation over seeds: sweep seed=1,2,3 for verdicts." in notes
    assert any("by what the keys do not explain together" in note for note in notes)
    assert set(pd.read_csv(tmp_path / "leaderboard.csv")["verdict"]) == {"undecided"}


def test_trials_of_different_test_items_have_no_common_effects(tmp_path):
    mixed = [*trials()[:6], *trials(data="b")[6:]]
    ranking = Ranking("val_f1", "max")
    assert effects_of(ranked_rows(mixed, ranking), ranking) is None
    told(mixed, tmp_path)
    assert not (tmp_path / "effects.csv").exists()


def test_what_matters_is_the_metrics_own_unless_it_is_typed(tmp_path):
    one = trials()[:1]
    assert ranking_of(one, Settings(tmp_path, "none")).matters == 0.02
    assert ranking_of(one, Settings(tmp_path, "none", matters=0.3)).matters == 0.3
    assert ranking_of(one, Settings(tmp_path, "none", reference="loss=bce")).reference == "loss=bce"


def test_trials_of_different_code_are_told():
    ran = [
        Entry({"seed": str(seed)}, State.FINISHED, {"objective": {}}, f"runs/{seed}", seed, code)
        for seed, code in enumerate(("a", "b", "a"))
    ]
    [line] = code_notes(ran)
    assert "2 versions of the code in src/ (2, 1 trials)" in line
    assert code_notes([ran[0], ran[2]]) == []
    assert code_notes([*ran[:1], Entry({}, State.QUEUED, {}, "runs/3", 3, "b")]) == []


def _row(name: str, value: float, *, confirms: bool = False, rank: int | None = None) -> Row:
    row = Row("trial", name, {"x": name}, confirms=confirms, rank=rank)
    row.values = {"val_f1": {1: value}, "f1": {1: value}}
    return row


def test_the_maximum_of_a_search_is_told_beside_its_confirmation() -> None:
    ranking = Ranking("val_f1", "max")
    tried = [_row("a", 0.9), _row("b", 0.8)]
    again = [_row("b", 0.7, confirms=True, rank=1), _row("a", 0.6, confirms=True, rank=2)]
    [told] = confirmation([*again, *tried], ranking)
    assert "of 2 configurations" in told
    assert "maximum was 0.9000 in val_f1 (a); with fresh seeds it has 0.6000, on rank 2." in told
    [told] = confirmation([again[0], *tried], ranking)
    assert told.endswith("(a), which was not run again.")
    assert confirmation(tried, ranking) == []
