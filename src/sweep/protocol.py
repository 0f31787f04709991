"""The interface of trials for the sweep: a module with eight functions, named by its import path."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from src.errors import UserError
from src.jackknife import Jackknife
from src.options import Role

__all__ = ["Config", "Jackknife", "Report", "Trial", "load_trial"]

Config = Mapping[str, Any]
Report = Callable[[dict[str, Any]], None]
"""Called with `{"epoch", "epochs", "objective", "direction"}` when an epoch is done and its checkpoint written."""


@runtime_checkable
class Trial(Protocol):
    """A kind of trial; this project's is `src.trial`."""

    def freeze(self, config: Any, known: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration resolved and checked; raise UserError where it is refused.

        Configurations that differ in `seed` alone are frozen once, so the seed must be allowed to be any.

        Args:
            config: composed, plain values.
            known: empty for the first configuration of a sweep, then handed on from one to the next: here a trial may
                keep what it found out about options that they have in common.
        """

    def roles(self, config: Config) -> Mapping[str, frozenset[Role]]:
        """Return, by key of a frozen configuration, what has no effect on the result and what counts by content."""

    def incomparable(self, configs: Sequence[Config]) -> list[str]:
        """Return why frozen configurations can't be ranked together, a message for each reason."""

    def gpus(self) -> list[str]:
        """Return the names of the GPUs that trials may be placed on."""

    def gpus_needed(self, config: Config) -> int:
        """Return the number of GPUs that a trial occupies, 0 on a CPU."""

    def prepare(self, configs: Sequence[Config]) -> None:
        """Build what trials share, once, before they start."""

    def run(self, config: Config, folder: Path, report: Report, info: Mapping[str, Any]) -> float:
        """Run a trial and return its objective; continue from `checkpoints/last.ckpt` if the folder has one.

        Args:
            config: frozen.
            folder: of the trial.
            report: see `Report`; it raises an exception to stop the trial.
            info: `signature`, `attempt`, `sweep` and `overrides`; `test`: whether the test split is read, too.
        """

    def jackknife(self, folders: Sequence[Path], metric: str, blocks: int = 100) -> list[Jackknife | None]:
        """Compute a metric on test of finished trials, with all items and without each of up to `blocks` parts of them.

        Args:
            folders: of the trials.
            metric: its name, as in `metrics.json`.
            blocks: the most parts.

        Returns:
            For each trial, `None` where its folder has no outputs of single items, or the metric needs more than these.
        """


def load_trial(path: str) -> Trial:
    """Import a trial's module.

    Args:
        path: import path, as in `hydra.launcher.trial`.

    Raises:
        UserError: there is no such module, or it lacks functions of a `Trial`.
    """
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        raise UserError(f"hydra.launcher.trial={path}: {error}; name a module on PYTHONPATH.") from error
    if not isinstance(module, Trial):
        names = ("freeze", "roles", "incomparable", "gpus", "gpus_needed", "prepare", "run", "jackknife")
        lacking = ", ".join(name for name in names if not callable(getattr(module, name, None)))
        raise UserError(f"hydra.launcher.trial={path}: the module lacks {lacking}; add what is missing.")
    return module
