"""`limits.json`: where a trial stops unless it is good enough. The sweep writes it, and the trial reads it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from src.fingerprint import write_json
from src.sweep.state import StopReason

NAME = "limits.json"


@dataclass(frozen=True)
class Limits:
    """After which epochs a trial stops, and up to which loss it goes on.

    The trial itself compares, so that it stops after the same epoch however late the sweep hears of it.

    Args:
        reason: why it stops: `pruned`, or `budget` for a pause.
        losses: by the number of epochs done, the greatest least loss so far (the objective, negated where more is
            better) with which it goes on; `None`: it stops in any case.
    """

    reason: StopReason
    losses: Mapping[int, float | None]

    def write(self, folder: Path) -> None:
        """Write them into a trial's folder."""
        losses = {str(epoch): loss for epoch, loss in self.losses.items()}
        write_json(folder / NAME, {"reason": self.reason, "losses": losses})

    @classmethod
    def read(cls, folder: Path) -> "Limits | None":
        """Return those of a trial, `None` where it has none or they can't be read."""
        with suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
            found = json.loads((folder / NAME).read_text(encoding="utf-8"))
            losses = {int(epoch): loss for epoch, loss in found["losses"].items()}
            return cls(StopReason(found["reason"]), losses)
        return None

    def stop(self, before: int, done: int, best: float) -> bool:
        """Whether a trial stops.

        Args:
            before: how many epochs were done when this was last asked.
            done: how many are done now.
            best: its least loss so far.
        """
        passed = (loss for epoch, loss in self.losses.items() if before < epoch <= done)
        return any(loss is None or not best <= loss for loss in passed)

    def next_stop(self, done: int) -> int | None:
        """Return after how many epochs it may stop next, `None` where it does not."""
        return min((epoch for epoch in self.losses if epoch > done), default=None)
