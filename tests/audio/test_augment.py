import numpy as np
import pytest
import torch

from src.audio.augment import Mixing, SpecAugment
from src.errors import UserError


def clips(n: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = -80 * torch.rand(n, 1, 16, 40, generator=generator)
    x[:, 0, 3, 5] = 0
    x[:, 0, 4, 6] = -80
    return x, torch.eye(n, dtype=torch.uint8)


def test_masks_lie_at_each_clips_floor_and_cover_whole_bands_or_frames() -> None:
    torch.manual_seed(0)
    x, y = clips()
    masked, same = SpecAugment(time_masks=1, time_width=10, frequency_masks=0, frequency_width=0)(x, y)
    assert torch.equal(same, y)
    changed = masked != x
    assert changed.any()
    assert torch.all(masked[changed] == -80)
    frames = changed.any(2).squeeze(1)
    assert torch.all(changed.squeeze(1).sum(1)[frames] >= 14)
    assert torch.all(frames.sum(1) < 10)


def test_without_masks_nothing_changes() -> None:
    x, y = clips()
    assert torch.equal(SpecAugment(0, 0, 0, 0)(x, y)[0], x)


def test_mixing_adds_powers_and_unites_labels() -> None:
    torch.manual_seed(3)
    x, y = clips()
    mixed, both = Mixing(1.0)(x, y)
    torch.manual_seed(3)
    partner = torch.randperm(4).numpy()
    power = 10 ** (x.double().numpy() / 10)
    expected = 10 * np.log10(power + power[partner])
    expected -= expected.max((1, 2, 3), keepdims=True)
    expected = np.maximum(expected, -80)
    np.testing.assert_allclose(mixed.numpy(), expected, atol=1e-3)
    assert torch.equal(both, torch.maximum(y, y[torch.from_numpy(partner)]))


def test_mixing_none_changes_nothing() -> None:
    x, y = clips()
    mixed, both = Mixing(0.0)(x, y)
    assert torch.equal(mixed, x)
    assert torch.equal(both, y)


@pytest.mark.parametrize("probability", [-0.1, 1.1])
def test_mixing_refuses_what_is_no_probability(probability: float) -> None:
    with pytest.raises(UserError, match="a share from 0 to 1"):
        Mixing(probability)


def test_spec_augment_refuses_negative_widths() -> None:
    with pytest.raises(UserError, match="time_width=-1: choose a whole number from 0"):
        SpecAugment(1, -1, 1, 1)
