"""Write the learning curves of a finished grid to a table, for `benchmarks/replay.py`.

    python benchmarks/learning_curves.py outputs/sweeps/NAME optimizer loss optimizer.lr > TABLE.csv

A line a trial: the named keys, the seed, the objective on test, and the objective on validation after each epoch; empty
where a trial had diverged.
"""

import argparse
import csv
import sys
from pathlib import Path

from src.sweep.folder import TrialFolder
from src.sweep.ledger import Ledger
from src.sweep.progress import ProgressReader
from src.sweep.publish import entries

DIGITS = 5


def main() -> None:
    """Read the trials and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweep", type=Path, help="folder of a sweep")
    parser.add_argument("keys", nargs="+", help="that were swept")
    options = parser.parse_args()
    outputs = options.sweep.parent.parent
    trials = entries(Ledger(options.sweep / "jobs.jsonl"), outputs)
    curves = {}
    for entry in trials:
        lines = ProgressReader(outputs / entry.run).new_lines()
        values = {int(line["epoch"]): line["objective"] for line in lines}
        metrics = TrialFolder(outputs / entry.run).metrics()
        test = metrics["test"][metrics["objective"]["name"]] if metrics else None
        seed = entry.overrides.get("seed", "")
        curves[(*(entry.overrides[key] for key in options.keys), seed)] = (test, values)
    epochs = max(max(values, default=0) for _, values in curves.values())
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow([*options.keys, "seed", "test", *(f"epoch_{epoch}" for epoch in range(1, epochs + 1))])
    for key, (test, values) in curves.items():
        told = [values.get(epoch) for epoch in range(1, epochs + 1)]
        table.writerow([*key, *("" if value is None else f"{value:.{DIGITS}f}" for value in (test, *told))])


if __name__ == "__main__":
    main()
