"""The leaderboard as text: its cells, the Markdown table, and what is said beneath it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def summary_columns(table: pd.DataFrame) -> list[str]:
    """Return the metrics for narrow tables: the objective, the same metric on test, and the next two."""
    names = [column.removesuffix("_mean") for column in table.columns if column.endswith("_mean")]
    return names[:4]


def cell(line: Mapping[Any, Any], metric: str) -> str:
    """Format a metric: `0.953 ± 0.004` over seeds, `0.953 [0.941, 0.962]` for one seed, empty without a value."""
    mean, std = line[f"{metric}_mean"], line[f"{metric}_std"]
    if pd.isna(mean):
        return ""
    if not pd.isna(std):
        return f"{mean:.4f} ± {std:.4f}"
    low, high = line.get(f"{metric}_low"), line.get(f"{metric}_high")
    return f"{mean:.4f}" if low is None or pd.isna(low) else f"{mean:.4f} [{low:.3f}, {high:.3f}]"


def shown_names(table: pd.DataFrame) -> list[str]:
    """Return the names of rows for display; baselines of the same name get the options that distinguish them."""
    columns = list(table.columns)
    keys = columns[columns.index("name") + 1 : columns.index("n_seeds")]
    baselines = table["kind"] == "baseline"
    several = table["name"].where(baselines).duplicated(keep=False) & baselines
    return [
        _with_keys(line, keys) if more else str(line["name"])
        for line, more in zip(table.to_dict("records"), several, strict=True)
    ]


def _with_keys(line: Mapping[Any, Any], keys: Sequence[str]) -> str:
    shared = ", ".join(f"{key.removeprefix('data.')}={line[key]}" for key in keys if line[key] != "")
    return f"{line['name']} ({shared})" if shared else str(line["name"])


def verdict_cell(line: Mapping[Any, Any]) -> str:
    """Format a verdict, and what would settle it: `undecided, about 4 more seeds would tell`."""
    if pd.isna(line["verdict"]):
        return ""
    if line["more_items"] is True:
        return f"{line['verdict']}, only more test items would tell"
    if pd.isna(line["more_seeds"]):
        return str(line["verdict"])
    more = int(line["more_seeds"])
    return f"{line['verdict']}, about {more} more seed{'s' if more > 1 else ''} would tell"


def difference_cell(line: Mapping[Any, Any]) -> str:
    """Format how far a row is behind the best on validation: `+0.012 [0.004, 0.020]`, negative where it is ahead."""
    if pd.isna(line["behind"]):
        return ""
    if pd.isna(line["behind_low"]):
        return f"{line['behind']:+.4f}"
    return f"{line['behind']:+.4f} [{line['behind_low']:+.3f}, {line['behind_high']:+.3f}]"


def data_names(table: pd.DataFrame) -> list[str]:
    """Return what identifies the data of each table, in order; a sweep over the data has several."""
    trials = table[(table["kind"] == "trial") & table["rank"].notna()]
    return list(dict.fromkeys(trials["test_items"])) or [""]


def markdown(table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """Return the leaderboard as Markdown: a table for the data of each test, and what it says in sentences.

    Args:
        table: from `src.sweep.leaderboard`.
        notes: sentences for beneath the tables.
    """
    names = data_names(table)
    several = len(names) > 1
    blocks = []
    for number, data in enumerate(names):
        unranked = (table["kind"] == "trial") & table["rank"].isna() & (number == 0)
        chosen = table[
            (table["test_items"] == data) & (table["rank"].notna() | (table["kind"] == "baseline")) | unranked
        ]
        title = [f"Test items {data}:", ""] if several else []
        blocks.append("\n".join([*title, *_table(chosen), ""]))
    apart = [_APART] if several else []
    return "\n".join([*blocks, *(f"{note}\n" for note in [*notes, *apart]), _NOTE, ""])


def edge_notes(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each swept number of which the best row has the least or greatest that was tried."""
    notes = []
    for line in table[table["rank"] == 1].to_dict("records"):
        for key in str(line["edge"]).split():
            notes.append(
                f"EDGE: the best has {key}={line[key]}, the end of the values that were tried; try some beyond it."
            )
    return list(dict.fromkeys(notes))


def _table(table: pd.DataFrame) -> list[str]:
    metrics = summary_columns(table)
    columns = [
        "rank",
        "name",
        "seeds",
        *metrics,
        "behind the first",
        "verdict",
        "P(best)",
        "state",
        "time (s)",
    ]
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for name, line in zip(shown_names(table), table.to_dict("records"), strict=True):
        cells = [
            "" if pd.isna(line["rank"]) else str(int(line["rank"])),
            f"*{name}*" if line["kind"] == "baseline" else name,
            "" if pd.isna(line["n_seeds"]) else str(int(line["n_seeds"])),
            *(cell(line, metric) for metric in metrics),
            difference_cell(line),
            verdict_cell(line),
            "" if pd.isna(line["p_best"]) else f"{line['p_best']:.2f}",
            str(line["state"]),
            "" if pd.isna(line["time_s"]) else f"{line['time_s']:.1f}",
        ]
        lines.append("| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |")
    return lines


_APART = (
    "Configurations that were tested on different items are in tables of their own: "
    "their figures can't be compared."
)
_NOTE = (
    "Ranked by the objective on validation (`val_…`); all else is on test. Over several seeds: mean ± standard "
    "deviation; with one: a 95 % bootstrap interval over the test items. 'Behind the first' is the difference on test "
    "to the row that validation ranks first (of that row itself: to the best other), with a 95 % interval that holds "
    "for all rows at once, over seeds and test items. Verdicts: 'worse' by more than what matters, 'among the best', "
    "or 'undecided' where the interval allows both; one seed decides nothing. *Baselines* are measured on the same "
    "items."
)
