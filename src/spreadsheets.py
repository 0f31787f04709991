"""Tables for people, who open them in spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> Any:
    """Return a value that a spreadsheet does not take for a formula.

    Names of files and classes come from data of others. Text that begins like a formula gets an apostrophe in front,
    as OWASP advises against CSV injection; numbers stay.

    Args:
        value: a number, or anything that is written as its `str`.
    """
    text = str(value)
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) and not _is_number(text) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class TableWriter:
    """Writes rows of CSV whose cells are safe, see `safe_cell`.

    Args:
        file: opened for text with `newline=""`.
        header: names of the columns.
    """

    def __init__(self, file: IO[str], header: Sequence[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self.write([header])

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows."""
        self._writer.writerows([safe_cell(value) for value in row] for row in rows)


def safe_csv(table: "pd.DataFrame") -> str:
    """Return a table as CSV text whose cells are safe, see `safe_cell`; without the index."""
    safe = table.rename(columns=safe_cell)
    for column in safe.columns[[not _holds_numbers(kind) for kind in safe.dtypes]]:
        safe[column] = safe[column].map(safe_cell, na_action="ignore")
    return safe.to_csv(index=False)


def _holds_numbers(kind: Any) -> bool:
    return getattr(kind, "kind", "O") in "biufc"
