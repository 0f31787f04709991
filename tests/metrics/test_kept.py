"""`predictions.npz`: small, and enough to compute metrics without a part of the items."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    label_ranking_average_precision_score,
)
from torch import Tensor

from src.metrics.item_groups import dealt, numbered
from src.metrics.kept import FILE, Answered, read_jackknife, write_kept
from src.metrics.kinds import KINDS
from src.metrics.rolls import ONSET, Frames, frames_of
from src.trial import jackknife

pytestmark = pytest.mark.usefixtures("nothing_registered")

N, C = 120, 5
NAMES = tuple(f"instrument {number}" for number in range(C))
BLOCKS = 10


def answers(kind: str, n: int = N, classes: int = C, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    marks = (torch.rand(n, classes, generator=generator) < 0.3).to(torch.uint8)
    logits = 2.0 * marks - 1 + 1.5 * torch.randn(n, classes, generator=generator)
    if kind == "multilabel":
        return logits.sigmoid(), marks
    return (
        (logits.softmax(1), marks.argmax(1)) if kind == "multiclass" else (logits, logits.roll(1, 0) + marks)
    )


def written(
    folder: Path, kind: str, groups: Any = None, threshold: float = 0.37, metric: str = "loss", **options: Any
) -> Path:
    outputs, targets = answers(kind, **options)
    groups = np.arange(len(outputs)) if groups is None else groups
    answered = Answered(outputs, targets, groups)
    names = (
        NAMES[: outputs.shape[1]]
        if outputs.shape[1] <= C
        else [f"class {c}" for c in range(outputs.shape[1])]
    )
    folder.mkdir(exist_ok=True)
    write_kept(folder / FILE, kind, {"val": answered, "test": answered}, threshold, names, metric)
    return folder / FILE


def reference(kind: str, metric: str, kept: Any) -> float:
    outputs, targets = (values[kept].numpy() for values in answers(kind))
    chosen = outputs > np.float32(0.37)
    found = {
        ("multilabel", "f1_macro"): lambda: f1_score(targets, chosen, average="macro", zero_division=0),
        ("multilabel", "subset_accuracy"): lambda: accuracy_score(targets, chosen),
        ("multilabel", "average_precision"): lambda: average_precision_score(
            targets, outputs, average="macro"
        ),
        ("multilabel", "label_ranking_average_precision"): lambda: label_ranking_average_precision_score(
            targets[targets.any(1)], outputs[targets.any(1)]
        ),
        ("multiclass", "f1_macro"): lambda: f1_score(targets, outputs.argmax(1), average="macro"),
        ("multiclass", "accuracy"): lambda: accuracy_score(targets, outputs.argmax(1)),
        ("regression", "spearman"): lambda: np.mean(
            [spearmanr(*xy)[0] for xy in zip(outputs.T, targets.T, strict=True)]
        ),
        ("regression", "mse"): lambda: np.square(outputs - targets).mean(),
    }
    return float(found[kind, metric]())


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("kind", "metric", "exact"),
    [
        ("multilabel", "f1_macro", 1e-6),
        ("multilabel", "subset_accuracy", 1e-6),
        ("multilabel", "average_precision", 1e-6),
        ("multilabel", "label_ranking_average_precision", 1e-6),
        ("multiclass", "f1_macro", 1e-6),
        ("multiclass", "accuracy", 1e-6),
        ("regression", "spearman", 1e-6),
        ("regression", "mse", 1e-6),
    ],
)
def test_a_block_of_groups_is_left_out_with_its_items(
    tmp_path: Path, kind: str, metric: str, exact: float, several: bool
) -> None:
    groups = np.random.default_rng(0).integers(0, 40, (N, 2) if several else N) * 1000
    found = read_jackknife(written(tmp_path, kind, groups), metric, BLOCKS)
    assert found is not None
    numbers, n_groups = numbered(groups)
    block = dealt(n_groups, BLOCKS)[numbers]
    expected = [reference(kind, metric, ~(block == number).any(1)) for number in range(BLOCKS)]
    assert found.value == pytest.approx(reference(kind, metric, slice(None)), abs=exact)
    np.testing.assert_allclose(found.without, expected, atol=exact)


@pytest.mark.parametrize(
    "metric", ["f1_macro", "average_precision", "top_1", "label_ranking_average_precision"]
)
def test_outputs_that_hardly_differ_keep_their_ranks(tmp_path: Path, metric: str) -> None:
    """As those of a network that has learned little do."""
    outputs, targets = answers("multilabel")
    outputs = 0.2 + 1e-5 * outputs
    path, threshold = tmp_path / FILE, float(outputs.median())
    write_kept(
        path, "multilabel", {"test": Answered(outputs, targets, np.arange(N))}, threshold, NAMES, "loss"
    )
    found = read_jackknife(path, metric)
    assert found is not None
    expected = KINDS["multilabel"].evaluate(outputs, targets, threshold, NAMES)[metric]
    assert found.value == pytest.approx(expected, abs=1e-6)


def rolls(seed: int = 0) -> tuple[Tensor, Frames]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(8, 40, 12)
    columns = generator.random((int(lengths.sum()), 8)) < 0.3
    frames = frames_of(columns, lengths)
    return torch.from_numpy(0.3 * frames.now.numpy() + 0.7 * generator.random(frames.now.shape)), frames


def test_rolls_are_kept_by_piece(tmp_path: Path) -> None:
    outputs, frames = rolls()
    names = [*"abcd", *(f"{key}{ONSET}" for key in "abcd")]
    groups = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
    write_kept(tmp_path / FILE, "rolls", {"test": Answered(outputs, frames, groups)}, 0.4, names, "loss")
    numbers, n_groups = numbered(groups)
    block = dealt(n_groups, 4)[numbers[:, 0]]
    evaluate = KINDS["rolls"].evaluate
    for metric, value in evaluate(outputs, frames, 0.4, names).items():
        found = read_jackknife(tmp_path / FILE, metric, 4)
        assert found is not None
        assert found.value == pytest.approx(value, rel=1e-5)
        for number in range(4):
            rows = torch.from_numpy(block != number)[frames.piece]
            expected = evaluate(outputs[rows], Frames(*(part[rows] for part in frames)), 0.4, names)[metric]
            assert found.without[number] == pytest.approx(expected, rel=1e-5), metric


def test_equal_items_have_equal_hashes_whatever_was_answered(tmp_path: Path) -> None:
    def items(name: str, groups: Any = None, **options: Any) -> str:
        (tmp_path / name).mkdir()
        found = read_jackknife(written(tmp_path / name, "multilabel", groups, **options), "f1_macro")
        assert found is not None
        return found.items

    usual = items("usual")
    assert items("other threshold", threshold=0.6) == usual
    assert items("other targets", seed=1) != usual
    assert items("other groups", np.arange(N) // 2) != usual
    assert items("fewer", n=N - 1) != usual


def test_what_can_not_be_computed_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, "multilabel")
    assert read_jackknife(path, "f1_macro", split="val") is not None
    for metric in ("loss", "hamming_loss", "nll", "pitch_range_distance"):
        assert read_jackknife(path, metric) is None
    assert read_jackknife(path, "f1_macro", split="train") is None
    assert read_jackknife(tmp_path / "nowhere" / FILE, "f1_macro") is None
    assert read_jackknife(written(tmp_path, "multilabel", np.zeros(N, np.int64)), "f1_macro") is None
    path.write_bytes(path.read_bytes()[:500])
    assert read_jackknife(path, "f1_macro") is None


@pytest.mark.parametrize("kind", ["multilabel", "multiclass", "regression"])
@pytest.mark.parametrize("several", [1, 10])
def test_the_file_is_small(tmp_path: Path, kind: str, several: int) -> None:
    groups = np.random.default_rng(0).integers(0, 2**62, 300)
    groups = groups[np.random.default_rng(0).integers(0, 300, (800, several))]
    path = written(tmp_path, kind, groups, n=800, classes=12)
    assert path.stat().st_size < 200_000
    assert list(tmp_path.iterdir()) == [path]


def test_hundreds_of_trials_take_seconds(tmp_path: Path) -> None:
    path = written(tmp_path, "multilabel", n=800, classes=12)
    begun = time.process_time()
    found = jackknife([path.parent] * 60, "f1_macro")
    assert time.process_time() - begun < 1.2  # 0.2 s on an idle machine
    assert [each.value for each in found if each] == [found[0].value] * 60  # type: ignore[union-attr]


@pytest.mark.parametrize(("kind", "metric"), [("multilabel", "f1_macro"), ("regression", "mse")])
def test_the_jackknife_of_the_objective_is_written_and_the_same(tmp_path, kind, metric):
    groups = np.arange(N) // 2
    with_it = written(tmp_path / "with", kind, groups, metric=metric)
    without = written(tmp_path / "without", kind, groups, metric="loss")
    for split in ("val", "test"):
        found, expected = (read_jackknife(path, metric, split=split) for path in (with_it, without))
        assert (found.value, found.items) == (expected.value, expected.items)
        np.testing.assert_array_equal(found.without, expected.without)
    with np.load(with_it) as kept:
        arrays = {name: kept[name] for name in kept.files if not name.endswith("_outputs")}
    np.savez_compressed(with_it, **arrays)
    assert read_jackknife(with_it, metric) is not None  # which needs no outputs
