import numpy as np
import pytest

from src.sweep.comparison.power import smallest_lead
from src.sweep.comparison.results import Results
from src.sweep.comparison.verdicts import Verdict, judge


def test_the_smallest_lead_is_found_in_four_of_five_sweeps():
    lead, rng = smallest_lead(4, 4), np.random.default_rng(1)
    found = []
    for _ in range(150):
        values = rng.standard_normal((4, 4))
        values[0] += lead
        judged = judge(
            [Results(v) for v in values], chosen=0, higher_is_better=True, matters=0.0, n_draws=1000
        )
        found.append(judged[1].verdict == Verdict.WORSE)
    assert np.mean(found) == pytest.approx(0.8, abs=0.11)


def test_more_seeds_find_smaller_leads_and_more_configurations_larger_ones():
    assert smallest_lead(6, 10) < smallest_lead(6, 3)
    assert smallest_lead(4, 5) < smallest_lead(18, 5)


def test_one_seed_finds_nothing():
    assert smallest_lead(6, 1) is None
