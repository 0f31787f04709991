"""`progress.jsonl`: the trial writes a line per epoch, and the process that watches it reads them."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from src.sweep.folder import TrialFolder
from src.sweep.protocol import Report
from src.sweep.state import StopReason

NAME = "progress.jsonl"


class Stopped(BaseException):
    """The sweep stops the trial; no `Exception`, so that `except Exception` in the trial doesn't catch it."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.explanation)
        self.reason = reason


class ProgressWriter:
    """The `report` of a trial: writes a line per epoch, and stops the trial if there is a `stop.json`.

    Args:
        folder: of the trial.
        forward: another report that is called, too.
    """

    def __init__(self, folder: TrialFolder, forward: Report) -> None:
        self._folder = folder
        self._forward = forward
        self._begun = time.monotonic()

    def __call__(self, progress: dict[str, Any]) -> None:
        """Write a line.

        Args:
            progress: `epoch` (number of epochs done), `epochs` (in total) and `objective`.

        Raises:
            Stopped: there is a `stop.json`.
        """
        objective = progress["objective"]
        line = {
            "epoch": progress["epoch"],
            "epochs": progress["epochs"],
            "time_s": round(time.monotonic() - self._begun, 3),
            "objective": objective if math.isfinite(objective) else None,
        }
        with (self._folder.path / NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._forward(progress)
        if reason := self._folder.asked_to_stop():
            raise Stopped(reason)


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
