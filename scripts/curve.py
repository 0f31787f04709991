"""Draw a metric against a swept option: `python scripts/curve.py SWEEP KEY PICTURE.png [METRIC …]`.

SWEEP is the folder of a sweep (`outputs/sweeps/<name>`); of a KEY with lists their length counts. Without a METRIC, the
objective and the same on test are drawn.
"""

import sys
from pathlib import Path

import pandas as pd

from src.errors import UserError
from src.sweep.curve import curve, draw_curve
from src.sweep.table_text import summary_columns


def main(sweep: str, key: str, picture: str, *metrics: str) -> None:
    """Print the points and write the picture.

    Raises:
        UserError: there is no such sweep, option or metric.
    """
    path = Path(sweep) / "leaderboard.csv"
    if not path.is_file():
        raise UserError(f"{path} does not exist; give the folder of a sweep, outputs/sweeps/<name>")
    table = pd.read_csv(path)
    chosen = metrics or summary_columns(table)[:2]
    curves = {metric: curve(table, key, metric) for metric in chosen}
    for metric, points in curves.items():
        print(f"{metric}\n{points.to_string(index=False, float_format='%.4f')}")
    draw_curve(curves, key, ", ".join(chosen), Path(picture))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
