"""The keys at the root of the configuration, checked before anything else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from src.configuration.choices import choices
from src.configuration.typed import read
from src.errors import UserError
from src.options import Options, Role, roles
from src.rules import anything, each, flag, null, number, one_of, path, whole, words

LISTS = ("augment", "callbacks", "logger")
"""Groups of which several choices may be taken, or none."""


OF_SEARCH = (
    *("n_trials", "max_hours", "max_epochs_total", "confirm"),
    *("pruner", "min_epochs", "reduction_factor"),
)
"""Keys that only a search has: its budget, how many of the best are confirmed, and its pruner."""

OF_GRID = ("seeds", "race")
"""Keys that only a sweep of all combinations has: how many seeds each has, and whether they race for them."""

SETTINGS = (
    *("mode", "outputs", "dry_run", "retry", "reuse", "timeout", "cores"),
    *("search", *OF_SEARCH, *OF_GRID, "sweep"),
)
"""Keys that a sweep reads once."""

SEARCHES = ("grid", "random", "qmc", "tpe", "gp", "cmaes", "auto")
"""How the trials of a sweep are chosen: all combinations, or by a sampler."""

PRUNERS = ("none", "median", "asha", "hyperband", "first_epoch")
"""Which trials of a search are stopped early, as `src.sweep.search.pruners` has them."""

_WITHOUT_EFFECT = ("hydra", "logger")
"""Further groups whose values can't make two trials of one."""


class RootOptions(Options):
    """The keys of the root and of the modes; groups such as `data` and `model` are not among them.

    Raises:
        UserError: a value has another type or is out of range.
    """

    mode: Annotated[str, words("what to do, such as train"), Role.NO_EFFECT]
    seed: Annotated[int, whole(0)]
    outputs: Annotated[str, words("the folder that everything is written to"), Role.PATH, Role.NO_EFFECT]
    batch_size: Annotated[int, whole(1)] = 1
    objective: Annotated[str, words("auto, or the name of a metric")] = "auto"
    overfit_batches: Annotated[int | None, whole(1) | null()] = None
    init_from: Annotated[str | None, path | null(), Role.PATHS, Role.INPUT] = None
    checkpoint: Annotated[Any, path | each(path) | null(), Role.PATHS, Role.NO_EFFECT] = None
    input: Annotated[str | None, path | null(), Role.PATH, Role.NO_EFFECT] = None
    pictures: Annotated[bool | None, flag | null("for pictures of at most 20 files"), Role.NO_EFFECT] = None
    class_map: Annotated[Any, anything, Role.NO_EFFECT] = None
    thresholds: Annotated[str, one_of("single", "scut", "pcut"), Role.NO_EFFECT] = "single"
    dry_run: Annotated[bool, flag, Role.NO_EFFECT] = False
    retry: Annotated[bool | str, one_of(False, True, "fresh"), Role.NO_EFFECT] = False
    reuse: Annotated[str, one_of("same_code", "any", "verify"), Role.NO_EFFECT] = "same_code"
    cores: Annotated[int | None, whole(1) | null("for all"), Role.NO_EFFECT] = None
    timeout: Annotated[
        float | None, number(0, above=True, of="a number of seconds") | null(), Role.NO_EFFECT
    ] = None
    search: Annotated[str, one_of(*SEARCHES), Role.NO_EFFECT] = "grid"
    n_trials: Annotated[int | None, whole(1) | null("for no limit"), Role.NO_EFFECT] = None
    max_hours: Annotated[
        float | None, number(0, above=True, of="a number of hours") | null("for no limit"), Role.NO_EFFECT
    ] = None
    max_epochs_total: Annotated[int | None, whole(1) | null("for no limit"), Role.NO_EFFECT] = None
    confirm: Annotated[int, whole(0), Role.NO_EFFECT] = 3
    pruner: Annotated[str, one_of(*PRUNERS), Role.NO_EFFECT] = "none"
    min_epochs: Annotated[int, whole(1), Role.NO_EFFECT] = 1
    reduction_factor: Annotated[int, whole(2), Role.NO_EFFECT] = 3
    seeds: Annotated[int | None, whole(1) | null("for those of seed="), Role.NO_EFFECT] = None
    race: Annotated[bool, flag, Role.NO_EFFECT] = False
    sweep: Annotated[Any, anything, Role.NO_EFFECT] = None
    logger: Annotated[Any, anything, Role.NO_EFFECT] = None
    learning_rates: Annotated[Any, anything, Role.NO_EFFECT] = None


