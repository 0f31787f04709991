"""The clock by which trials are timed: it stands still while the sweep itself does."""

import time

MOST_STEP_S = 5.0
"""Seconds between two looks at the clock that count; a sweep looks about twice a second."""


class Clock:
    """Counts the seconds in which the sweep's process runs.

    A sweep that was stopped (Ctrl-Z, a terminal that takes no output, a laptop that slept) could not see its trials
    end, so that time is no reason to call them slow.
    """

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds so far."""
        self._looked = time.monotonic()

    def tick(self) -> None:
        """Look at the time."""
        now = time.monotonic()
        self.now += min(now - self._looked, MOST_STEP_S)
        self._looked = now
