"""What an evaluation's steps return is kept for whoever started it, and only that."""

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from src.callbacks.kept_outputs import KeptOutputs
from src.losses.mse import MSE
from src.models.learner import Batch, Learner

N = 10


class Plain(Learner):
    def logits_and_targets(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return self.network(batch[0]), batch[1]


def learner() -> Plain:
    torch.manual_seed(0)
    return Plain(
        nn.Linear(3, 2),
        MSE(),
        kind="regression",
        names=("a", "b"),
        objective="mse",
        description={"kind": "test"},
        make_optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.0),
        scheduler={"_target_": None},
    )


def batches(seed: int) -> DataLoader[tuple[torch.Tensor, ...]]:
    generator = torch.Generator().manual_seed(seed)
    items = TensorDataset(torch.rand(N, 3, generator=generator), torch.rand(N, 2, generator=generator))
    return DataLoader(items, batch_size=4)


def trainer(kept: KeptOutputs) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[kept],
    )  # fmt: skip


def test_the_figures_of_what_is_kept_are_those_that_are_logged() -> None:
    kept, model = KeptOutputs(), learner()
    run = trainer(kept)
    logged = {"val": run.validate(model, batches(1), verbose=False)[0]}
    logged["test"] = run.test(model, batches(2), verbose=False)[0]
    for split, seed in (("val", 1), ("test", 2)):
        answers = model.answers(kept.outputs[split])
        assert torch.equal(answers.targets, torch.cat([targets for _, targets in batches(seed)]))
        metrics = model.measure(answers).metrics
        for name in ("mse", "mae", "loss"):
            assert logged[split][f"{split}/{name}"] == torch.tensor(metrics[name]).item()


def test_validation_while_fitting_is_not_kept() -> None:
    kept, model = KeptOutputs(), learner()
    run = trainer(kept)
    run.fit(model, batches(0), batches(1))
    assert kept.outputs == {"val": []}


def test_another_evaluation_replaces_the_one_before() -> None:
    kept, model = KeptOutputs(), learner()
    run = trainer(kept)
    for seed in (1, 2):
        run.test(model, batches(seed), verbose=False)
    assert len(kept.outputs["test"]) == 3
    assert torch.equal(kept.outputs["test"][0]["targets"], next(iter(batches(2)))[1])
