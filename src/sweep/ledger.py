"""`jobs.jsonl`: a line for each change of state of a sweep's trials."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Ledger:
    """Appends to a sweep's `jobs.jsonl`.

    Args:
        path: the file; existing lines stay, even if the last one was cut off when a process was killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")

    def write(
        self,
        signature: str,
        state: str,
        *,
        overrides: list[str],
        attempt: int | None = None,
        slot: str | None = None,
        exit_code: int | None = None,
        proposal: int | None = None,
        confirms: bool = False,
    ) -> None:
        """Append a line.

        Args:
            signature: of the trial.
            state: a `State`, or `reused`.
            overrides: of the trial.
            attempt: its number.
            slot: that it runs in.
            exit_code: of its process.
            proposal: its number among the proposals of a search, where it is one.
            confirms: whether it runs one of a search's best configurations again.
        """
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "signature": signature,
            "attempt": attempt,
            "overrides": overrides,
            "state": state,
            "slot": slot,
            "exit_code": exit_code,
        }
        if proposal is not None:
            line["proposal"] = proposal
        if confirms:
            line["confirms"] = True
        left = memoryview(json.dumps(line, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")
        self._path.parent.mkdir(parents=True, exist_ok=True)  # it may have been deleted meanwhile
        with self._path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError:  # half a line would spoil the next one
                file.truncate(end)
                raise

    def lines(self) -> list[dict[str, Any]]:
        """Return all complete lines written so far; damaged ones are left out."""
        found: list[dict[str, Any]] = []
        if not self._path.exists():
            return found
        for line in self._path.read_bytes().decode("utf-8", errors="replace").split("\n"):
            with suppress(json.JSONDecodeError):
                entry = json.loads(line)
                if isinstance(entry, dict) and {"signature", "overrides"} <= entry.keys():
                    found.append(entry)
        return found
