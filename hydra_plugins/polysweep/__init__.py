"""Hydra plugins: it finds launchers and sweepers only in packages of `hydra_plugins`; the work is in `src.sweep`."""

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.configuration.command_line import explain
from src.configuration.composing import Composer
from src.configuration.effects import refuse_idle, refuse_unknown
from src.configuration.seeds import seeds_of
from src.configuration.settings import (
    SETTINGS,
    check_budget,
    check_search,
    check_settings,
    may_differ,
    refuse_swept_settings,
    sweep_options,
)
from src.configuration.trust import is_in, trust, trusted
from src.errors import UserError
from src.paths import CONF
from src.processes import CORES, PRELOADED, TARGETS, WANDB_SERVICE
from src.rank import TRIAL

if TYPE_CHECKING:
    from src.sweep.executors.base import Executor
    from src.sweep.plan import Request
    from src.sweep.settings import Settings


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
        """Compose all trials and run them."""
        from src.sweep.conduct import conduct
        from src.sweep.grid import Grid
        from src.sweep.planning_progress import Progress
        from src.sweep.race import Race

        composition = self._composition()
        progress = Progress("configurations are composed", len(job_overrides))
        requests = []
        for typed in job_overrides:
            progress.step()
            requests.append(composition.compose(typed))
        self._prepare(requests, job_overrides, composition.packages)
        settings = self._sweep_settings()
        work = Race(requests, settings) if settings.race else Grid(requests, settings)
        self._end(conduct(work, settings, self._executor()))
        returned = [JobReturn(overrides=request.overrides) for request in requests]
        for job, value in zip(returned, work.objectives(), strict=False):
            job.status, job.return_value = JobStatus.COMPLETED, value
        return returned

    def search(self, overrides: Sequence[Override]) -> None:
        """Run the trials that a search over the overrides' values proposes."""
        from src.sweep.conduct import conduct
        from src.sweep.search.searching import Searching
        from src.sweep.search.syntax import read_space

        assert self.config is not None
        check_budget(self.config)
        space, composition = read_space(overrides), self._composition()
        settings = replace(self._sweep_settings(), axes=space.axes)
        work = Searching(space, composition, settings, may_differ)
        requests = work.probes()
        self._prepare(requests, [request.overrides for request in requests], composition.packages)
        self._end(conduct(work, settings, self._executor()))

    def _composition(self) -> "Composition":
        assert self.config is not None
        assert self.hydra_context is not None
        return Composition(Composer(self.hydra_context.config_loader, self.config), known=self.trial == TRIAL)

    def _prepare(self, requests: "Sequence[Request]", typed: Sequence[Sequence[str]], packages: Any) -> None:
        """Check what trials have in common, and set up the environment that they start in."""
        if self.trial != TRIAL:
            os.environ[PRELOADED] = self.trial
        configs = [request.config for request in requests]
        trust(packages)
        refuse_swept_settings(self._settings(), list(zip(configs, typed, strict=True)))
        for request in requests:
            check_trial(request.config)
        named = set().union(*(_modules(request.config) for request in requests))
        os.environ[TARGETS] = ",".join(sorted(module for module in named if is_in(module, trusted())))
        refuse_idle([(request.config, request.overrides) for request in requests])
        assert self.config is not None
        if self.config.get("cores"):
            os.environ[CORES] = str(self.config.cores)
        if any("wandb" in (request.config.get("logger") or {}) for request in requests):
            os.environ[WANDB_SERVICE] = "1"

    def _sweep_settings(self) -> "Settings":
        from src.sweep.settings import Settings

        assert self.config is not None
        return Settings(
            outputs=Path(self.config.outputs).expanduser().absolute(),
            trial=self.trial,
            dry_run=self.config.dry_run,
            retry=self.config.retry,
            reuse=self.config.reuse,
            timeout=self.config.timeout,
            search=self.config.search,
            n_trials=self.config.n_trials,
            max_hours=self.config.max_hours,
            max_epochs_total=self.config.max_epochs_total,
            pruner=self.config.pruner,
            min_epochs=self.config.min_epochs,
            reduction_factor=self.config.reduction_factor,
            confirm=self.config.confirm,
            seeds=self.config.seeds,
            race=self.config.race,
            seed=self.config.seed,
            test=self.config.search == "grid" or not self.config.confirm,
            **sweep_options(self.config.sweep),
        )

    def _end(self, code: int) -> None:
        PoolLauncher.exit_code = max(PoolLauncher.exit_code or 0, code)
        if code == 130:
            raise KeyboardInterrupt

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


