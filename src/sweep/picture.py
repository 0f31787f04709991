"""`leaderboard.png`: trials as bars with error bars, baselines as lines."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from src.sweep.comparison.verdicts import Verdict
from src.sweep.table_text import shown_names

BAR = "#3b6ea5"
WORSE = "#b0b0b0"
MOST_ROWS = 30
MOST_CHARACTERS = 48


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw the test metric that corresponds to the objective, best on top.

    Args:
        table: from `src.sweep.leaderboard.leaderboard`.
        path: of the picture.
    """
    objective = next(column for column in table.columns if column.endswith("_mean")).removesuffix("_mean")
    on_test = objective.removeprefix("val_")
    metric = on_test if f"{on_test}_mean" in table else objective
    trials = table[(table["kind"] == "trial") & table["rank"].notna()].head(MOST_ROWS).iloc[::-1]
    figure = Figure(figsize=(8, 1.3 + 0.42 * max(len(trials), 1)), layout="constrained")
    axes = figure.subplots()
    if len(trials):
        colours = [WORSE if verdict == Verdict.WORSE else BAR for verdict in trials["verdict"]]
        mean = trials[f"{metric}_mean"].astype(float)
        axes.barh(
            range(len(trials)),
            mean,
            tick_label=[_plain(shortened(str(name))) for name in trials["name"]],
            xerr=_errors(trials, metric),
            color=colours,
            capsize=3,
        )
        ends = (mean.to_numpy() + np.array(_errors(trials, metric)[1])).tolist()
        for row, (value, end) in enumerate(zip(mean.tolist(), ends, strict=True)):
            axes.annotate(
                f"{value:.3f}",
                (max(end, 0.0), row),
                (6, 0),
                textcoords="offset points",
                va="center",
                bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.0},
            )
        axes.margins(x=0.12)
    named = table.assign(name=shown_names(table))
    for number, line in enumerate(named[named["kind"] == "baseline"].to_dict("records")):
        score = line.get(f"{metric}_mean")
        if score is not None and not pd.isna(score):
            axes.axvline(score, color=f"C{number + 1}", linestyle="--", label=f"{line['name']} {score:.3f}")
    axes.set_xlabel(f"{metric} on test" if metric == on_test else metric)
    worse = (trials["verdict"] == Verdict.WORSE).any()
    grey = "; grey: worse than the first" if worse else ""
    axes.set_title(f"ranked by {objective}{grey}", fontsize="medium", loc="left")
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, title="baselines", fontsize="small")
    figure.savefig(path, dpi=110)


def shortened(name: str) -> str:
    """Return a name of at most `MOST_CHARACTERS`, its middle left out: bars need room, too."""
    half = MOST_CHARACTERS // 2
    return name if len(name) <= MOST_CHARACTERS else f"{name[: half - 1]}…{name[-half:]}"


def _plain(name: str) -> str:
    """Escape dollar signs, which would begin a formula."""
    return name.replace("$", r"\$")


def _errors(trials: pd.DataFrame, metric: str) -> list[list[float]]:
    low, high = [], []
    for line in trials.to_dict("records"):
        mean, std = line[f"{metric}_mean"], line[f"{metric}_std"]
        if not pd.isna(std):
            bounds = (std, std)
        elif line[f"{metric}_low"] is not None and not pd.isna(line[f"{metric}_low"]):
            bounds = (mean - line[f"{metric}_low"], line[f"{metric}_high"] - mean)
        else:
            bounds = (0.0, 0.0)
        low.append(max(0.0, float(bounds[0])))
        high.append(max(0.0, float(bounds[1])))
    return [low, high]
