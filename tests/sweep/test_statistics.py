import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from src.sweep.statistics import ALPHA, holm, paired_p_value, tied_with_best

P_VALUES = st.lists(st.floats(0, 1), max_size=8)


def rejected_step_by_step(p_values, alpha):
    """Holm 1979 as he words it: test the smallest p at α/m, the next at α/(m - 1), stop at the first failure."""
    left = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected = set()
    while left and p_values[left[0]] * len(left) < alpha:
        rejected.add(left.pop(0))
    return rejected


@given(P_VALUES, st.floats(0.001, 0.999))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, alpha):
    adjusted = holm(p_values)
    assert {i for i, p in enumerate(adjusted) if p < alpha} == rejected_step_by_step(p_values, alpha)


@given(P_VALUES)
def test_holm_adjusts_upwards_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    by_p = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert by_p == sorted(by_p)


def test_holm_on_a_worked_example():
    # Wikipedia, 'Holm–Bonferroni method': .01, .04, .03, .005 at α .05 rejects the first and the last.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=2, max_size=8))
def test_paired_p_value_is_students(pairs):
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    differences = first - second
    if np.ptp(differences) < 1e-6:
        return
    t = differences.mean() / (differences.std(ddof=1) / math.sqrt(len(differences)))
    expected = 2 * stats.t.sf(abs(t), len(differences) - 1)
    assert paired_p_value(first, second) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_paired_p_value_where_t_is_undefined():
    assert paired_p_value([1.0, 2.0], [1.0, 2.0]) == 1.0
    assert paired_p_value([1.0, 2.0], [0.5, 1.5]) == 0.0


def test_tied_with_best_pairs_seeds_and_corrects():
    best = {1: 0.90, 2: 0.91, 3: 0.92, 4: 0.93}
    near = {4: 0.925, 3: 0.925, 2: 0.905, 1: 0.905}  # other order, differences of both signs
    far = {1: 0.50, 2: 0.52, 3: 0.51, 4: 0.54}
    one_seed = {1: 0.89}
    other_seeds = {7: 0.89, 8: 0.88}
    assert tied_with_best([best, near, far, one_seed, other_seeds], 0) == [True, True, False, None, None]


def test_correction_changes_the_verdict():
    seeds = range(4)
    best = dict.fromkeys(seeds, 1.0)
    slightly = {s: 1.0 - d for s, d in zip(seeds, (0.01, 0.02, 0.03, 0.04), strict=True)}
    p = paired_p_value([best[s] for s in seeds], [slightly[s] for s in seeds])
    assert ALPHA / 2 < p < ALPHA
    assert tied_with_best([best, slightly], 0) == [True, False]
    assert tied_with_best([best, slightly, dict(slightly)], 0) == [True, True, True]


def test_one_seed_claims_nothing():
    assert tied_with_best([{1: 0.9}, {1: 0.1}], 0) == [None, None]