class Composition:
    """Composes the configurations of a search; a `src.sweep.search.conditions.Composition`.

    Args:
        composer: of the sweep.
        known: whether keys that nothing reads are refused; another trial than this project's may read further keys.
    """

    packages: Any = None
    """Value of `trust=`, which all configurations have in common; `None` before the first one."""

    def __init__(self, composer: Composer, *, known: bool) -> None:
        self._composer = composer
        self._known = known
        self.is_group = composer.is_group
        self.look_up = composer.look_up

    def compose(self, typed: Sequence[str]) -> "Request":
        """Return a trial's overrides with its configuration.

        Raises:
            HydraException: the overrides do not fit the configuration.
            UserError: it trusts other packages than the first one did.
        """
        from src.sweep.plan import Request

        def check(config: DictConfig) -> None:
            if self._known:
                refuse_unknown(config, typed, CONF)

        config = self._composer.resolve(list(typed), check)
        packages = config.pop("trust")
        if self.packages is not None and packages != self.packages:
            raise UserError("trust= applies to the whole sweep: give several packages as trust=[one,two].")
        self.packages = packages
        return Request(tuple(filter_overrides(typed)), config)

    def request(self, typed: Sequence[str]) -> "Request":
        """Return a trial's overrides with its checked configuration.

        Raises:
            UserError: it is refused.
        """
        try:
            request = self.compose(typed)
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(explain(error, CONF)) from error
        check_trial(request.config)
        return request


def check_trial(config: dict[str, Any]) -> None:
    """Refuse a configuration that no sweep can run.

    Raises:
        UserError: it does not train, or a key at the root has a value out of range.
    """
    if config["mode"] != "train":
        raise UserError(f"mode={config['mode']}: a sweep can only train; leave -m out.")
    check_settings(config)


def _modules(config: Any) -> set[str]:
    """Return the modules of all classes that a configuration names."""
    if isinstance(config, dict):
        own = {str(config["_target_"]).rpartition(".")[0]} if config.get("_target_") else set()
        return own.union(*map(_modules, config.values()))
    return set().union(*map(_modules, config)) if isinstance(config, list) else set()


class GridSweeper(BasicSweeper):
    """Sweeps all combinations of comma-separated values, or searches them with `search=` (`hydra/sweeper=grid`).

    Args:
        params: by key, values in the grammar of the command line, which has precedence.
    """

    def __init__(self, params: dict[str, Any] | None = None) -> None:
        super().__init__(max_batch_size=None, params=params)

    def sweep(self, arguments: list[str]) -> Any:
        """Expand the overrides and launch all trials together, or the search; the launcher composes and checks them.

        Raises:
            UserError: the launcher is another than `PoolLauncher`, or an interval is to be expanded.
        """
        from src.sweep.search.syntax import refuse_intervals, with_params

        assert self.hydra_context is not None
        assert self.config is not None
        if not isinstance(self.launcher, PoolLauncher):
            chosen = self.config.hydra.runtime.choices["hydra/launcher"]
            raise UserError(f"hydra/launcher={chosen} {OTHER_LAUNCHER}")
        typed, search = with_params(arguments, self.params), self.config.get("search", "grid")
        check_search(search, typed)
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides(typed)
        if seeds := seeds_of(self.config, overrides):
            others = [str(each.input_line) for each in overrides if each.get_key_element() != "seed"]
            overrides = parser.parse_overrides([*others, f"seed={seeds}"])
        if search != "grid":
            return self.launcher.search(overrides)
        refuse_intervals(overrides)
        [jobs] = self.split_arguments(overrides, None)
        return self.launcher.launch(jobs, initial_job_idx=0)
