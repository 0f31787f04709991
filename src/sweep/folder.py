"""A trial's folder: its lock, its state, its earlier attempts, and requests to stop."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from src.fingerprint import replacing, write_json
from src.sweep.state import State, StopReason

_KEPT = ("attempts", ".lock", "status.json")
_CARRIED_ON = ("checkpoints", "history.csv", "progress.jsonl")
_BEST = "checkpoints/best.ckpt"
_RESULTS = ("metrics.json", "predictions.npz", _BEST)


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

        `running` without a process that holds the lock is `killed`, `finished` without its results is `damaged`.
        """
        state = self.status().get("state")
        if state not in list(State):
            return None
        if state == State.FINISHED and self.damaged():
            return State.DAMAGED
        return State.KILLED if state == State.RUNNING and not self.locked() else State(state)

    def ended(self) -> bool:
        """Whether the attempt has written how it ended."""
        state = self.status().get("state")
        return state in list(State) and State(state).final

    def damaged(self) -> list[str]:
        """Return the results of a finished trial that are gone, or not as large as they were written.

        `best.ckpt` may be deleted to save space, but others that are gone can't be computed again without it.
        """
        results = self.status().get("results", {})
        damaged = [name for name, size in results.items() if not self._whole(name, size)]
        return [] if damaged == [_BEST] and not (self.path / _BEST).exists() else damaged

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
            resume: whether to keep the earlier attempt's checkpoints, history, progress and `environment`.
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
        elif self.has_files():
            attempt = int(earlier.get("attempt") or self._n_put_away() + 1) + 1
            self._put_away(attempt - 1, resume)
        with replacing(self.path / "config.yaml") as temporary:
            OmegaConf.save(OmegaConf.create(dict(config)), temporary)
        begun = {"state": state, "exit_code": None, "error": None, "attempt": attempt, "code": code}
        kept = {"environment": earlier["environment"]} if resume and "environment" in earlier else {}
        # The last step: until then the folder is that of the earlier attempt, and can be begun again.
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
        sizes = {name: (self.path / name).stat().st_size for name in _RESULTS if (self.path / name).exists()}
        results = {"results": sizes} if state == State.FINISHED else {}
        self.update(state=state, exit_code=exit_code, error=error, **results)

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

    def has_files(self) -> bool:
        """Whether an attempt has left anything here, even if its `status.json` is gone."""
        entries = {entry.name for entry in self.path.iterdir()} if self.path.exists() else set()
        return bool(entries - {".lock", "attempts"})

    def _n_put_away(self) -> int:
        """Return the greatest number of an attempt in `attempts/`, 0 where there is none."""
        names = [entry.name for entry in self.path.glob("attempts/*")]
        return max((int(name) for name in names if name.isdigit()), default=0)

    def _whole(self, name: str, size: int) -> bool:
        path = self.path / name
        whole = path.exists() and path.stat().st_size == size
        return whole and (name != "metrics.json" or "objective" in self.metrics())

    def set_aside(self) -> None:
        """Move results and checkpoints to `attempts/<k>/`: they are not this trial's, and nothing goes on from them."""
        target = self.path / "attempts" / str(self.status()["attempt"])
        target.mkdir(parents=True, exist_ok=True)
        for name in {Path(result).parts[0] for result in _RESULTS}:
            if (self.path / name).exists():
                (self.path / name).rename(_vacant(target / name))

    def _put_away(self, attempt: int, resume: bool) -> None:
        """Move an attempt's files to `attempts/<attempt>/`; what the next attempt needs to resume it is copied.

        A process that is killed in between leaves the state and, to resume, the checkpoints of the earlier attempt
        where they were, so that the next call does the rest.
        """
        target = self.path / "attempts" / str(attempt)
        target.mkdir(parents=True, exist_ok=True)
        # The list is made before the first move, since a folder must not be read while its entries change.
        for entry in list(self.path.iterdir()):
            if entry.name == "status.json" or (resume and entry.name in _CARRIED_ON):
                # A copy, so that the earlier attempt stays complete when the next one writes its own checkpoints.
                (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, _vacant(target / entry.name))
            elif entry.name not in _KEPT:
                entry.rename(_vacant(target / entry.name))


def _vacant(path: Path) -> Path:
    """Remove what a process that was killed has left at a path, and return the path."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return path


def what_to_do(
    folder: TrialFolder, code: str, *, retry: bool | str, reuse: str, test: bool = True
) -> tuple[str, str]:
    """Return what a repeated command does with a trial, and why.

    Args:
        folder: the trial's folder.
        code: the fingerprint of the code as it is now.
        retry: `false` leaves failed trials; `true` runs them again from their last checkpoint, those that diverged from
            the beginning; `fresh` runs all from the beginning.
        reuse: `any` to reuse results of other code, too.
        test: whether its figures on test are wanted.

    Returns:
        `(action, reason)`; the action is `run`, `resume`, `reuse` (it has finished) or `leave` (it has failed).
    """
    state = folder.state()
    if state is None:
        return "run", "status.json is gone or damaged, starts again" if folder.has_files() else "new"
    other_code = folder.status().get("code") != code and reuse != "any"
    if other_code:
        return "run", f"{state}, but the code has changed since"
    if state is State.FINISHED and (folder.status().get("test", True) or not test):
        return "reuse", state
    if state.retried and not retry:
        return "leave", f"{state}; retry=true runs it again"
    anew = state.retried and (retry == "fresh" or state == State.NAN)
    if state == State.DAMAGED:
        lost = folder.damaged()
        state_told, anew = f"finished, but {' and '.join(lost)} is gone or damaged", _BEST in lost
    else:
        state_told = "finished, but not tested" if state is State.FINISHED else str(state)
    if folder.last_checkpoint() and not anew:
        return "resume", f"{state_told}, goes on from its last checkpoint"
    return "run", f"{state_told}, starts again"


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        status = path.stat()
        return dict(_parsed(path, (status.st_ino, status.st_mtime_ns, status.st_size)))
    return {}


@lru_cache(maxsize=4)
def _parsed(path: Path, _: tuple[int, int, int]) -> dict[str, Any]:
    """Return an object of JSON in a file, read once while nothing replaces or changes the file.

    Raises:
        OSError: it can't be read.
        ValueError: it holds no such object.
    """
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no object")
    return value
