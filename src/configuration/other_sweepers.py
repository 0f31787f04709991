"""Answers what users of other sweepers type with this project's words."""

from collections.abc import Sequence

from src.configuration.settings import SEARCHES
from src.configuration.typed import Typed, read
from src.errors import UserError

SWEEPERS = {"optuna": "tpe", "ax": "gp", "nevergrad": "cmaes"}
"""Plugins of Hydra, and the search that comes nearest."""

SAMPLERS = {"nsgaii": "tpe", "motpe": "tpe"}
"""Samplers of Hydra's plugin for Optuna that are called otherwise."""

KEYS = {
    "hydra.sweeper.n_trials": "n_trials={}",
    "hydra.sweeper.ax_config.max_trials": "n_trials={}",
    "hydra.sweeper.optim.budget": "n_trials={}",
    "hydra.sweeper.study_name": "sweep.name={}",
    "hydra.sweeper.n_jobs": "hydra.launcher.gpus and hydra.launcher.trials_per_gpu, or cores",
    "hydra.sweeper.direction": "objective=, which knows its direction",
    "hydra.sweeper.storage": "sweep.name=, whose folder has all that a search needs to go on",
}
"""By a key of other plugins, what it is here."""


def answer_other_sweepers(arguments: Sequence[str]) -> None:
    """Refuse arguments of other sweepers.

    Args:
        arguments: of the command line.

    Raises:
        UserError: there is one; the message is one line with what to type instead.
    """
    typed = [override for argument in arguments if (override := read(argument))]
    search = next((override.value for override in typed if override.key == "search"), None)
    for override in typed:
        argument = f"{override.key}={override.value}"
        if override.key == "hydra/sweeper" and override.value != "grid":
            if search is not None:
                raise UserError(f"{argument} and search={search} are two engines; leave {override.key} out.")
            raise UserError(f"{argument} is search={SWEEPERS.get(override.value, 'grid')} here: type that.")
        if word := _word(override):
            raise UserError(f"{argument} is {word} here: type that.")


def _word(override: Typed) -> str | None:
    if override.key == "hydra.sweeper.sampler.seed":
        return f"seed={override.value}"
    if override.is_below("hydra.sweeper.sampler"):
        name = override.value.lower()
        found = SAMPLERS.get(name, name)
        return f"search={found if found in SEARCHES else 'tpe'}"
    return KEYS[override.key].format(override.value) if override.key in KEYS else None