class SweepOptions(Options):
    """The keys of `sweep`.

    Raises:
        UserError: a value has another type or is out of range.
    """

    group = "sweep"

    name: Annotated[str | None, words("the name of a folder in outputs/sweeps") | null()] = None
    matters: Annotated[float | None, number(0, of="a difference") | null("for the metric's own")] = None
    reference: Annotated[
        str | None, words("values of the swept keys, such as optimizer=adam loss=bce") | null(), Role.TEXT
    ] = None


def sweep_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked keys of `sweep`.

    Args:
        values: of the group; a name that looks like a number is text.

    Raises:
        UserError: a value has another type or is out of range.
    """
    name = values.get("name")
    return vars(SweepOptions.read({**values, "name": None if name is None else str(name)}))


def check_settings(config: Mapping[str, Any]) -> None:
    """Refuse root keys whose value has another type or is out of range.

    Args:
        config: composed, as plain values; which of the keys it has depends on the mode.

    Raises:
        UserError: there is one.
    """
    RootOptions.read({key: config[key] for key in RootOptions.__dataclass_fields__ if key in config})


def refuse_swept_settings(
    settings: Mapping[str, Any], trials: Sequence[tuple[Mapping[str, Any], Sequence[str]]]
) -> None:
    """Refuse values of a sweep's own settings that differ from trial to trial: the sweep reads them once.

    Args:
        settings: the configuration that the sweep reads, plain values.
        trials: for each, its composed configuration as plain values, and the overrides as typed.

    Raises:
        UserError: there are such.
    """
    own, *others = [_settings(settings), *(_settings(config) for config, _ in trials)]
    swept = {key for other in others for key in {*own, *other} if own.get(key) != other.get(key)}
    typed = [frozenset(overrides) for _, overrides in trials]
    varied = frozenset.union(*typed) - frozenset.intersection(*typed)
    swept |= {override.key for override in map(read, varied) if override and override.root in _WITHOUT_EFFECT}
    for key in sorted(swept):
        raise UserError(f"{key} can't be swept: it does not tell trials apart; give it one value.")


def may_differ(key: str) -> bool:
    """Whether a key may differ between commands that go on with the same search."""
    return key in SETTINGS or key == "logger" or key.startswith(("sweep.", "logger."))


def check_search(search: Any, overrides: Sequence[str]) -> None:
    """Refuse an unknown search, and several.

    Args:
        search: value of the key.
        overrides: as typed.

    Raises:
        UserError: it is none, or there are several.
    """
    RootOptions.read({"mode": "train", "seed": 0, "outputs": "outputs", "search": search})
    for argument in overrides:
        override = read(argument)
        if override and override.key == "search" and override.value not in SEARCHES:
            raise UserError(
                f"{argument}: a sweep has one search; choose one, and another sweep.name for each other one."
            )


def check_budget(config: Mapping[str, Any]) -> None:
    """Refuse keys of a search that have another type or are out of range; what is swept is refused elsewhere.

    Args:
        config: the one that the sweep reads.

    Raises:
        UserError: there is one.
    """
    own = {key: config[key] for key in OF_SEARCH if key in config and "," not in str(config[key])}
    RootOptions.read({"mode": "train", "seed": 0, "outputs": "outputs", **own})


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the sweep in a configuration, by their key."""
    found = {key: config.get(key) for key in SETTINGS if key != "sweep"}
    return found | {f"sweep.{key}": value for key, value in (config.get("sweep") or {}).items()}


def root_roles() -> dict[str, frozenset[Role]]:
    """Return the roles of the keys of the root, by key."""
    return roles(RootOptions)


def refuse_empty_groups(arguments: Sequence[str], conf: Path) -> None:
    """Refuse `group=null` and `group=3`, which Hydra answers with a traceback.

    Raises:
        UserError: a group has no choice of that name; the message lists them.
    """
    for argument in arguments:
        group, _, value = argument.partition("=")
        if not choices(group, conf) or not group or (value not in ("", "null") and not value.isdigit()):
            continue
        if "experiment" in group and value == "null":
            continue
        several = f", or {group}=[] for none" if group in LISTS else ""
        raise UserError(f"{argument}: choose one of {', '.join(choices(group, conf))}{several}.")
