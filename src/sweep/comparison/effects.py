"""Effects of the swept keys of a grid: what one value changes, averaged over the values of all other keys."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src.sweep.comparison.levels import nominal_level
from src.sweep.comparison.results import DRAWS, Errors, Results, estimate_errors

Floats = NDArray[np.float64]

MOST_VALUES = 8
"""Values of a key beyond which no two of them are compared: there would be too many effects to read."""


@dataclass(frozen=True)
class Effect:
    """A contrast of the means of a grid.

    Attributes:
        key: that was swept; of an interaction `first × second`.
        name: what is compared, such as `bce - focal`.
        value: of the contrast on test, in the metric's unit.
        low, high: 95 % interval, simultaneous over all effects of a sweep.
        interaction: whether it says how much the effect of one key depends on another.
    """

    key: str
    name: str
    value: float
    low: float
    high: float
    interaction: bool = False


@dataclass(frozen=True)
class Effects:
    """All effects of a grid.

    Attributes:
        of_keys: of each two values of each key.
        interactions: for each two keys the contrast that is furthest from 0, in standard errors; empty where the
            interactions had to serve as the measure of chance.
        one_seed: whether they had to: with one seed for each configuration, what the keys' own effects do not explain
            is taken for the variation over seeds.
        left_out: keys of more than `MOST_VALUES` values, whose effects are not estimated.
    """

    of_keys: tuple[Effect, ...]
    interactions: tuple[Effect, ...]
    one_seed: bool
    left_out: tuple[str, ...] = ()


def grid_effects(
    cells: Sequence[Mapping[str, str]], results: Sequence[Results], *, n_draws: int = DRAWS
) -> Effects | None:
    """Estimate the effects of a full grid.

    Args:
        cells: the values of the swept keys, for each configuration.
        results: of the configurations on test.
        n_draws: of the errors.

    Returns:
        `None` where the configurations are no full grid, nothing tells their variation, or all keys have more than
        `MOST_VALUES` values.
    """
    keys = {key: list(dict.fromkeys(cell[key] for cell in cells)) for key in (cells[0] if cells else {})}
    keys = {key: values for key, values in keys.items() if len(values) > 1}
    compared = {key: values for key, values in keys.items() if len(values) <= MOST_VALUES}
    if not compared or not _is_full(cells, keys):
        return None
    one_seed = all(len(each.values) == 1 for each in results)
    shared = _unexplained(cells, results, keys) if one_seed else None
    if one_seed and shared is None:
        return None
    errors = estimate_errors(results, n_draws=n_draws, shared_variance=shared)
    if errors is None:
        return None
    main = _main_contrasts(cells, compared)
    crossed = {} if one_seed else _interaction_contrasts(cells, compared)
    effects = _estimated({**main, **crossed}, errors)
    of_keys = tuple(effects[name] for name in main)
    left_out = tuple(key for key in keys if key not in compared)
    return Effects(of_keys, _furthest([effects[name] for name in crossed]), one_seed, left_out)


def _is_full(cells: Sequence[Mapping[str, str]], keys: Mapping[str, Sequence[str]]) -> bool:
    found = {tuple(cell[key] for key in keys) for cell in cells}
    return len(found) == len(cells) == np.prod([len(values) for values in keys.values()])


def _indicator(cells: Sequence[Mapping[str, str]], key: str, value: str) -> Floats:
    return np.array([1.0 if cell[key] == value else 0.0 for cell in cells])


Contrasts = dict[tuple[str, str], Floats]
"""Weights (K,) of the means, by key and name."""


def _main_contrasts(cells: Sequence[Mapping[str, str]], keys: Mapping[str, Sequence[str]]) -> Contrasts:
    contrasts = {}
    for key, values in keys.items():
        for first, second in itertools.combinations(values, 2):
            one, other = _indicator(cells, key, first), _indicator(cells, key, second)
            contrasts[key, f"{first} - {second}"] = one / one.sum() - other / other.sum()
    return contrasts


def _interaction_contrasts(
    cells: Sequence[Mapping[str, str]], keys: Mapping[str, Sequence[str]]
) -> Contrasts:
    """Return, for each two keys, how the difference between two values of one changes with two values of the other."""
    contrasts = {}
    for one, other in itertools.combinations(keys, 2):
        pairs = itertools.combinations(keys[one], 2), itertools.combinations(keys[other], 2)
        for (a, b), (c, d) in itertools.product(*map(list, pairs)):
            weights = np.zeros(len(cells))
            for x, sign_x in ((a, 1), (b, -1)):
                for y, sign_y in ((c, 1), (d, -1)):
                    both = _indicator(cells, one, x) * _indicator(cells, other, y)
                    weights += sign_x * sign_y * both / both.sum()
            contrasts[f"{one} × {other}", f"({a} - {b}) with {c}, less that with {d}"] = weights
    return contrasts


def _estimated(contrasts: Contrasts, errors: Errors) -> dict[tuple[str, str], Effect]:
    weights = np.array(list(contrasts.values()))  # (contrasts, K)
    over_seeds = np.square(weights) @ (errors.seed_variance / errors.n_seeds)
    # The item variance of a contrast follows from those of the differences: −½ Σ w_i w_j var(i − j), as Σ w = 0.
    over_items = -0.5 * np.einsum("ci,ij,cj->c", weights, errors.item_variance, weights)
    scale = np.sqrt(over_seeds + np.maximum(over_items, 0.0))
    drawn = np.abs(errors.drawn @ weights.T) / scale
    level = nominal_level(max(2, len(errors.means)), float(errors.n_seeds.mean()))
    half = np.quantile(drawn.max(1), 1 - level) * scale
    values = weights @ errors.means
    return {
        (key, name): Effect(key, name, float(value), float(value - h), float(value + h), "×" in key)
        for (key, name), value, h in zip(contrasts, values, half, strict=True)
    }


def _furthest(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    furthest: dict[str, Effect] = {}
    for effect in effects:
        if effect.key not in furthest or _distance(effect) > _distance(furthest[effect.key]):
            furthest[effect.key] = effect
    return tuple(furthest.values())


def _distance(effect: Effect) -> float:
    return abs(effect.value) / max(effect.high - effect.low, 1e-300)


def _unexplained(
    cells: Sequence[Mapping[str, str]], results: Sequence[Results], keys: Mapping[str, Sequence[str]]
) -> tuple[float, float] | None:
    """Return the residual variance of the additive model, and its degrees of freedom; `None` where none are left."""
    columns = [np.ones(len(cells))]
    columns += [_indicator(cells, key, value) for key, values in keys.items() for value in values[1:]]
    design, means = np.stack(columns, 1), np.array([each.values.mean() for each in results])
    freedom = len(cells) - design.shape[1]
    if freedom < 1:
        return None
    residual = means - design @ np.linalg.lstsq(design, means, rcond=None)[0]
    return float(residual @ residual / freedom), float(freedom)
