"""Clips mixed of stems, against sums in numpy."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from src.datamodules.synthesized.stem_mixtures import Mixing, StemMixtures
from src.errors import UserError

N_EACH, MELS, FRAMES = 4, 12, 9
FONTS = ((0, 1, 2), (0, 2), (1,))  # the classes of each soundfont


def pools(n_each: Sequence[int] = (N_EACH,) * 3) -> list[list[np.ndarray]]:
    """By class and font the numbers of stems, which lie font after font, class after class."""
    found: list[list[np.ndarray]] = [[], [], []]
    start = 0
    for classes, count in zip(FONTS, n_each, strict=True):
        for label in classes:
            found[label].append(np.arange(start, start + count))
            start += count
    return found


@pytest.fixture(scope="module")
def stems() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-100, 20, (6 * N_EACH, 1, MELS, FRAMES)).astype(np.float16)


def mixtures(stems: np.ndarray, *, seed: int = 1, n_each: Sequence[int] = (N_EACH,) * 3, **changes):
    mixing = {"max_instruments": 3, "level_db": 4.0, "equaliser_db": 4.0, "top_db": 80.0, **changes}
    return StemMixtures(stems, pools(n_each), Mixing(**mixing), seed)


def plain(stems: np.ndarray, count: int, **changes):
    return mixtures(stems, max_instruments=count, level_db=0.0, equaliser_db=0.0, **changes)


def summed(stems: np.ndarray, chosen: Sequence[int], top_db: float = 80.0) -> np.ndarray:
    decibels = 10 * np.log10((10 ** (stems[list(chosen), 0].astype(np.float64) / 10)).sum(0))
    return np.maximum(decibels - decibels.max(), -top_db)


def markers(count: int) -> np.ndarray:
    """Stems of one band, each with its maximum at the frame of its number."""
    return np.where(np.eye(count, dtype=bool), 0, -90).astype(np.float16)[:, None, None]


def test_shapes_and_types(stems):
    sounds, labels = mixtures(stems)[np.arange(5)]
    assert (sounds.shape, sounds.dtype) == ((5, 1, MELS, FRAMES), torch.float32)
    assert (labels.shape, labels.dtype) == ((5, 3), torch.uint8)


def test_a_clip_depends_on_seed_and_number_only(stems):
    sounds, labels = mixtures(stems)[np.arange(40)]
    assert len({sound.numpy().tobytes() for sound in sounds}) == 40
    order = np.random.default_rng(1).permutation(40)
    again = mixtures(stems)
    for batch in np.split(order, [1, 8, 25]):
        assert torch.equal(again[batch][0], sounds[batch])
        assert torch.equal(again[batch][1], labels[batch])
    twice = again[np.array([7, 7])][0]
    assert torch.equal(twice[0], twice[1])
    other = {sound.numpy().tobytes() for sound in mixtures(stems, seed=2)[np.arange(40)][0]}
    assert not other & {sound.numpy().tobytes() for sound in sounds}


def test_far_numbers_are_other_clips(stems):
    numbers = np.array([0, 1, 2**32, 2**33 + 1, 2**40])
    assert len({sound.numpy().tobytes() for sound in mixtures(stems)[numbers][0]}) == 5


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("top_db", [80.0, 30.0])
def test_powers_are_added_and_labels_are_those_of_the_stems(stems, count, top_db):
    """Without gains, each clip is the sum of stems, one of each class that its labels name, and of no others."""
    sounds, labels = plain(stems, count, top_db=top_db)[np.arange(60)]
    for sound, marks in zip(sounds.numpy(), labels.numpy(), strict=True):
        of_class = [np.concatenate(pools()[label]) for label in np.flatnonzero(marks)]
        errors = [
            np.abs(sound[0] - summed(stems, chosen, top_db)).max() for chosen in itertools.product(*of_class)
        ]
        assert np.sort(errors)[0] < 1e-3
        assert np.sort(errors)[1] > 1
    assert set(labels.sum(1).tolist()) == set(range(1, count + 1))


def test_one_stem_is_its_clip(stems):
    sounds, labels = plain(stems, 1)[np.arange(60)]
    own = np.stack([summed(stems, [number]) for number in range(len(stems))])
    drawn = []
    for sound, marks in zip(sounds[:, 0].numpy(), labels.numpy(), strict=True):
        errors = np.abs(own - sound).max((1, 2))
        drawn.append(int(errors.argmin()))
        assert errors.min() < 1e-3
        assert drawn[-1] in np.concatenate(pools()[int(marks.argmax())])
    assert len(set(drawn)) > 15


@pytest.mark.parametrize("changes", [{}, {"level_db": 20.0}, {"equaliser_db": 20.0}, {"top_db": 20.0}])
def test_maximum_and_floor(stems, changes):
    sounds, labels = mixtures(stems, **changes)[np.arange(100)]
    assert (sounds.amax((1, 2, 3)) == 0).all()
    assert sounds.amin() == -changes.get("top_db", 80.0)
    assert torch.isfinite(sounds).all()
    assert labels.max() == 1
    assert set(labels.sum(1).tolist()) == {1, 2, 3}


def test_silence_is_no_fault():
    sounds, _ = mixtures(np.full((24, 1, MELS, FRAMES), -100, np.float16), equaliser_db=0.0)[np.arange(5)]
    assert (sounds == 0).all()


def test_numbers_of_instruments_and_classes_are_uniform(stems):
    _, labels = mixtures(stems)[np.arange(3000)]
    sizes = np.bincount(labels.sum(1), minlength=4)[1:]
    assert (np.abs(sizes - 1000) < 4 * np.sqrt(3000 * 2 / 9)).all()
    for count in (1, 2):
        some = labels[labels.sum(1) == count].numpy()
        share = count / 3
        bound = 4 * np.sqrt(len(some) * share * (1 - share))
        assert (np.abs(some.sum(0) - share * len(some)) < bound).all()


@pytest.mark.parametrize("n_each", [(4, 4, 4), (2, 9, 5)])
def test_fonts_are_drawn_alike_within_a_class(n_each):
    """Also one that has fewer classes, or fewer stems."""
    total = sum(len(classes) * count for classes, count in zip(FONTS, n_each, strict=True))
    sounds, labels = plain(markers(total), 1, n_each=n_each)[np.arange(3000)]
    drawn = sounds[:, 0, 0].argmax(1).numpy()
    for label, fonts in enumerate(pools(n_each)):
        of_class = drawn[labels[:, label].numpy() == 1]
        assert np.isin(of_class, np.concatenate(fonts)).all()
        for numbers in fonts:
            counts = np.array([(of_class == number).sum() for number in numbers])
            expected = len(of_class) / len(fonts)
            assert abs(counts.sum() - expected) < 4 * np.sqrt(expected / 2)
            mean = expected / len(numbers)
            assert ((counts - mean) ** 2 / mean).sum() < len(numbers) + 5 * np.sqrt(2 * len(numbers))


def test_the_equaliser_differs_from_band_to_band_only():
    flat = np.zeros((24, 1, MELS, FRAMES), np.float16)
    depths = []
    for strength in (1.0, 4.0):
        sounds, _ = mixtures(flat, max_instruments=1, equaliser_db=strength)[np.arange(400)]
        assert (sounds[..., :1] - sounds).abs().max() < 1e-4
        depths.append(sounds[:, 0, :, 0].std(1).square().mean().sqrt().item())
    assert depths[0] > 0.5
    assert depths[1] == pytest.approx(4 * depths[0], rel=1e-3)


def test_levels_have_the_deviation_that_is_asked_for():
    apart = np.full((24, 1, 3, 1), -100, np.float16)  # each class in a band of its own
    for label, fonts in enumerate(pools()):
        apart[np.concatenate(fonts), 0, label] = 0
    sounds, labels = mixtures(apart, equaliser_db=0.0)[np.arange(4000)]
    all_three = sounds[labels.sum(1) == 3][:, 0, :, 0]
    difference = all_three[:, 0] - all_three[:, 1]
    assert difference.mean().abs() < 0.7
    assert difference.std().item() == pytest.approx(4 * np.sqrt(2), rel=0.1)


@pytest.mark.parametrize(
    "changes", [{"level_db": -1.0}, {"level_db": 41.0}, {"equaliser_db": -0.1}, {"equaliser_db": 41.0}]
)
def test_gains_out_of_range_are_refused(stems, changes):
    with pytest.raises(UserError, match="choose a number of dB from 0 to 40"):
        mixtures(stems, **changes)
