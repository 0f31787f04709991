"""What the LightningModules share: a loss that is watched, a threshold that is tuned, metrics that are logged."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import lightning
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from src.losses.base import Loss
from src.metrics.kinds import KINDS, scalars
from src.models.optimization import MakeOptimizer, configure
from src.models.transfer import Transfer

Batch = tuple[Tensor, ...]
"""Inputs and targets, then of recordings in windows how many windows each has, of sequences how many frames."""


class Learner(lightning.LightningModule):
    """Trains a network; a subclass says how a batch becomes logits and targets.

    Args:
        network: what is trained.
        loss: from logits and targets to a scalar.
        kind: of the targets, a key of `KINDS`.
        names: of the C columns of the logits.
        objective: the validation metric that is monitored.
        description: plain values that the checkpoint carries, so that it can be used by itself.
        make_optimizer, scheduler: see `src.models.optimization.configure`; needed for training only.
        augment: modules from both tensors of a training batch, the first as float, to new ones.
        regularization: from the network to what is added to the training loss.
        transfer: how a network that begins with another's features is trained.
    """

    threshold: Tensor

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        *,
        kind: str,
        names: Sequence[str],
        objective: str,
        description: Mapping[str, Any],
        make_optimizer: MakeOptimizer | None = None,
        scheduler: Mapping[str, Any] | None = None,
        augment: Sequence[nn.Module] = (),
        regularization: nn.Module | None = None,
        transfer: Transfer | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(dict(description))
        self.network = network
        self.loss = loss
        self.augment = nn.ModuleList(augment)
        self.kind = KINDS[kind]
        self.names = tuple(names)
        self.objective = objective
        self.register_buffer("threshold", torch.tensor(0.5))
        self.results: dict[str, dict[str, Any]] = {}
        """Metrics by part (`val`, `test`), of the last evaluation."""
        self.intervals: dict[str, dict[str, tuple[float, float]]] = {}
        """95 % bootstrap intervals by part, where they were asked for with `with_intervals`."""
        self.with_intervals = False
        self.tested: tuple[Tensor, Any] | None = None
        """Outputs (N, C) and targets of the test part, of the last test."""
        self._make_optimizer = make_optimizer
        self._scheduler = scheduler or {}
        self._regularization, self._transfer = regularization, transfer or Transfer()
        self._train_losses: list[Tensor] = []
        self._evaluated: list[tuple[Tensor, Any]] = []

    @abstractmethod
    def items(self, batch: Batch) -> tuple[Tensor, Any]:
        """From a batch to logits (N, C) and the targets of its N items, as `KINDS` takes them."""

    def prepare(self, batch: Batch) -> Batch:
        """From a batch as it is loaded to one of inputs for the network, on its device."""
        return batch

    def outputs(self, logits: Tensor) -> Tensor:
        """From logits (N, C) to the probabilities or predictions (N, C) that they stand for."""
        outputs: Tensor | None = self.loss.outputs(logits) if isinstance(self.loss, Loss) else None
        return self.kind.outputs(logits) if outputs is None else outputs

    def inverse(self, outputs: Tensor) -> Tensor:
        """From outputs (N, C) to logits (N, C) that stand for them."""
        logits: Tensor | None = self.loss.inverse(outputs) if isinstance(self.loss, Loss) else None
        return self.kind.inverse(outputs) if logits is None else logits

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Prepare each batch."""
        return self.prepare(batch)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch, augmented, and what regularisation adds; the loss alone is logged."""
        x, y = batch[0].float(), batch[1]
        for augment in self.augment:
            x, y = augment(x, y)
        logits, targets = self.items((x, y, *batch[2:]))
        loss: Tensor = self.loss(logits, self.kind.truth(targets))
        self._train_losses.append(loss.detach())
        return loss if self._regularization is None else loss + self._regularization(self.network)

    def on_train_epoch_start(self) -> None:
        """Forget the losses of the epoch before; freeze or free the features."""
        self._train_losses = []
        self._transfer.begin_epoch(self.network, self.current_epoch)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep logits and targets for the end of the epoch."""
        self._evaluated.append(self.items(batch))

    def on_validation_epoch_end(self) -> None:
        """Tune the threshold, measure, and log under `val/`.

        Raises:
            FloatingPointError: the training loss or an output is not finite.
        """
        logits, targets = self._collected()
        self._check_finite(logits)
        outputs = self.outputs(logits)
        self.threshold.fill_(self.kind.tune(outputs, targets, self.names))
        self._measure("val", logits, outputs, targets)
        if self._train_losses and self.trainer.state.fn == TrainerFn.FITTING:
            self.log("train/loss", torch.stack(self._train_losses).mean().float())
            learned = self.loss.learned(self.names) if isinstance(self.loss, Loss) else {}
            self.log_dict({f"train/{name}": value for name, value in learned.items()})

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep logits and targets for the end of the part."""
        self._evaluated.append(self.items(batch))

    def on_test_epoch_end(self) -> None:
        """Measure at the threshold that validation chose, and log under `test/`."""
        logits, targets = self._collected()
        self.tested = self.outputs(logits), targets
        self._measure("test", logits, *self.tested)

    def configure_optimizers(self) -> Any:
        """The optimizer, and the scheduler with its interval; what the loss learns is trained as the head is."""
        assert self._make_optimizer is not None
        *features, (head, rate) = self._transfer.groups(self.network)
        return configure(
            self._make_optimizer,
            self._scheduler,
            [*features, ([*head, *self.loss.parameters()], rate)],
            training_steps=int(self.trainer.estimated_stepping_batches),
            monitor=f"val/{self.objective}",
        )

    def _measure(self, part: str, logits: Tensor, outputs: Tensor, targets: Any) -> None:
        metrics = self.kind.evaluate(outputs, targets, float(self.threshold), self.names)
        metrics["loss"] = float(self.loss(logits, self.kind.truth(targets)))
        self.results[part] = metrics
        if self.with_intervals:
            self.intervals[part] = self.kind.intervals(outputs, targets, float(self.threshold), self.names)
        logged = {f"{part}/{name}": value for name, value in scalars(metrics).items()}
        self.log_dict({k: v for k, v in logged.items() if k != f"{part}/{self.objective}"})
        self.log(f"{part}/{self.objective}", metrics[self.objective], prog_bar=True)

    def _collected(self) -> tuple[Tensor, Any]:
        logits = torch.cat([logits.float() for logits, _ in self._evaluated]).cpu()
        targets = self.kind.join([targets for _, targets in self._evaluated])
        self._evaluated = []
        return logits, targets

    def _check_finite(self, logits: Tensor) -> None:
        losses = torch.stack(self._train_losses) if self._train_losses else torch.zeros(1)
        if not bool(torch.isfinite(losses).all()):
            raise FloatingPointError(
                f"the training loss is not finite in epoch {self.current_epoch}; try a lower optimizer.lr or "
                "trainer.gradient_clip_val=1"
            )
        if not bool(torch.isfinite(logits).all()):
            raise FloatingPointError(f"the network's outputs are not finite in epoch {self.current_epoch}")
