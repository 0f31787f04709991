"""The live table of a sweep; without a terminal, a line for each change of state."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table as RichTable

from src.sweep.job import Job
from src.sweep.state import State
from src.terminal import PrintableConsole

_STYLES = {
    State.RUNNING: "cyan",
    State.FINISHED: "green",
    "reused": "green",
    State.QUEUED: "dim",
    State.PAUSED: "yellow",
    State.PRUNED: "yellow",
    "elsewhere": "magenta",
}
_MOST_ROWS = 40


@dataclass
class _Line:
    name: str
    state: str = State.QUEUED
    slot: str = ""
    epoch: int | None = None
    epochs: int | None = None
    objective: float | None = None
    since: float | None = None

    def left_s(self) -> float | None:
        """Estimate the seconds left from the mean time of the epochs so far."""
        if self.state != State.RUNNING or not self.epoch or not self.epochs or self.since is None:
            return None
        return (time.monotonic() - self.since) / self.epoch * (self.epochs - self.epoch)


class Table:
    """Shows state, epoch, objective and time left of each trial.

    Args:
        jobs: the trials, in order.
        console: to print to; by default the standard output.
    """

    def __init__(self, jobs: list[Job], console: Console | None = None) -> None:
        self.console = console or PrintableConsole()
        self._lines = {job.signature: _Line(job.name) for job in jobs}
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self.heading: Callable[[], str] = self._heading
        """Returns the line above the table."""

    def __enter__(self) -> "Table":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def add(self, job: Job) -> None:
        """Add a line for a trial that was not known at the beginning."""
        self._lines.setdefault(job.signature, _Line(job.name))

    def update(self, signature: str, **changes: Any) -> None:
        """Update fields of a trial's line: `state`, `slot`, `epoch`, `epochs`, `objective`."""
        line = self._lines[signature]
        before = line.state
        for key, value in changes.items():
            setattr(line, key, value)
        if line.state == State.RUNNING and before != State.RUNNING:
            line.since = time.monotonic()
        if line.state != before and not self.console.is_terminal:
            self.console.print(
                f"{line.state:>11}  {line.name}", highlight=False, markup=False, soft_wrap=True
            )

    def refresh(self) -> None:
        """Redraw the table."""
        if self.console.is_terminal:
            self._live.update(self._draw(), refresh=True)

    def say(self, text: str) -> None:
        """Print a line above the table."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _heading(self) -> str:
        done = sum(
            line.state not in (State.QUEUED, State.RUNNING, "elsewhere") for line in self._lines.values()
        )
        return f"{done} of {len(self._lines)} trials done"

    def _draw(self) -> RichTable:
        table = RichTable(title=escape(self.heading()), title_justify="left")
        for column in ("trial", "state", "slot", "epoch", "objective", "left"):
            table.add_column(column)
        shown = sorted(self._lines.values(), key=lambda line: line.state not in (State.RUNNING, "elsewhere"))
        for line in shown[:_MOST_ROWS]:
            left = line.left_s()
            table.add_row(
                escape(line.name),
                f"[{_STYLES.get(line.state, 'red')}]{line.state}[/]",
                line.slot,
                "" if line.epoch is None else f"{line.epoch}/{line.epochs}",
                "" if line.objective is None else f"{line.objective:.4f}",
                "" if left is None else f"{left:.0f} s",
            )
        return table
