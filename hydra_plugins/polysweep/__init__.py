"""Hydra plugins: it finds launchers and sweepers only in packages of `hydra_plugins`; the work is in `src.sweep`."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from src.configuration.composing import Composer
from src.configuration.effects import refuse_idle, refuse_unknown
from src.configuration.settings import SETTINGS, check_settings, refuse_swept_settings, sweep_options
from src.configuration.trust import is_in, trust, trusted
from src.errors import UserError
from src.paths import CONF
from src.processes import CORES, PRELOADED, TARGETS, WANDB_SERVICE
from src.rank import TRIAL

if TYPE_CHECKING:
    from src.sweep.executors.base import Executor


OTHER_LAUNCHER = (
    "can't run this project's sweeps: leave it out; hydra.launcher.executor=CLASS says where trials run."
)
"""End of the message where another launcher was chosen."""


class PoolLauncher(Launcher):
    """Runs each trial in its own process (`hydra/launcher=pool`).

    Args:
        trial: import path of the trial's module, a `src.sweep.protocol.Trial`.
        executor: import path of the `src.sweep.executors.base.Executor` that runs the trials.
        options: of the executor.
    """

    exit_code: int | None = None
    """Of the sweeps so far, the greatest: 0 all trials finished, 1 some did not, 130 interrupted; `None` before any."""

    def __init__(self, trial: str, executor: str, **options: Any) -> None:
        self.trial = trial
        self.executor = executor
        self.options = options
        self.config: DictConfig | None = None
        self.hydra_context: HydraContext | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what is needed to compose the trials' configurations."""
        self.config = config
        self.hydra_context = hydra_context

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Compose all trials and pass them to `src.sweep.conduct`."""
        from src.sweep.conduct import conduct
        from src.sweep.plan import Request
        from src.sweep.planning_progress import Progress
        from src.sweep.settings import Settings

        assert self.config is not None
        if self.trial != TRIAL:
            os.environ[PRELOADED] = self.trial
        assert self.hydra_context is not None
        composer = Composer(self.hydra_context.config_loader, self.config)
        progress = Progress("configurations are composed", len(job_overrides))
        requests = []
        for typed in job_overrides:
            progress.step()
            requests.append(Request(tuple(filter_overrides(typed)), self._compose(composer, list(typed))))
        configs = [request.config for request in requests]
        wanted = [request.config.pop("trust") for request in requests]
        if any(packages != wanted[0] for packages in wanted):
            raise UserError("trust= applies to the whole sweep: give several packages as trust=[one,two].")
        trust(wanted[0])
        refuse_swept_settings(self._settings(), list(zip(configs, job_overrides, strict=True)))
        for request in requests:
            if request.config["mode"] != "train":
                raise UserError(f"mode={request.config['mode']}: a sweep can only train; leave -m out.")
            check_settings(request.config)
        named = set().union(*(_modules(request.config) for request in requests))
        os.environ[TARGETS] = ",".join(sorted(module for module in named if is_in(module, trusted())))
        refuse_idle([(request.config, request.overrides) for request in requests])
        settings = Settings(
            outputs=Path(self.config.outputs).expanduser().absolute(),
            trial=self.trial,
            dry_run=self.config.dry_run,
            retry=self.config.retry,
            reuse=self.config.reuse,
            timeout=self.config.timeout,
            **sweep_options(self.config.sweep),
        )
        if self.config.get("cores"):
            os.environ[CORES] = str(self.config.cores)
        if any("wandb" in (request.config.get("logger") or {}) for request in requests):
            os.environ[WANDB_SERVICE] = "1"
        code, values = conduct(requests, settings, self._executor())
        PoolLauncher.exit_code = max(PoolLauncher.exit_code or 0, code)
        if code == 130:
            raise KeyboardInterrupt
        returned = [JobReturn(overrides=request.overrides) for request in requests]
        for job, value in zip(returned, values, strict=True):
            job.status, job.return_value = JobStatus.COMPLETED, value
        return returned

    def _settings(self) -> dict[str, Any]:
        """Return the settings of the sweep, as plain values."""
        assert self.config is not None
        found = {key: self.config[key] for key in SETTINGS if key in self.config}
        return {
            key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
            for key, value in found.items()
        }

    def _executor(self) -> "Executor":
        from src.sweep.executors.base import Executor

        module, _, name = self.executor.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise UserError(f"hydra.launcher.executor={self.executor}: {error}; name a class.") from error
        if not (isinstance(found, type) and issubclass(found, Executor)):
            raise UserError(f"hydra.launcher.executor={self.executor} is no Executor; name one.")
        return found(command=(str(Path(sys.argv[0]).resolve()), "--trial"), **self.options)

    def _compose(self, composer: Composer, typed: list[str]) -> dict[str, Any]:
        def check(config: DictConfig) -> None:
            if self.trial == TRIAL:  # another may read further keys
                refuse_unknown(config, typed, CONF)

        return composer.resolve(typed, check)


def _modules(config: Any) -> set[str]:
    """Return the modules of all classes that a configuration names."""
    if isinstance(config, dict):
        own = {str(config["_target_"]).rpartition(".")[0]} if config.get("_target_") else set()
        return own.union(*map(_modules, config.values()))
    return set().union(*map(_modules, config)) if isinstance(config, list) else set()


class GridSweeper(BasicSweeper):
    """Sweeps all combinations of comma-separated values (`hydra/sweeper=grid`)."""

    def __init__(self) -> None:
        super().__init__(max_batch_size=None)

    def sweep(self, arguments: list[str]) -> Any:
        """Expand the overrides and launch all trials together; the launcher composes and checks them.

        Raises:
            UserError: the launcher is another than `PoolLauncher`.
        """
        assert self.hydra_context is not None
        assert self.config is not None
        if not isinstance(self.launcher, PoolLauncher):
            chosen = self.config.hydra.runtime.choices["hydra/launcher"]
            raise UserError(f"hydra/launcher={chosen} {OTHER_LAUNCHER}")
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        [jobs] = self.split_arguments(parser.parse_overrides(arguments), None)
        return self.launcher.launch(jobs, initial_job_idx=0)
