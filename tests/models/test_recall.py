"""Recall of earlier places: the same by loops, and what it is for."""

import numpy as np
import pytest
import torch

import src.models.networks.recall as module
from src.errors import UserError
from src.models.networks.recall import DISTANCE_SCALE, MATCH_SCALE, SMOOTHING, Recall

KEYS, STEPS = 9, 23


def recall(heads: int = 2, windows: tuple[int, ...] = (1, 2, 4), far: int = 5) -> Recall:
    torch.manual_seed(1)
    built = Recall(heads, windows, far)
    with torch.no_grad():
        built.match.normal_()
        built.nowhere.normal_()
        if built.distance is not None:
            built.distance.normal_()
    return built


def columns(batch: int = 2, steps: int = STEPS, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, steps, KEYS, generator=generator) < 0.3).float()


def likeness(one: np.ndarray, other: np.ndarray) -> list[float]:
    """Of two columns: Jaccard, the same highest key, the same lowest key."""
    a, b = set(np.flatnonzero(one).tolist()), set(np.flatnonzero(other).tolist())
    jaccard = (len(a & b) + SMOOTHING) / (len(a | b) + SMOOTHING)
    both = bool(a and b)
    return [jaccard, float(both and max(a) == max(b)), float(both and min(a) == min(b))]


def windowed(x: np.ndarray, t: int, s: int, width: int) -> np.ndarray:
    """Means over the last `width` columns of the places t and s; what lies before the piece is like nothing."""
    pairs = [likeness(x[t - k], x[s - k]) for k in range(width) if s - k >= 0]
    return np.sum(pairs, axis=0) / width


def by_loops(layer: Recall, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is read (T, heads, keys), and the attention given to places (T, heads), of one piece."""
    match = layer.match.detach().double().numpy().reshape(layer.heads, 3, -1)
    nowhere = layer.nowhere.detach().double().numpy()
    distance = None if layer.distance is None else layer.distance.detach().double().numpy()
    read, found = np.zeros((len(x), layer.heads, x.shape[1])), np.zeros((len(x), layer.heads))
    for t in range(len(x)):
        for head in range(layer.heads):
            scores = [nowhere[head]]
            for s in range(t):
                alike = np.stack([windowed(x, t, s, width) for width in layer.windows], 1)
                score = MATCH_SCALE * float((match[head] * alike).sum())
                if distance is not None:
                    score += DISTANCE_SCALE * distance[head, min(t - s, layer.far)]
                scores.append(score)
            attention = np.exp(np.array(scores) - max(scores))
            attention /= attention.sum()
            found[t, head] = attention[1:].sum()
            for s in range(t):
                read[t, head] += attention[1 + s] * x[s + 1]
    return read, found


@pytest.mark.parametrize(("windows", "far"), [((1, 2, 4), 5), ((4, 1), 0), ((8,), 40)])
def test_reads_what_loops_read(windows: tuple[int, ...], far: int) -> None:
    layer, x = recall(windows=windows, far=far), columns()
    read, found = (part.detach().numpy() for part in layer(x))
    for piece in range(len(x)):
        expected_read, expected_found = by_loops(layer, x[piece].numpy())
        np.testing.assert_allclose(read[piece], expected_read, atol=2e-5)
        np.testing.assert_allclose(found[piece], expected_found, atol=2e-5)


@pytest.mark.parametrize("rows", [1, 5, 7, STEPS - 1])
def test_blocks_are_one_block(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    layer, x = recall(), columns()
    whole = layer(x)
    monkeypatch.setattr(module, "ROWS", rows)
    for part, expected in zip(layer(x), whole, strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 6, STEPS])
def test_the_last_rows_are_those_of_all(rows: int) -> None:
    layer, x = recall(), columns()
    for part, expected in zip(layer(x, rows), layer(x), strict=True):
        torch.testing.assert_close(part, expected[:, -rows:], rtol=1e-5, atol=1e-6)


def test_nothing_is_recalled_at_the_first_column() -> None:
    read, found = recall()(columns())
    assert not read[:, 0].any()
    assert not found[:, 0].any()


def test_every_weight_is_trained() -> None:
    layer = recall()
    read, _ = layer(columns())
    read.square().sum().backward()
    for name, weight in layer.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_a_phrase_that_repeats_is_recalled_as_it_went_on() -> None:
    """Fresh weights already read, from the second time on, the column that is to come."""
    torch.manual_seed(0)
    phrase = columns(1, 16, seed=3)
    x = phrase.repeat(1, 3, 1)
    layer = Recall(1, (1, 2, 4, 8), 0)
    read, found = layer(x)
    known = slice(24, 47)
    following = x[0, 25:48]
    error = (read[0, known, 0] - following * found[0, known]).abs().mean()
    unknown = (read[0, 1:15, 0] - x[0, 2:16] * found[0, 1:15]).abs().mean()
    assert found[0, known].min() > 2 * found[0, 1:8].max()
    assert error < unknown / 3


def test_a_transposed_piece_is_read_alike() -> None:
    layer, x = recall(), columns()
    x[..., -2:] = 0
    read, found = layer(x)
    moved_read, moved_found = layer(x.roll(2, -1))
    torch.testing.assert_close(moved_read, read.roll(2, -1))
    torch.testing.assert_close(moved_found, found)


@pytest.mark.parametrize("windows", [(), (3,), (0,), (1, 6), (2.0,)])
def test_other_windows_are_refused(windows: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"model\.windows"):
        Recall(1, windows, 0)
