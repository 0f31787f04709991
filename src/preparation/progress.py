"""Progress of a long preparation: a bar on a terminal, elsewhere a line every ten seconds."""

import sys
import time
from types import TracebackType

import rich.console
import rich.progress

from src.messages import say

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows items done, items per second and time left on stderr.

    Args:
        title: names what is being made.
        total: number of items.
    """

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total
        self._done = 0
        self._started = self._said = time.monotonic()
        self._bar = _bar() if sys.stderr.isatty() else None
        self._task = self._bar.add_task(title, total=total, rate="") if self._bar else None

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            self._say()

    def advance(self, items: int) -> None:
        """Add to the count of items that are done."""
        self._done += items
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, rate=f"{self._rate():.0f}/s")
        elif time.monotonic() - self._said > _SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            self._say()

    def _rate(self) -> float:
        return self._done / max(time.monotonic() - self._started, 1e-9)

    def _say(self) -> None:
        left = (self._total - self._done) / max(self._rate(), 1e-9)
        say(f"{self._title}: {self._done} of {self._total}, {self._rate():.0f} a second, {left:.0f} s left")


def _bar() -> rich.progress.Progress:
    return rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("{task.fields[rate]}"),
        rich.progress.TimeRemainingColumn(),
        console=rich.console.Console(stderr=True),
    )
