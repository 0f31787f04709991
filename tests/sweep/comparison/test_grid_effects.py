import itertools

import numpy as np
import pytest

from src.sweep.comparison.effects import grid_effects
from src.sweep.comparison.results import Results

OPTIMIZERS, LOSSES = ("adam", "adamw", "rmsprop"), ("bce", "focal")


def grid(n_seeds, noise=0.002, crossed=0.0, seed=0):
    rng = np.random.default_rng(seed)
    cells, results = [], []
    for optimizer, loss in itertools.product(OPTIMIZERS, LOSSES):
        mean = {"adam": 0.8, "adamw": 0.81, "rmsprop": 0.7}[optimizer] + 0.03 * (loss == "bce")
        mean += crossed * (optimizer == "adam" and loss == "bce")
        cells.append({"optimizer": optimizer, "loss": loss})
        results.append(Results(mean + rng.normal(0, noise, n_seeds)))
    return cells, results


def test_effects_are_differences_of_marginal_means():
    cells, results = grid(4)
    effects = {e.name: e for e in grid_effects(cells, results).of_keys}
    means = {tuple(cell.values()): r.values.mean() for cell, r in zip(cells, results, strict=True)}
    bce, focal = (np.mean([means[o, loss] for o in OPTIMIZERS]) for loss in LOSSES)
    assert effects["bce - focal"].value == pytest.approx(bce - focal)
    assert effects["bce - focal"].low > 0.02
    assert set(effects) == {"bce - focal", "adam - adamw", "adam - rmsprop", "adamw - rmsprop"}
    assert effects["adam - rmsprop"].low < 0.1 < effects["adam - rmsprop"].high


def test_an_effect_over_many_cells_is_known_better_than_one_difference():
    cells, results = grid(4)
    effects = {e.name: e for e in grid_effects(cells, results).of_keys}
    widths = {name: e.high - e.low for name, e in effects.items()}
    assert widths["bce - focal"] < widths["adam - adamw"]
    assert widths["adam - adamw"] == pytest.approx(widths["bce - focal"] * np.sqrt(3 / 2), rel=0.35)


def test_interactions_are_found_where_there_are_some():
    [without] = grid_effects(*grid(5)).interactions
    [crossed] = grid_effects(*grid(5, crossed=0.05)).interactions
    assert without.low < 0 < without.high
    assert not crossed.low < 0 < crossed.high
    assert crossed.key == "optimizer × loss"


def test_with_one_seed_the_interaction_is_the_measure_of_chance():
    found = grid_effects(*grid(1))
    assert found.one_seed
    assert found.interactions == ()
    _, results = grid(1)
    table = np.array([r.values[0] for r in results]).reshape(3, 2)
    residual = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    # The variance of an effect is that of the residuals over its degrees of freedom (Montgomery, 'Design and Analysis
    # of Experiments', two-way layout with one observation per cell).
    variance = np.square(residual).sum() / 2
    effect = {e.name: e for e in found.of_keys}["bce - focal"]
    deviation = np.sqrt(variance * 2 / 3)
    assert (
        4.3 * deviation < (effect.high - effect.low) / 2 < 14 * deviation
    )  # t of 2 degrees of freedom, 4 effects


@pytest.mark.parametrize("kept", [slice(0, 5), slice(0, 1)], ids=["a cell is missing", "one configuration"])
def test_there_are_no_effects_without_a_full_grid(kept):
    cells, results = grid(3)
    assert grid_effects(cells[kept], results[kept]) is None


def test_one_seed_and_one_key_tell_nothing():
    cells = [{"loss": "bce"}, {"loss": "focal"}]
    assert grid_effects(cells, [Results(np.array([0.5])), Results(np.array([0.6]))]) is None


def test_the_choice_of_items_widens_the_intervals():
    cells, results = grid(4)
    rng = np.random.default_rng(0)
    with_items = [Results(r.values, rng.normal(0, 0.01, (1, 50)).repeat(4, 0)) for r in results]
    widths = [
        next(e.high - e.low for e in grid_effects(cells, each).of_keys if e.name == "bce - focal")
        for each in (results, with_items)
    ]
    assert widths[1] > 2 * widths[0]


def test_keys_of_many_values_are_left_out():
    rng = np.random.default_rng(0)
    rates = [str(0.001 * number) for number in range(1, 10)]
    cells = [{"lr": rate, "loss": loss} for rate in rates for loss in LOSSES]
    results = [Results(0.03 * (cell["loss"] == "bce") + rng.normal(0, 0.002, 3)) for cell in cells]
    found = grid_effects(cells, results)
    assert [effect.name for effect in found.of_keys] == ["bce - focal"]
    assert (found.interactions, found.left_out) == ((), ("lr",))
    assert found.of_keys[0].low < 0.03 < found.of_keys[0].high
    assert grid_effects([{"lr": rate} for rate in rates], results[:9]) is None
