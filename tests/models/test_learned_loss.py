"""A loss with parameters of its own: trained with the network, logged, kept in the checkpoint and loaded."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch

from src.commands.checkpoint import load
from src.configuration.build import KIND, assemble, build_loss, resolve_loss_options
from src.configuration.checks import freeze
from src.models.learner import Learner
from src.models.transfer import Transfer

AXES = ("valence", "energy")


class Numbers(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Items whose first axis is the mean level and varies little; the second is noise that varies much."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        levels = torch.rand(64, 1, generator=generator)
        self.features = levels[:, :, None, None] + torch.rand(64, 1, 32, 20, generator=generator) / 10
        self.targets = torch.cat([levels, 3 * torch.randn(64, 1, generator=generator)], dim=1)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.features[number], self.targets[number]


def learner(config: dict[str, Any], **changes: Any) -> Learner:
    description = {
        "kind": KIND, "config": config, "classes": list(AXES), "inputs": "spectrograms", "target": "regression",
        "item_shape": [1, 32, 20],
    }  # fmt: skip
    return assemble(
        {**config, "objective": "spearman"},
        description,
        build_loss(config),
        (torch.zeros(32), torch.ones(32)),
        make_optimizer=partial(torch.optim.Adam, lr=0.02),
        scheduler={"_target_": None},
        **changes,
    )


def fit(model: Learner, epochs: int = 3) -> lightning.Trainer:
    torch.manual_seed(0)
    batches = torch.utils.data.DataLoader(Numbers(), batch_size=16)
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=epochs, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(model, batches, batches)
    return trainer


@pytest.fixture
def config(composed: Any) -> dict[str, Any]:
    return composed("loss=uncertainty")


@pytest.mark.parametrize(("feature_rate", "n_groups"), [(1.0, 1), (0.5, 2)])
def test_weights_are_learned_logged_and_loaded(
    config: dict[str, Any], tmp_path: Path, feature_rate: float, n_groups: int
) -> None:
    model = learner(config, transfer=Transfer(feature_rate=feature_rate))
    trainer = fit(model)
    learned = model.loss.log_variances.detach()
    assert 0 != learned[0] < learned[1]
    groups = trainer.optimizers[0].param_groups
    assert len(groups) == n_groups
    assert any(parameter is model.loss.log_variances for parameter in groups[-1]["params"])
    logged = [float(trainer.callback_metrics[f"train/log_variance_{axis}"]) for axis in AXES]
    assert logged == pytest.approx(learned.tolist())
    trainer.save_checkpoint(tmp_path / "best.ckpt", weights_only=True)
    loaded = load(tmp_path / "best.ckpt").learner
    assert torch.equal(loaded.loss.log_variances, learned)
    logits, targets = torch.rand(5, 2), torch.rand(5, 2)
    assert loaded.loss(logits, targets).item() == model.loss(logits, targets).item()


def test_variances_begin_with_those_of_the_training_targets(config: dict[str, Any]) -> None:
    class Data:
        def training_truth(self) -> Any:
            return Numbers().targets.numpy()

    counted = resolve_loss_options(config["loss"], Data())  # type: ignore[arg-type]
    loss = build_loss({"loss": counted})
    expected = Numbers().targets.var(0, correction=0).log()
    torch.testing.assert_close(loss.log_variances.detach(), expected)
    given = resolve_loss_options({**config["loss"], "variances": [1, 4]}, Data())  # type: ignore[arg-type]
    assert given["variances"] == [1, 4]


def test_labels_are_no_numbers(composed: Any) -> None:
    for loss in ("multitask", "uncertainty"):
        with pytest.raises(ValueError, match="fits regression targets"):
            freeze(composed(f"loss={loss}"))
