import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from src.losses.cross_entropy import CrossEntropy
from src.metrics.kinds import KINDS
from src.models.classifier import Classifier
from src.models.pooling import pooled

OUTPUTS = {
    "sigmoid": (KINDS["multilabel"], expit),
    "softmax": (KINDS["multiclass"], lambda logits: softmax(logits, axis=1)),
    "numbers": (KINDS["regression"], lambda logits: logits),
}


@settings(max_examples=60)
@given(
    counts=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    n_classes=st.integers(2, 5),
    seed=st.integers(0, 2**31),
    kind=st.sampled_from(sorted(OUTPUTS)),
    pool=st.sampled_from(["mean", "max"]),
)
def test_pooled_logits_stand_for_the_pooled_outputs(counts, n_classes, seed, kind, pool):
    logits = np.random.default_rng(seed).normal(0, 2, (sum(counts), n_classes))
    how, by_numpy = OUTPUTS[kind]
    made = pooled(
        torch.tensor(logits, dtype=torch.float32), torch.tensor(counts), how.outputs, how.inverse, pool
    )
    recordings = np.split(logits, np.cumsum(counts)[:-1])
    expected = np.stack([getattr(by_numpy(windows), pool)(axis=0) for windows in recordings])
    if kind == "softmax":
        expected /= expected.sum(axis=1, keepdims=True)  # the greatest of each do not sum to 1
    assert made.shape == (len(counts), n_classes)
    np.testing.assert_allclose(how.outputs(made).numpy(), expected, atol=1e-5)


def test_one_window_a_recording_stays_as_it_is():
    logits = torch.randn(6, 3)
    for how, _ in OUTPUTS.values():
        for pool in ("mean", "max"):
            made = pooled(logits, torch.ones(6, dtype=torch.long), how.outputs, how.inverse, pool)
            torch.testing.assert_close(how.outputs(made), how.outputs(logits))


def test_certain_outputs_stay_finite():
    logits = torch.tensor([[200.0, -200.0, -200.0], [200.0, -200.0, 200.0]])
    for how, _ in OUTPUTS.values():
        made = pooled(logits, torch.tensor([2]), how.outputs, how.inverse, "mean")
        assert torch.isfinite(made).all()
        assert made.argmax() == 0


def test_labels_that_are_certain_of_one_class_are_no_classes():
    """Sigmoid outputs may sum to 1 by chance; they stay what they are."""
    logits = torch.tensor([[16.0, -16.0, -16.0], [-16.0, 16.0, -16.0]])
    made = pooled(logits, torch.tensor([1, 1]), torch.sigmoid, KINDS["multilabel"].inverse, "mean")
    torch.testing.assert_close(torch.sigmoid(made), torch.sigmoid(logits), atol=1e-6, rtol=0)


def test_the_classifier_answers_for_whole_recordings():
    class Bands(torch.nn.Module):
        def forward(self, x):
            return x.mean((1, 3))

    model = Classifier(
        Bands(), CrossEntropy(), kind="multiclass", names=["a", "b"], objective="accuracy", description={},
        mean=torch.zeros(2), std=torch.ones(2), pool="mean",
    )  # fmt: skip
    x = torch.randn(5, 1, 2, 4)
    targets, counts = torch.tensor([0, 1]), torch.tensor([2, 3])
    logits, truth = model.logits_and_targets((x, targets, counts))
    probabilities = torch.softmax(x.mean((1, 3)), 1)
    expected = torch.stack([probabilities[:2].mean(0), probabilities[2:].mean(0)])
    torch.testing.assert_close(torch.softmax(logits, 1), expected)
    assert truth is targets
    windows, _ = model.logits_and_targets((x, torch.zeros(5)))
    assert windows.shape == (5, 2)


def test_the_greatest_output_wins_not_the_greatest_logit():
    logits = torch.tensor([[50.0, 49.0, 0.0], [0.0, 5.0, 0.0]])
    how = KINDS["multiclass"]
    made = pooled(logits, torch.tensor([2]), how.outputs, how.inverse, "max")
    assert made.argmax() == 1


def test_the_windows_of_a_long_recording_take_turns(monkeypatch):
    seen = []

    class Bands(torch.nn.Module):
        def forward(self, x):
            seen.append(len(x))
            return x.mean((1, 3))

    monkeypatch.setattr("src.models.classifier.WINDOWS", 4)
    model = Classifier(
        Bands(), CrossEntropy(), kind="multiclass", names=["a", "b"], objective="accuracy", description={},
        mean=torch.zeros(2), std=torch.ones(2), pool="mean",
    )  # fmt: skip
    x = torch.randn(9, 1, 2, 4)
    logits, _ = model.logits_and_targets((x, torch.tensor([0]), torch.tensor([9])))
    assert seen == [4, 4, 1]
    torch.testing.assert_close(logits.softmax(1)[0], x.mean((1, 3)).softmax(1).mean(0))
