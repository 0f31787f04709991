"""What the LightningModules share: a loss that is watched, a threshold that is tuned, metrics that are logged."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import lightning
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from src.losses.base import Loss
from src.metrics.kinds import KINDS, scalars
from src.metrics.measuring import Measured, measure
from src.models.optimization import MakeOptimizer, configure
from src.models.transfer import Transfer

Batch = tuple[Tensor, ...]
"""Inputs and targets, then of recordings in windows how many windows each has, of sequences how many frames."""


class Items(TypedDict):
    """What a step of an evaluation returns: logits (B, C), and the targets of the B items."""

    logits: Tensor
    targets: Any


@dataclass(frozen=True)
class Answers:
    """What a network answers to the items of a split.

    Attributes:
        logits: float32 (N, C), on the CPU.
        outputs: (N, C), the probabilities or predictions that they stand for.
        targets: of the N items, as `KINDS` takes them.
        loss: of all N.
    """

    logits: Tensor
    outputs: Tensor
    targets: Any
    loss: float


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
    pool: str = "mean"
    """How the outputs for the windows of a recording become one; see `src.models.pooling`."""

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
        self._train_losses: list[Tensor] = []
        self._evaluated: list[Items] = []

    @abstractmethod
    def items(self, batch: Batch) -> tuple[Tensor, Any]:
        """From a batch to logits (N, C) and the targets of its N items, as `KINDS` takes them."""

    def prepare(self, batch: Batch) -> Batch:
        """From a batch as it is loaded to one of inputs for the network, on its device."""
        return batch

    def predict(self, *inputs: Tensor) -> Tensor:
        """From what `forward` takes to probabilities or numbers (B, C)."""
        return self.outputs(self(*inputs).float())

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

    def validation_step(self, batch: Batch, batch_idx: int) -> Items:
        """Return logits and targets, and keep them for the end of the epoch."""
        return self._evaluate(batch)

    def on_validation_epoch_end(self) -> None:
        """Tune the threshold, measure, and log under `val/`.

        Raises:
            FloatingPointError: the training loss or an output is not finite.
        """
        answers = self._answered()
        self._check_finite(answers.logits)
        self.threshold.fill_(self.kind.tune(answers.outputs, answers.targets, self.names))
        self._log("val", answers)
        if self._train_losses and self.trainer.state.fn == TrainerFn.FITTING:
            self.log("train/loss", torch.stack(self._train_losses).mean().float())
            learned = self.loss.learned(self.names) if isinstance(self.loss, Loss) else {}
            self.log_dict({f"train/{name}": value for name, value in learned.items()})

    def test_step(self, batch: Batch, batch_idx: int) -> Items:
        """Return logits and targets, and keep them for the end of the split."""
        return self._evaluate(batch)

    def on_test_epoch_end(self) -> None:
        """Measure at the threshold that validation chose, and log under `test/`."""
        self._log("test", self._answered())

    @torch.inference_mode()
    def answers(self, items: Sequence[Items]) -> Answers:
        """From the logits and targets of batches to outputs, targets and loss of all."""
        logits = torch.cat([of_batch["logits"].float() for of_batch in items]).cpu()
        targets = self.kind.join([of_batch["targets"] for of_batch in items])
        loss = float(self.loss(logits, self.kind.truth(targets)))
        return Answers(logits, self.outputs(logits), targets, loss)

    def measure(self, answers: Answers, *, intervals: bool = False) -> Measured:
        """Measure answers at the threshold that validation chose.

        Args:
            answers: of a split.
            intervals: whether 95 % bootstrap intervals are wanted.
        """
        return measure(
            self.kind,
            answers.outputs,
            answers.targets,
            float(self.threshold),
            self.names,
            loss=answers.loss,
            intervals=intervals,
        )

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

    def _evaluate(self, batch: Batch) -> Items:
        logits, targets = self.items(batch)
        self._evaluated.append({"logits": logits, "targets": targets})
        return self._evaluated[-1]

    def _answered(self) -> Answers:
        items, self._evaluated = self._evaluated, []
        return self.answers(items)

    def _log(self, split: str, answers: Answers) -> None:
        metrics = self.measure(answers).metrics
        logged = {f"{split}/{name}": value for name, value in scalars(metrics).items()}
        self.log_dict({k: v for k, v in logged.items() if k != f"{split}/{self.objective}"})
        self.log(f"{split}/{self.objective}", metrics[self.objective], prog_bar=True)

    def _check_finite(self, logits: Tensor) -> None:
        losses = torch.stack(self._train_losses) if self._train_losses else torch.zeros(1)
        if not bool(torch.isfinite(losses).all()):
            raise FloatingPointError(
                f"the training loss is not finite in epoch {self.current_epoch}; try a lower optimizer.lr or "
                "trainer.gradient_clip_val=1"
            )
        if not bool(torch.isfinite(logits).all()):
            raise FloatingPointError(f"the network's outputs are not finite in epoch {self.current_epoch}")
