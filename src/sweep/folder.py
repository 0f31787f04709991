"""A trial's folder: its lock, its state, its earlier attempts, and requests to stop."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from src.fingerprint import write_json
from src.sweep.state import State, StopReason

_KEPT = ("attempts", ".lock")
_CARRIED_ON = ("checkpoints", "history.csv")


class TrialFolder:
    """Reads and writes the files of a sweep in `outputs/runs/<signature>/`.

    Args:
        path: the folder; `lock` and `begin` create it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / ".lock")

    def lock(self) -> bool:
        """Lock the folder for this process; return `False` if another process is running this trial."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        return True

    def unlock(self) -> None:
        """Release the lock."""
        self._lock.release()

    def locked(self) -> bool:
        """Whether another process is running this trial."""
        if not (self.path / ".lock").exists():
            return False
        if not self.lock():
            return True
        self.unlock()
        return False

    def status(self) -> dict[str, Any]:
        """Return the content of `status.json`; empty if there is none or it cannot be read."""
        return _read(self.path / "status.json")

    def metrics(self) -> dict[str, Any]:
        """Return the content of `metrics.json`; empty if there is none or it cannot be read."""
        return _read(self.path / "metrics.json")

    def state(self) -> State | None:
        """Return the state in `status.json`; `None` if the trial is new.

        `running` without a process that holds the lock is `killed`.
        """
        state = self.status().get("state")
        if state not in list(State):
            return None
        return State.KILLED if state == State.RUNNING and not self.locked() else State(state)

    def update(self, **changes: Any) -> None:
        """Set keys of `status.json`, atomically."""
        write_json(self.path / "status.json", self.status() | changes)

    def begin(
        self,
        config: Mapping[str, Any],
        *,
        resume: bool,
        code: str,
        state: State = State.RUNNING,
        **status: Any,
    ) -> int:
        """Start an attempt: move the earlier one to `attempts/<k>/`, and write configuration and state of the new one.

        If the earlier attempt is still queued, no process has run it, and the new one takes its number and place.

        Args:
            config: the frozen configuration, written as `config.yaml`.
            resume: whether to keep the earlier attempt's checkpoints, history and `environment`.
            code: the fingerprint of the code that runs.
            state: `queued` where another process will run it.
            status: further keys of `status.json`.

        Returns:
            The number of this attempt, from 1.
        """
        from omegaconf import OmegaConf

        self.path.mkdir(parents=True, exist_ok=True)
        attempt, earlier = 1, self.status()
        if earlier.get("state") == State.QUEUED and (resume or not self.last_checkpoint()):
            attempt = int(earlier["attempt"])  # no process has run it
            (self.path / "stop.json").unlink(missing_ok=True)
        elif (self.path / "status.json").exists():
            attempt = int(earlier.get("attempt", 1)) + 1
            self._put_away(attempt - 1, resume)
        OmegaConf.save(OmegaConf.create(dict(config)), self.path / "config.yaml")
        begun = {"state": state, "exit_code": None, "error": None, "attempt": attempt, "code": code}
        kept = {"environment": earlier["environment"]} if resume and "environment" in earlier else {}
        write_json(self.path / "status.json", begun | kept | status)
        return attempt

    def ask_to_stop(self, reason: StopReason) -> None:
        """Write `stop.json`, which the trial reads after each epoch."""
        write_json(self.path / "stop.json", {"reason": reason})

    def asked_to_stop(self) -> StopReason | None:
        """Return the reason in `stop.json`; `None` if there is none."""
        reason = _read(self.path / "stop.json").get("reason")
        return StopReason(reason) if reason in list(StopReason) else None

    def end(self, state: State, exit_code: int, error: str | None = None) -> None:
        """Write how the attempt ended.

        Args:
            state: a final one.
            exit_code: of its process.
            error: the last lines of the error, if there was one.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.update(state=state, exit_code=exit_code, error=error)

    def last_checkpoint(self) -> Path | None:
        """Return the path of `checkpoints/last.ckpt`; `None` if there is none."""
        path = self.path / "checkpoints" / "last.ckpt"
        return path if path.exists() else None

    def log_tail(self, lines: int = 5) -> str:
        """Return the last lines of `train.log`; empty if there is none."""
        with suppress(OSError):
            text = (self.path / "train.log").read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.strip().splitlines()[-lines:])
        return ""

    def _put_away(self, attempt: int, resume: bool) -> None:
        """Move an attempt's files to `attempts/<attempt>/`; to resume it, copy back what the next needs."""
        target = self.path / "attempts" / str(attempt)
        target.mkdir(parents=True, exist_ok=True)
        # The lock is held while files move, and `attempts` is where they go: both stay. The list is made before the
        # first move, since a folder must not be read while its entries change.
        for entry in list(self.path.iterdir()):
            if entry.name not in _KEPT:
                shutil.move(str(entry), str(target / entry.name))
        # Copies, so that the earlier attempt stays complete when the next one writes its own checkpoints.
        for name in _CARRIED_ON if resume else ():
            if (target / name).is_dir():
                shutil.copytree(target / name, self.path / name)
            elif (target / name).exists():
                shutil.copy2(target / name, self.path / name)


def what_to_do(folder: TrialFolder, code: str, *, retry: bool, reuse: str) -> tuple[str, str]:
    """Return what a repeated command does with a trial, and why.

    Args:
        folder: the trial's folder.
        code: the fingerprint of the code as it is now.
        retry: whether to run failed trials again.
        reuse: `same_code`, or `any` to reuse results of other code, too.

    Returns:
        `(action, reason)`; the action is `run`, `resume`, `reuse` (it has finished) or `leave` (it has failed).
    """
    state = folder.state()
    if state is None:
        return "run", "new"
    other_code = folder.status().get("code") != code and reuse != "any"
    if other_code:
        return "run", f"{state}, but the code has changed since"
    if state.good:
        return "reuse", state
    if state.retried:
        return ("run", f"{state}, retried") if retry else ("leave", f"{state}; retry=true runs it again")
    return ("resume", f"{state}, goes on") if folder.last_checkpoint() else ("run", f"{state}, starts again")


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        value = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(value, dict):
            return value
    return {}
