"""`progress.jsonl`: written by the trial, a line an epoch; read by whoever watches over it."""

import json
import math
import time
from pathlib import Path
from typing import Any

from src.sweep.folder import TrialFolder
from src.sweep.protocol import Report
from src.sweep.state import StopReason

NAME = "progress.jsonl"


class Stopped(BaseException):
    """The sweep wants the trial to stop. No `except Exception` in the trial may swallow it."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.explanation)
        self.reason = reason


class ProgressWriter:
    """The `report` of a trial: writes the line of an epoch, then stops the trial where `stop.json` says so.

    Args:
        folder: the trial's.
        then: is called with the line, too.
    """

    def __init__(self, folder: TrialFolder, then: Report) -> None:
        self._folder = folder
        self._then = then
        self._begun = time.monotonic()

    def __call__(self, progress: dict[str, Any]) -> None:
        """Write a line.

        Args:
            progress: `epoch` (how many are done), `epochs` (of how many) and `objective`.

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
        self._then(progress)
        if reason := self._folder.asked_to_stop():
            raise Stopped(reason)


class ProgressReader:
    """Reads the lines that a trial has written since the last look.

    Args:
        folder: the trial's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._offset = 0

    def new_lines(self) -> list[dict[str, Any]]:
        """Return the lines that are new; one that is half written is left for the next time."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]
