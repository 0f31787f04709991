import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from src.metrics.baseline_data import BaselineData, Split
from src.metrics.roll_baselines import KeyMarkov, baselines_rolls
from src.metrics.rolls import METRICS

KEYS = ("C4", "D4", "E4")
LENGTHS = np.array([40, 1, 30])


def random_rolls(seed, n_columns=3):
    """Keys that hold on, each with its own frequency."""
    rng = np.random.default_rng(seed)
    frames = np.zeros((LENGTHS.sum(), n_columns), dtype=bool)
    for step in range(1, len(frames)):
        changes = rng.random(n_columns) < np.where(
            frames[step - 1], 0.25, [0.05, 0.1, 0.3] * (n_columns // 3)
        )
        frames[step] = frames[step - 1] ^ changes
    return frames


def measured(names=KEYS):
    parts = [random_rolls(seed, len(names)) for seed in (1, 2, 3)]
    return parts, baselines_rolls(data(*parts, names=names))


def data(*rolls, names=KEYS):
    return BaselineData(*(Split(frames, LENGTHS) for frames in rolls), names)


def neighbours(frames):
    pieces = np.split(frames, np.cumsum(LENGTHS)[:-1])
    return np.concatenate([p[1:] for p in pieces]), np.concatenate([p[:-1] for p in pieces])


def nats(chances, truth):
    return -np.log(np.where(truth, chances, 1 - chances)).sum(1).mean()


def test_repeat_last_answers_the_column_before():
    (_, val, test), found = measured()
    now, before = neighbours(test)
    assert found["repeat_last"]["f1_micro"] == pytest.approx(f1_score(now, before, average="micro"))
    assert found["repeat_last"]["f1_macro"] == pytest.approx(f1_score(now, before, average="macro"))
    expected = f1_score(*neighbours(val), average="micro")
    assert found["repeat_last"]["val_f1_micro"] == pytest.approx(expected)
    assert found["repeat_last"]["onset_f1"] == 0


def test_repeat_last_has_the_nll_of_one_chain_for_all_keys():
    (train, _, test), found = measured()
    now, before = (part.ravel() for part in neighbours(train))
    stay = ((now & before).sum() + 1) / (before.sum() + 2)
    enter = ((now & ~before).sum() + 1) / ((~before).sum() + 2)
    truth, last = neighbours(test)
    assert found["repeat_last"]["nll"] == pytest.approx(nats(np.where(last, stay, enter), truth))


def test_all_zero_answers_silence_and_has_the_nll_of_the_density():
    (train, _, test), found = measured()
    now, _ = neighbours(test)
    density = (train.sum() + 1) / (train.size + 2)
    assert found["all_zero"]["f1_micro"] == 0
    assert found["all_zero"]["accuracy"] == pytest.approx((~now).mean())
    assert found["all_zero"]["nll"] == pytest.approx(nats(density, now))


def test_independent_keys_give_each_key_its_frequency():
    (train, _, test), found = measured()
    chances = (train.sum(0) + 1) / (len(train) + 2)
    assert found["independent_keys"]["nll"] == pytest.approx(nats(chances, neighbours(test)[0]))


def test_markov_counts_transitions_within_pieces():
    (train, _, test), found = measured()
    chances = np.empty((2, 3))
    now, before = neighbours(train)
    for key in range(3):
        for state in (0, 1):
            after = now[before[:, key] == state, key]
            chances[state, key] = (after.sum() + 1) / (len(after) + 2)
    truth, last = neighbours(test)
    assert found["markov"]["nll"] == pytest.approx(nats(np.where(last, chances[1], chances[0]), truth))


def test_markov_threshold_is_the_best_on_validation():
    (train, val, _), found = measured()
    now, before = neighbours(val)
    chances = KeyMarkov.fit(train, LENGTHS).probabilities(torch.from_numpy(before)).numpy()
    best = max(f1_score(now, chances > step / 200, average="micro") for step in range(200))
    assert found["markov"]["val_f1_micro"] == pytest.approx(best)


def test_every_baseline_has_test_and_validation_metrics():
    _, found = measured((*KEYS, *(f"{key} onset" for key in KEYS)))
    expected = {*METRICS, *(f"val_{name}" for name in METRICS), "threshold"}
    assert set(found) == {"all_zero", "repeat_last", "independent_keys", "markov"}
    assert all(metrics.keys() == expected for metrics in found.values())


def test_onset_columns_change_nothing_about_keys():
    keys = measured()[1]["repeat_last"]
    doubled = [np.hstack([random_rolls(seed), random_rolls(seed + 9)]) for seed in (1, 2, 3)]
    names = (*KEYS, *(f"{key} onset" for key in KEYS))
    both = baselines_rolls(data(*doubled, names=names))["repeat_last"]
    for name in ("nll", "f1_micro", "accuracy", "threshold"):
        assert both[name] == pytest.approx(keys[name])


def test_key_never_heard_in_training_costs_no_infinity():
    train, test = np.zeros((71, 3), dtype=bool), np.ones((71, 3), dtype=bool)
    found = baselines_rolls(data(train, train, test))
    assert found["independent_keys"]["nll"] == pytest.approx(3 * np.log(71 + 2))
    assert found["markov"]["nll"] == pytest.approx(3 * np.log(2))


def test_samples_have_the_frequencies_of_the_chain():
    markov = KeyMarkov.fit(random_rolls(1), LENGTHS)
    start = np.tile([True, False, True], (4000, 1))
    drawn = markov.sample(2, start, np.random.default_rng(0))
    expected = markov.probabilities(torch.tensor([True, False, True])).numpy()
    assert drawn.shape == (4000, 2, 3)
    assert drawn[:, 0].mean(0) == pytest.approx(expected, abs=0.04)
    after_on = drawn[drawn[:, 0, 0], 1, 0].mean()
    assert after_on == pytest.approx(float(markov.stay[0]), abs=0.04)


def test_samples_depend_on_the_generator_only():
    markov = KeyMarkov.fit(random_rolls(1), LENGTHS)
    one, other = (
        markov.sample(9, markov.first_columns(2, rng), rng)
        for rng in (np.random.default_rng(5), np.random.default_rng(5))
    )
    assert np.array_equal(one, other)


def test_first_columns_follow_the_frequencies():
    markov = KeyMarkov.fit(random_rolls(1), LENGTHS)
    drawn = markov.first_columns(4000, np.random.default_rng(0))
    assert drawn.mean(0) == pytest.approx(random_rolls(1).mean(0), abs=0.05)
