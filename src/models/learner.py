"""The base of all LightningModules: training loss, tuning of the threshold, metrics and their logging."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import lightning
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from src.losses.base import Loss
from src.metrics.halves import measure_halves
from src.metrics.item_groups import Groups
from src.metrics.kinds import KINDS, scalars
from src.metrics.measuring import Measured, measure, validation_threshold
from src.metrics.threshold import Threshold
from src.models.optimization import MakeOptimizer, configure
from src.models.transfer import Transfer

Batch = tuple[Tensor, ...]
"""Inputs and targets; then the number of windows of each recording, or of frames of each sequence, where needed."""


class StepOutput(TypedDict):
    """What a validation or test step returns: logits (B, C), and the targets of the B items."""

    logits: Tensor
    targets: Any


@dataclass(frozen=True)
class Answers:
    """A network's answers to the items of a split.

    Attributes:
        logits: float32 (N, C), on the CPU.
        outputs: (N, C), probabilities or predictions.
        targets: of the N items, in the form of their kind.
        loss: of all N items.
    """

    logits: Tensor
    outputs: Tensor
    targets: Any
    loss: float


class Learner(lightning.LightningModule):
    """Trains a network; a subclass says how a batch becomes logits and targets.

    Args:
        network: to train.
        loss: maps logits and targets to a scalar.
        kind: of the targets, a key of `KINDS`.
        names: of the C columns of the logits.
        objective: the monitored validation metric.
        description: plain values that are stored in the checkpoint, so that it can be used on its own.
        make_optimizer, scheduler: see `src.models.optimization.configure`; needed for training only.
        augment: modules that map inputs (as float) and targets of a training batch to new ones.
        regularization: maps the network to a penalty that is added to the training loss.
        transfer: how a network that starts with another one's features is trained.
    """

    threshold: Tensor
    validation_groups: Groups | None
    """Groups of the validation items, if they are known, for figures at cross-fitted thresholds."""
    pool: str = "mean"
    """How the outputs for the windows of a recording are combined; see `src.models.pooling`."""

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
        self._make_optimizer = make_optimizer
        self._scheduler = scheduler or {}
        self._regularization, self._transfer = regularization, transfer or Transfer()
        self.validation_groups = None
        self._train_losses: list[Tensor] = []
        self._evaluated: list[StepOutput] = []

    @abstractmethod
    def logits_and_targets(self, batch: Batch) -> tuple[Tensor, Any]:
        """Map a batch to logits (N, C) and the targets of its N items, in the form of their kind."""

    def prepare(self, batch: Batch) -> Batch:
        """Convert a loaded batch to inputs of the network, on the network's device."""
        return batch

    def predict(self, *inputs: Tensor) -> Tensor:
        """Map the arguments of `forward` to probabilities or numbers (B, C)."""
        return self.outputs(self(*inputs).float())

    def outputs(self, logits: Tensor) -> Tensor:
        """Map logits (N, C) to probabilities or predictions (N, C)."""
        outputs: Tensor | None = self.loss.outputs(logits) if isinstance(self.loss, Loss) else None
        return self.kind.outputs(logits) if outputs is None else outputs

    def inverse(self, outputs: Tensor) -> Tensor:
        """Map outputs (N, C) back to logits (N, C)."""
        logits: Tensor | None = self.loss.inverse(outputs) if isinstance(self.loss, Loss) else None
        return self.kind.inverse(outputs) if logits is None else logits

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Prepare each batch."""
        return self.prepare(batch)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of the augmented batch plus the regularisation penalty, which is not logged."""
        x, y = batch[0].float(), batch[1]
        for augment in self.augment:
            x, y = augment(x, y)
        logits, targets = self.logits_and_targets((x, y, *batch[2:]))
        loss: Tensor = self.loss(logits, self.kind.truth(targets))
        self._train_losses.append(loss.detach())
        return loss if self._regularization is None else loss + self._regularization(self.network)

    def on_train_epoch_start(self) -> None:
        """Clear the losses of the previous epoch; freeze or unfreeze the features."""
        self._train_losses = []
        self._transfer.begin_epoch(self.network, self.current_epoch)

    def validation_step(self, batch: Batch, batch_idx: int) -> StepOutput:
        """Return logits and targets, and keep them for the end of the epoch."""
        return self._evaluate(batch)

    def on_validation_epoch_end(self) -> None:
        """Tune the threshold, measure, and log metrics as `val/…`.

        Raises:
            FloatingPointError: the training loss or an output is not finite.
        """
        answers = self._answered()
        self._check_finite(answers.logits)
        self.threshold.fill_(self.kind.tune(answers.outputs, answers.targets, self.names))
        threshold = self.validation_threshold(answers, self.validation_groups)
        self._log("val", answers, threshold)
        self._log_halves(answers, threshold)
        if self._train_losses and self.trainer.state.fn == TrainerFn.FITTING:
            self.log("train/loss", torch.stack(self._train_losses).mean().float())
            learned = self.loss.learned(self.names) if isinstance(self.loss, Loss) else {}
            self.log_dict({f"train/{name}": value for name, value in learned.items()})

    def test_step(self, batch: Batch, batch_idx: int) -> StepOutput:
        """Return logits and targets, and keep them for the end of the split."""
        return self._evaluate(batch)

    def on_test_epoch_end(self) -> None:
        """Measure at the threshold that was tuned on validation, and log metrics as `test/…`."""
        self._log("test", self._answered(), float(self.threshold))

    @torch.inference_mode()
    def answers(self, outputs: Sequence[StepOutput]) -> Answers:
        """Combine the logits and targets of batches into outputs, targets and the loss of all."""
        logits = torch.cat([of_batch["logits"].float() for of_batch in outputs]).cpu()
        targets = self.kind.join([of_batch["targets"] for of_batch in outputs])
        loss = float(self.loss(logits, self.kind.truth(targets)))
        return Answers(logits, self.outputs(logits), targets, loss)

    def measure(
        self, answers: Answers, groups: Groups | None = None, *, threshold: Threshold | None = None
    ) -> Measured:
        """Measure answers.

        Args:
            answers: of a split.
            groups: of the split's items, for 95 % intervals; `None`: no intervals.
            threshold: `None`: the one that was tuned on validation.
        """
        return measure(
            self.kind,
            answers.outputs,
            answers.targets,
            float(self.threshold) if threshold is None else threshold,
            self.names,
            loss=answers.loss,
            groups=groups,
        )

    def validation_threshold(self, answers: Answers, groups: Groups | None) -> Threshold:
        """Return the threshold at which validation is measured; see `src.metrics.measuring.validation_threshold`.

        Args:
            answers: of validation.
            groups: of its items, `None` where they are unknown.
        """
        tuned = float(self.threshold)
        return validation_threshold(self.kind, answers.outputs, answers.targets, tuned, self.names, groups)

    def configure_optimizers(self) -> Any:
        """Return the optimizer and the scheduler; parameters of the loss are trained like the head."""
        assert self._make_optimizer is not None
        *features, (head, rate) = self._transfer.groups(self.network)
        return configure(
            self._make_optimizer,
            self._scheduler,
            [*features, ([*head, *self.loss.parameters()], rate)],
            training_steps=int(self.trainer.estimated_stepping_batches),
            monitor=f"val/{self.objective}",
            validated_every=self.trainer.check_val_every_n_epoch or 1,
        )

    def _evaluate(self, batch: Batch) -> StepOutput:
        logits, targets = self.logits_and_targets(batch)
        self._evaluated.append({"logits": logits, "targets": targets})
        return self._evaluated[-1]

    def _answered(self) -> Answers:
        outputs, self._evaluated = self._evaluated, []
        return self.answers(outputs)

    def _log(self, split: str, answers: Answers, threshold: Threshold) -> None:
        metrics = self.measure(answers, threshold=threshold).metrics
        logged = {f"{split}/{name}": value for name, value in scalars(metrics).items()}
        self.log_dict({k: v for k, v in logged.items() if k != f"{split}/{self.objective}"})
        self.log(f"{split}/{self.objective}", metrics[self.objective], prog_bar=True)

    def _log_halves(self, answers: Answers, threshold: Threshold) -> None:
        """Log the objective on each half of validation; see `src.metrics.halves`."""
        if self.validation_groups is None or self.trainer.state.fn != TrainerFn.FITTING:
            return
        found = measure_halves(
            self.kind,
            answers.outputs,
            answers.targets,
            threshold,
            self.names,
            self.objective,
            self.validation_groups,
        )
        self.log_dict({f"val/{self.objective}_{half}": value for half, value in found.items()})

    def _check_finite(self, logits: Tensor) -> None:
        losses = torch.stack(self._train_losses) if self._train_losses else torch.zeros(1)
        if not bool(torch.isfinite(losses).all()):
            raise FloatingPointError(
                f"the training loss is not finite in epoch {self.current_epoch}; try a lower optimizer.lr or "
                "trainer.gradient_clip_val=1"
            )
        if not bool(torch.isfinite(logits).all()):
            raise FloatingPointError(f"the network's outputs are not finite in epoch {self.current_epoch}")
