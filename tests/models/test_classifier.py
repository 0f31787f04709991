import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from sklearn.metrics import f1_score
from torch import nn
from torch.utils.data import DataLoader

from src.callbacks.kept_outputs import KeptOutputs
from src.losses.base import Loss
from src.losses.bce import BCE
from src.losses.cross_entropy import CrossEntropy
from src.losses.mse import MSE
from src.models.classifier import Classifier

N, BANDS, FRAMES, CLASSES = 64, 8, 10, 3


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(BANDS, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.mean(-1).squeeze(1))


def items(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Class c is loud in band c."""
    generator = torch.Generator().manual_seed(0)
    strength = torch.rand(N, CLASSES, generator=generator)
    x = torch.full((N, 1, BANDS, FRAMES), -60.0)
    x[:, 0, :CLASSES] += 50 * strength[:, :, None]
    targets = {
        "multilabel": (strength > 0.6).to(torch.uint8),
        "multiclass": strength.argmax(1),
        "regression": strength,
    }
    return x.half(), targets[kind]


def batches(kind: str) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    return DataLoader(list(zip(*items(kind), strict=True)), batch_size=16)


def classifier(kind: str, loss: Loss, network: nn.Module | None = None) -> Classifier:
    torch.manual_seed(0)
    x, _ = items(kind)
    return Classifier(
        network or Head(),
        loss,
        kind=kind,
        names=["a", "b", "c"],
        mean=x.float().mean((0, 1, 3)),
        std=x.float().std((0, 1, 3)),
        objective="spearman" if kind == "regression" else "f1_macro",
        description={"kind": "test"},
        make_optimizer=lambda parameters: torch.optim.Adam(parameters, lr=0.05),
        scheduler={"_target_": None},
    )


def trainer(**options: object) -> lightning.Trainer:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return lightning.Trainer(
        accelerator="cpu", enable_model_summary=False, **{**quiet, "max_epochs": 40, **options}
    )


@pytest.mark.parametrize(
    ("kind", "loss"), [("multilabel", BCE()), ("multiclass", CrossEntropy()), ("regression", MSE())]
)
def test_learns_each_kind_of_target(kind: str, loss: Loss) -> None:
    model = classifier(kind, loss)
    fitted = trainer()
    fitted.fit(model, batches(kind), batches(kind))
    [tested] = fitted.test(model, batches(kind), verbose=False)
    assert tested[f"test/{model.objective}"] > 0.9
    assert tested["test/loss"] < 0.4


def test_figures_agree_with_scikit_learn_at_the_threshold_that_validation_chose() -> None:
    model = classifier("multilabel", BCE())
    kept = KeptOutputs()
    fitted = trainer(max_epochs=3, callbacks=[kept])
    fitted.fit(model, batches("multilabel"), batches("multilabel"))
    threshold = float(model.threshold)
    fitted.test(model, batches("multilabel"), verbose=False)
    measured = model.measure(model.answers(kept.outputs["test"]), np.arange(len(items("multilabel")[1])))
    x, y = items("multilabel")
    with torch.inference_mode():
        answers = model.predict(x) > threshold
    assert float(model.threshold) == threshold
    assert measured.metrics["f1_macro"] == pytest.approx(f1_score(y, answers, average="macro"), abs=1e-6)
    low, high = measured.intervals["f1_macro"]
    assert low <= measured.metrics["f1_macro"] <= high


def test_threshold_is_in_the_state() -> None:
    model = classifier("multilabel", BCE())
    model.threshold.fill_(0.37)
    other = classifier("multilabel", BCE())
    other.load_state_dict(model.state_dict())
    assert float(other.threshold) == pytest.approx(0.37)


def test_bands_are_normalised_by_the_training_statistics() -> None:
    seen = []

    class Spy(Head):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return super().forward(x)

    model = classifier("multilabel", BCE(), Spy())
    model(items("multilabel")[0])
    loud = seen[0][:, 0, :CLASSES]
    assert torch.allclose(loud.mean((0, 2)), torch.zeros(CLASSES), atol=1e-2)
    assert torch.allclose(loud.std((0, 2)), torch.ones(CLASSES), atol=1e-2)


def test_a_loss_that_is_not_finite_ends_the_trial() -> None:
    class Broken(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
            batch[0].fill_(float("nan"))

    model = classifier("multilabel", BCE())
    with pytest.raises(FloatingPointError, match="not finite in epoch 0"):
        trainer(callbacks=[Broken()]).fit(model, batches("multilabel"), batches("multilabel"))


def test_augmentation_is_used_in_training_only() -> None:
    class Count(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            self.calls += 1
            return x, y

    model = classifier("multilabel", BCE())
    count = Count()
    model.augment.append(count)
    trainer(max_epochs=1).fit(model, batches("multilabel"), batches("multilabel"))
    assert count.calls == N // 16
