"""`progress.jsonl`: the trial writes a line per epoch, and the process that watches it reads them."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from src.sweep.folder import TrialFolder
from src.sweep.learning_curve import LearningCurve
from src.sweep.limits import Limits
from src.sweep.protocol import Report
from src.sweep.state import StopReason

NAME = "progress.jsonl"


class Stopped(BaseException):
    """The sweep stops the trial; no `Exception`, so that `except Exception` in the trial doesn't catch it."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.explanation)
        self.reason = reason


class ProgressWriter:
    """The `report` of a trial: writes a line per epoch, and stops the trial if `stop.json` or `limits.json` say so.

    Args:
        folder: of the trial.
        forward: another report that is called, too.
    """

    def __init__(self, folder: TrialFolder, forward: Report) -> None:
        self._folder = folder
        self._forward = forward
        self._begun = time.monotonic()
        self._curve = LearningCurve.of(ProgressReader(folder.path).new_lines())

    def __call__(self, progress: dict[str, Any]) -> None:
        """Write a line.

        Args:
            progress: `epoch` (number of epochs done), `epochs` (in total), `objective` and `direction` (`min` or
                `max`, by default `max`).

        Raises:
            Stopped: there is a `stop.json`, or the trial is not as good as its limits demand. After the last epoch
                there is nothing left to stop.
        """
        objective = progress["objective"]
        line = {
            "epoch": progress["epoch"],
            "epochs": progress["epochs"],
            "time_s": round(time.monotonic() - self._begun, 3),
            "objective": objective if math.isfinite(objective) else None,
            "direction": progress.get("direction", "max"),
        }
        with (self._folder.path / NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._forward(progress)
        before = self._curve.done
        self._curve.add(line)
        reason = self._folder.asked_to_stop() or self._limited(before)
        if reason:
            raise Stopped(reason)

    def _limited(self, before: int) -> StopReason | None:
        limits, curve = Limits.read(self._folder.path), self._curve
        if limits and curve.done < curve.epochs and limits.stop(before, curve.done, curve.best):
            return limits.reason
        return None


class ProgressReader:
    """Reads the lines that a trial has written since the last call.

    Args:
        folder: of the trial.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._offset = 0

    def new_lines(self) -> list[dict[str, Any]]:
        """Return new lines; an incomplete line is left for the next call, a damaged one left out."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._offset += len(complete)
        found = []
        for line in complete.splitlines():
            with suppress(ValueError):
                progress = json.loads(line)
                if isinstance(progress, dict) and {"epoch", "epochs", "objective"} <= progress.keys():
                    found.append(progress)
        return found
