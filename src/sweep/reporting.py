"""What a sweep says of its leaderboard: ranking and verdicts, effects of the swept keys, tuning curves."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from src.fingerprint import write_text
from src.jackknife import Jackknife
from src.processes import call
from src.spreadsheets import safe_csv
from src.sweep.comparison.effects import MOST_VALUES, Effect, Effects, grid_effects
from src.sweep.protocol import load_trial
from src.sweep.ranking import MATTERS, Ranking
from src.sweep.rows import Entry, Row, judged_name, objective_of
from src.sweep.settings import Settings
from src.sweep.state import State
from src.sweep.table_text import edge_notes, markdown


def ranking_of(trials: Sequence[Entry], settings: Settings) -> Ranking:
    """Return how the rows of a sweep are ranked and judged, with what its trials have kept of their test items."""
    objective, direction = objective_of(trials)
    finished = [entry for entry in trials if entry.state == State.FINISHED and entry.metrics]
    matters = settings.matters
    if matters is None:
        told = [entry.metrics["objective"].get("matters", MATTERS) for entry in finished]
        matters = float(max(told, default=MATTERS))
    cautions = {
        key: text
        for entry in finished
        for key, text in entry.metrics["objective"].get("cautions", {}).items()
    }
    kept: dict[str, Jackknife | None] = {}
    if len(finished) > 1:
        runs = [entry.run for entry in finished]
        folders = [settings.outputs / run for run in runs]
        metric = objective.removeprefix("val_")
        kept = dict(zip(runs, call(kept_of, settings.trial, folders, metric), strict=True))
    return Ranking(objective, direction, matters, settings.reference, kept, cautions)


def kept_of(trial: str, folders: Sequence[Path], metric: str) -> Sequence[Jackknife | None]:
    """Return what trials have kept of their test items. Runs in a child process, since it needs the heavy imports."""
    return load_trial(trial).jackknife(folders, metric)


def notes_of(
    rows: Sequence[Row], ranking: Ranking, table: pd.DataFrame, effects: Effects | None
) -> list[str]:
    """Return the sentences beneath the table.

    Args:
        rows: ranked and judged.
        ranking: of the rows.
        table: of the rows and the baselines.
        effects: of the swept keys.
    """
    return [
        *confirmation(rows, ranking),
        *reservations(rows, ranking),
        *edge_notes(table),
        *effect_notes(effects, ranking),
    ]


def confirmation(rows: Sequence[Row], ranking: Ranking) -> list[str]:
    """Return what a search's maximum is worth: the best of many figures is flattered by its luck (winner's curse).

    Args:
        rows: ranked, of a search that has confirmed its best configurations; otherwise nothing is returned.
        ranking: of the rows.
    """
    best = next((row for row in rows if row.confirms and row.rank == 1), None)
    tried = [row for row in rows if not row.confirms and row.values.get(ranking.objective)]
    if best is None or not tried:
        return []
    luckiest = min(tried, key=ranking.loss)
    ranked = sum(row.rank is not None for row in rows)
    told = (
        f"Confirmed: ranks and verdicts are of {ranked} configurations, run again with fresh seeds. The search's own "
        f"maximum was {luckiest.mean(ranking.objective):.4f} in {ranking.objective} ({luckiest.name})"
    )
    again = next((row for row in rows if row.confirms and row.rank and row.swept == luckiest.swept), None)
    if again is None:
        return [f"{told}, which was not run again."]
    return [f"{told}; with fresh seeds it has {again.mean(ranking.objective):.4f}, on rank {again.rank}."]


def code_notes(trials: Sequence[Entry]) -> list[str]:
    """Return a warning where trials with results ran different versions of the code."""
    versions = Counter(entry.code for entry in trials if entry.metrics)
    if len(versions) < 2:
        return []
    return [
        f"These trials ran {len(versions)} versions of the code in src/ ({', '.join(map(str, versions.values()))} "
        "trials): a difference may be the code's. The command with all values runs those of other code again."
    ]


def write_leaderboard(
    table: pd.DataFrame, notes: Sequence[str], effects: Effects | None, folder: Path
) -> None:
    """Write `leaderboard.csv`, `.md` and, of a grid, `effects.csv`.

    Args:
        table: of the rows and the baselines.
        notes: the sentences beneath it.
        effects: of the swept keys.
        folder: of the sweep.
    """
    write_text(folder / "leaderboard.csv", safe_csv(table))
    write_text(folder / "leaderboard.md", markdown(table, notes))
    if effects is not None:
        lines = pd.DataFrame([vars(effect) for effect in (*effects.of_keys, *effects.interactions)])
        write_text(folder / "effects.csv", safe_csv(lines))


def effects_of(rows: Sequence[Row], ranking: Ranking) -> Effects | None:
    """Return the effects of the swept keys on test; `None` where the rows are no full grid on the same items."""
    tested = [row for row in rows if row.values.get(ranking.metric)]
    if len(tested) < len(rows) or len({row.data for row in tested}) != 1:
        return None
    return grid_effects([row.swept for row in tested], ranking.results(tested))


def reservations(rows: Sequence[Row], ranking: Ranking) -> list[str]:
    """Return what limits the verdicts: one seed, figures without items, choices that the objective favours."""
    judged = [row for row in rows if row.judgement is not None]
    if not judged:
        return []
    told = [
        f"What matters: a difference of more than {ranking.matters:g} in {ranking.metric} (sweep.matters)."
    ]
    swept = {key.partition(".")[0] for row in judged for key in row.swept}
    told += [text for group, text in ranking.cautions.items() if group in swept]
    told += _flattery(judged, ranking)
    if all(row.judgement is None or row.judgement.low is None for row in judged):
        told.append("Nothing tells the variation over seeds: sweep seed=1,2,3 for verdicts.")
    elif any(result.without is None for result in ranking.results(judged)):
        told.append("Intervals are over seeds only: the choice of test items is not in them.")
    return told


def _flattery(rows: Sequence[Row], ranking: Ranking) -> list[str]:
    """Return how much the choice of the best epoch flatters validation figures, and what that changes."""
    flattered = [value for row in rows for value in row.flattered]
    if not flattered:
        return []
    mean = sum(flattered) / len(flattered)
    told = f"The choice of the best epoch flatters {ranking.objective} by {mean:.4f} on average"
    if not ranking.reorders(rows):
        return [f"{told}, which changes no rank."]
    return [
        f"{told}, and not all rows alike: they are ranked by {judged_name(ranking.objective)}, without it."
    ]


def effect_notes(effects: Effects | None, ranking: Ranking) -> list[str]:
    """Return a sentence for each effect of a swept key, and for each interaction."""
    if effects is None:
        return []
    measure = "what the keys do not explain together" if effects.one_seed else "the seeds"
    title = (
        f"Effects on {ranking.metric} (test), each over all values of the other keys, "
        f"with 95 % intervals by {measure}:"
    )
    told = [title, *(f"  {_told(effect)}" for effect in (*effects.of_keys, *effects.interactions))]
    if effects.left_out:
        told.append(f"  {', '.join(effects.left_out)}: more than {MOST_VALUES} values, left out here")
    return told


def _told(effect: Effect) -> str:
    interval = f"{effect.value:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}]"
    return f"{effect.key}: {effect.name} {interval}"
