"""The samplers of a search. Each proposal depends on nothing but the trials known, the search's seed and its number.

The seed of a proposal comes from the search's and the proposal's number (NumPy's `SeedSequence`): a search that goes on
after an interruption proposes what it would have proposed without.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from src.errors import UserError
from src.sweep.search.cmaes import ask as ask_cmaes
from src.sweep.search.record import Outcome, Record
from src.sweep.search.space import Axis, Interval, Space

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

MODELS = ("tpe", "gp")
"""Those that Optuna fits to the trials."""

N_STARTUP = 10
"""Trials that must be measured until a model is fitted, as in Optuna."""

MOST_FOR_GP = 250
"""Trials that a Gaussian process is fitted to at most, since that takes ever longer; beyond, `auto` takes another."""


def resolve_auto(space: Space, n_trials: int | None, *, conditional: bool) -> str:
    """Return the sampler of `search=auto`.

    1. Where the budget is enough for all combinations, `random`: all are run, and only their order is chosen.
    2. With lists of choices, or axes that only some choices have, `tpe`: its densities are over each choice.
    3. With numbers alone `gp` for up to 250 trials, since it needs the fewest.
    4. Beyond, `cmaes`, whose cost does not grow with the number of trials; of a single number `tpe`.

    Args:
        space: of the search.
        n_trials: its budget, `None` where it is none of trials.
        conditional: whether the space has axes that do not hold everywhere.
    """
    if space.size is not None and (n_trials is None or space.size <= n_trials):
        return "random"
    if conditional or len(_numbers(space.axes)) < len(space.axes):
        return "tpe"
    if n_trials is not None and n_trials <= MOST_FOR_GP:
        return "gp"
    return "cmaes" if len(space.axes) > 1 else "tpe"


def check_sampler(search: str, axes: Sequence[Axis], conditional: Sequence[Axis]) -> None:
    """Refuse CMA-ES where it has nothing to adapt.

    Args:
        search: the name of the sampler.
        axes: of the space.
        conditional: those of them that do not hold everywhere.

    Raises:
        UserError: fewer than two axes are numbers, or one of them does not hold everywhere.
    """
    numbers = _numbers(axes)
    if search == "cmaes" and (len(numbers) < 2 or set(numbers) & set(conditional)):
        raise UserError("search=cmaes adapts two numbers or more, which all choices have; choose search=tpe.")


def seed_of(seed: int, number: int, attempt: int) -> int:
    """Return the seed of a proposal.

    Args:
        seed: of the search.
        number: of the proposal, from 0.
        attempt: how many points were proposed under this number and could not be taken.
    """
    import numpy as np

    return int(np.random.SeedSequence([seed, number, attempt]).generate_state(1)[0])


def shares(
    search: str, axes: Sequence[Axis], records: Sequence[Record], seed: int, number: int, attempt: int
) -> dict[str, float]:
    """Return for each axis a share of it, from 0 to 1: a point of the unit cube.

    - `random`: independent and uniform, of log intervals in their logarithm.
    - `qmc`: a scrambled Sobol sequence over all axes (Sobol 1967; Owen 1998), which fills the space evenly.
    - `cmaes`: of numbers by CMA-ES, see `src.sweep.search.cmaes`; of choices random.

    Of `qmc`, further attempts are random.

    Args:
        search: one of these.
        axes: of the space.
        records: of the search, in their order.
        seed: of the search.
        number: of the proposal, from 0.
        attempt: how many points were proposed under this number and could not be taken.
    """
    import numpy as np

    own = seed_of(seed, number, attempt)
    point = list(map(float, np.random.default_rng(own).random(len(axes))))
    if search == "qmc" and not attempt:
        point = _sobol(len(axes), seed, number)
    found = {axis.key: share for axis, share in zip(axes, point, strict=True)}
    if search == "cmaes":
        numbers = _numbers(axes)
        found |= zip((axis.key for axis in numbers), ask_cmaes(numbers, records, own), strict=True)
    return found


def fewer(records: Sequence[Record]) -> list[Record]:
    """Return the records that a Gaussian process is fitted to, in their order.

    Of more than 250 measured trials these are the best half of 250, and of the others the latest ones, which tell what
    the last proposals were worth. Those that run are kept.
    """
    measured = [record for record in records if record.outcome is Outcome.MEASURED]
    if len(measured) <= MOST_FOR_GP:
        return list(records)
    n_best = MOST_FOR_GP // 2
    order = sorted(range(len(measured)), key=lambda place: measured[place].loss or 0.0)
    latest = sorted(order[n_best:])[n_best - MOST_FOR_GP :]
    kept = {id(measured[place]) for place in (*order[:n_best], *latest)}
    return [record for record in records if id(record) in kept or record.outcome is Outcome.RUNS]


def model(search: str, seed: int) -> "BaseSampler":
    """Return a sampler of Optuna; until ten trials have been measured it draws at random.

    - `tpe`: tree-structured Parzen estimator (Bergstra et al. 2011), multivariate (Falkner et al. 2018), in which
      trials that still run count as bad ones (constant liar, Ginsbourger et al. 2010).
    - `gp`: Gaussian process with log expected improvement (Ament et al. 2023), of `fewer` trials.

    Args:
        search: one of these.
        seed: of the proposal.
    """
    from optuna.samplers import GPSampler, TPESampler

    if search == "gp":
        import torch

        torch.set_num_threads(1)  # the cores are the trials'
        return GPSampler(seed=seed, n_startup_trials=N_STARTUP, warn_independent_sampling=False)
    return TPESampler(
        seed=seed,
        n_startup_trials=N_STARTUP,
        multivariate=True,
        group=True,
        constant_liar=True,
        warn_independent_sampling=False,
    )


def _sobol(dimensions: int, seed: int, number: int) -> list[float]:
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, seed=seed)
    if number:
        sequence.fast_forward(number)
    return list(map(float, sequence.random(1)[0]))


def _numbers(axes: Sequence[Axis]) -> list[Axis]:
    return [axis for axis in axes if isinstance(axis, Interval) or axis.ordered]
