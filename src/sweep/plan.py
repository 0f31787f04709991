"""Planning: resolves, checks, freezes and identifies all trials of a sweep before the first one starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from src.errors import UserError
from src.options import Role
from src.sweep.folder import TrialFolder, what_to_do
from src.sweep.identity import code, have_changed, inputs, known_contents, signature, without_effect
from src.sweep.job import Job
from src.sweep.planning_progress import Progress
from src.sweep.protocol import Trial, load_trial
from src.sweep.settings import Settings

RUNS = ("run", "resume")
"""Actions of `src.sweep.folder.what_to_do` after which a trial runs."""


@dataclass(frozen=True)
class Request:
    """A trial as requested: the typed overrides, and the composed configuration as plain values."""

    overrides: tuple[str, ...]
    config: dict[str, Any]


@dataclass
class Plan:
    """What a sweep would do.

    Args:
        jobs: the trials, each once.
        signatures: of each request that is not refused, in order; several may result in the same trial.
        overrides: of each of these requests.
        actions: `(action, reason)` of each job, from `src.sweep.folder.what_to_do`.
        refused: a line for each reason to refuse configurations, which names the first of them.
        unfit: a line for each reason not to run those that remain together.
        devices: GPUs that each trial needs, 0 on a CPU.
        gpus: names of the available GPUs.
    """

    jobs: list[Job] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    overrides: list[tuple[str, ...]] = field(default_factory=list)
    actions: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)
    devices: int = 0
    gpus: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """A line for each reason not to run all that was requested."""
        return [*self.refused, *self.unfit]


class Frozen(NamedTuple):
    """A frozen configuration, its signature, and the hashes of the inputs that count for it, by path."""

    config: dict[str, Any]
    signature: str
    inputs: dict[str, str]


class Freezer:
    """Freezes and identifies configurations; what they have in common is checked once.

    Args:
        trial: whose configurations they are.
        memory: a JSON file that remembers the hashes of inputs.
    """

    def __init__(self, trial: Trial, memory: Path) -> None:
        self._trial = trial
        self._memory = memory
        self._known: dict[str, Any] = {}
        self._contents: dict[str, str] = {}
        self._frozen: dict[str, _Known | UserError] = {}

    def look_again(self) -> None:
        """Look at the content of inputs again, and forget all if it has changed since the last configuration."""
        if have_changed(self._contents, self._memory):
            for known in (self._contents, self._known, self._frozen):
                known.clear()

    def freeze(self, config: dict[str, Any]) -> Frozen:
        """Return the frozen configuration and what identifies it.

        Raises:
            UserError: it is refused.
        """
        same = repr(config | {"seed": None})
        if same not in self._frozen:
            try:
                frozen = self._trial.freeze(config, self._known)
                roles = self._trial.roles(frozen)
                self._frozen[same] = _Known(frozen, roles, inputs(frozen, roles))
            except UserError as error:
                self._frozen[same] = error
        found = self._frozen[same]
        if isinstance(found, UserError):
            raise found
        # Shallow, so that a thousand seeds do not take a thousand times the memory; nothing changes what is frozen.
        frozen = found.config | ({"seed": config["seed"]} if "seed" in config else {})
        name = signature(frozen, found.roles, self._memory, self._contents)
        return Frozen(frozen, name, {path: self._contents[path] for path in found.inputs})


class _Known(NamedTuple):
    """What configurations that differ in their seed alone have in common."""

    config: dict[str, Any]
    roles: Mapping[str, frozenset[Role]]
    inputs: list[str]


def plan(
    requests: Sequence[Request],
    settings: Settings,
    sweep: str,
    shared: tuple[str, ...] | None = None,
    freezer: Freezer | None = None,
) -> Plan:
    """Freeze and identify all trials. Runs in a child process, since it needs the heavy imports.

    Args:
        requests: of trials; requests for the same trial become one.
        settings: of the sweep.
        sweep: name of the sweep.
        shared: overrides of all its trials; `None`: of all that are requested.
        freezer: with what it knows of other trials of the sweep; `None`: a new one.
    """
    trial, outputs = load_trial(settings.trial), settings.outputs
    freezer = freezer or Freezer(trial, known_contents(outputs, settings.reuse))
    progress = Progress("configurations are checked", len(requests))
    found = Plan(gpus=trial.gpus())
    planned: dict[str, Request] = {}
    idle: set[str] = set()
    refused: dict[str, list[str]] = {}
    if shared is None:
        shared = tuple(set.intersection(*(set(request.overrides) for request in requests)))
    for request in requests:
        progress.step()
        try:
            config, name, contents = freezer.freeze(request.config)
        except UserError as error:
            own = [override for override in request.overrides if override not in shared]
            refused.setdefault(str(error), []).append(" ".join(own))
            continue
        found.signatures.append(name)
        found.overrides.append(request.overrides)
        if name in planned:
            idle |= _idle(request, planned[name], trial.roles(config))
            continue
        planned[name] = request
        job = Job(
            name,
            config,
            request.overrides,
            outputs,
            settings.trial,
            code(),
            sweep,
            shared,
            contents,
            settings.test,
        )
        found.jobs.append(job)
        found.actions.append(
            what_to_do(
                TrialFolder(job.folder),
                job.code,
                retry=settings.retry,
                reuse=settings.reuse,
                test=settings.test,
            )
        )
        found.devices = max(found.devices, trial.gpus_needed(config))
    found.refused = [_problem(reason, names) for reason, names in refused.items()]
    found.unfit = [
        f"{key} can't be swept: it does not tell trials apart; give it one value." for key in sorted(idle)
    ]
    found.unfit += trial.incomparable([job.config for job in found.jobs])
    return found


def _idle(request: Request, same: Request, roles: Mapping[str, frozenset[Role]]) -> set[str]:
    """Return the keys without effect in which the overrides of two requests for the same trial differ."""
    differing = {
        override.lstrip("+").partition("=")[0] for override in {*request.overrides} ^ {*same.overrides}
    }
    return {key for key in differing if without_effect(key, roles)}


def _problem(reason: str, names: Sequence[str]) -> str:
    others = f", and in {len(names) - 1} more" if len(names) > 1 else ""
    return f"{reason} (in: {names[0]}{others})" if names[0] else reason


def prepare(trial: str, configs: Sequence[dict[str, Any]]) -> None:
    """Build what trials share, once, before they start. Runs in a child process."""
    load_trial(trial).prepare(configs)
