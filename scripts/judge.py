"""Judge figures that are not in a leaderboard, such as those of a paper, by the leaderboard's rule.

    python scripts/judge.py FIGURES [--lower] [--matters 0.005] [--reference NAME]

FIGURES is a text file with a line for each configuration: its name, a colon, and its results, one for each seed, or
their mean, standard deviation and number:

    adam: 0.945 0.951 0.948
    sgd: 0.941 ± 0.006 (3)

Without `--reference` configurations are compared with the first line, which should be the one that validation chose.
The intervals are over seeds only: nothing is known of the test items.
"""

import argparse
import math
import re
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.errors import UserError
from src.sweep.comparison.results import Results
from src.sweep.comparison.verdicts import judge
from src.sweep.table_text import verdict_cell

SUMMARY = re.compile(r"(?P<mean>\S+)\s*±\s*(?P<deviation>\S+)\s*\((?P<seeds>\d+)\)")


def read_figures(text: str) -> dict[str, NDArray[np.float64]]:
    """Return the results of each configuration, (S,).

    Raises:
        UserError: a line is neither, or a name comes twice.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, _, told = (part.strip() for part in line.rpartition(":"))
        try:
            values = _values(told)
        except ValueError:
            raise UserError(
                f"line {number}: {line!r}: write `name: 0.81 0.83` or `name: 0.82 ± 0.01 (3)`."
            ) from None
        if not np.isfinite(values).all():
            raise UserError(
                f"line {number}: {line!r}: results are finite numbers; leave out trials that diverged."
            )
        if not name or name in found or not len(values):
            raise UserError(
                f"line {number}: {line!r}: give each configuration a name of its own and results."
            )
        found[name] = values
    if len(found) < 2:
        raise UserError("there is nothing to compare: give two configurations or more, one on each line.")
    return found


def _values(told: str) -> NDArray[np.float64]:
    summary = SUMMARY.fullmatch(told)
    if summary is None:
        return np.array([float(word) for word in told.split()])
    seeds, deviation = int(summary["seeds"]), float(summary["deviation"])
    if not 0 <= deviation < math.inf:
        raise ValueError(told)
    # Verdicts depend on mean and deviation only, so any values with these will do.
    places = np.arange(seeds) - (seeds - 1) / 2
    scale = deviation / places.std(ddof=1) if seeds > 1 else 0.0
    return np.asarray(float(summary["mean"]) + scale * places)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}); name a text file.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is no UTF-8 text; save it as UTF-8.") from None


def main() -> int:
    """Print the verdicts; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", type=Path)
    parser.add_argument("--lower", action="store_true", help="smaller figures are better")
    parser.add_argument("--matters", type=float, default=0.005, help="smallest difference worth a look")
    parser.add_argument("--reference", help="the configuration that all others are compared with")
    options = parser.parse_args()
    try:
        if not (math.isfinite(options.matters) and options.matters >= 0):
            raise UserError(f"--matters={options.matters}: choose a number that is not negative.")
        figures = read_figures(_text(options.figures))
        names = list(figures)
        if options.reference not in (None, *names):
            raise UserError(f"--reference={options.reference}: name one of {', '.join(names)}.")
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    chosen = names.index(options.reference or names[0])
    judged = judge(
        [Results(values) for values in figures.values()],
        chosen=chosen,
        higher_is_better=not options.lower,
        matters=options.matters,
        against_chosen_only=options.reference is not None,
    )
    for name, values, each in zip(names, figures.values(), judged, strict=True):
        interval = "" if each.low is None else f" [{each.low:+.4f}, {each.high:+.4f}]"
        behind = "" if each.behind is None else f"behind {each.behind:+.4f}{interval}"
        told = verdict_cell(
            {"verdict": each.verdict, "more_seeds": each.more_seeds, "more_items": each.more_items}
        )
        print(f"{name:28} {values.mean():.4f}  {behind}  {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
