"""Says how far the planning of a large sweep is."""

import time

from src.messages import say

EVERY_S = 2.0


class Progress:
    """Prints a line every two seconds; nothing where the work takes less.

    Args:
        what: is done, as the line says it.
        total: number of steps.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._told = time.monotonic()

    def step(self) -> None:
        """Count a step, and print a line if it is time."""
        if time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            say(f"{self._what}: {self._done} of {self._total}")
        self._done += 1
