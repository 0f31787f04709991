"""The LightningModule for labels, classes and numbers of a spectrogram."""

from collections.abc import Mapping, Sequence
from typing import Any

import lightning
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from src.metrics.kinds import KINDS, scalars
from src.models.optimization import MakeOptimizer, configure

Batch = tuple[Tensor, Tensor]


class Classifier(lightning.LightningModule):
    """Trains a network on spectrograms; targets are multi-label, multi-class or numbers.

    Args:
        network: from (B, channels, n_mels, T) to logits (B, C).
        loss: from logits and targets to a scalar.
        kind: `multilabel`, `multiclass` or `regression`.
        names: the C classes or axes.
        mean, std: (n_mels,) of the training part, in dB, kept in the checkpoint.
        objective: the validation metric that is monitored.
        description: plain values that the checkpoint carries, so that it can be used by itself.
        make_optimizer, scheduler: see `src.models.optimization.configure`; needed for training only.
        augment: modules from a batch's spectrograms (B, channels, n_mels, T) in dB and targets to new ones.
    """

    threshold: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        *,
        kind: str,
        names: Sequence[str],
        mean: Tensor,
        std: Tensor,
        objective: str,
        description: Mapping[str, Any],
        make_optimizer: MakeOptimizer | None = None,
        scheduler: Mapping[str, Any] | None = None,
        augment: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(dict(description))
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = loss
        self.augment = nn.ModuleList(augment)
        self.kind = KINDS[kind]
        self.names = tuple(names)
        self.objective = objective
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float().clamp(min=1e-3))
        self.register_buffer("threshold", torch.tensor(0.5))
        self.results: dict[str, dict[str, Any]] = {}
        """Metrics by part (`val`, `test`), of the last evaluation."""
        self.intervals: dict[str, dict[str, tuple[float, float]]] = {}
        """95 % bootstrap intervals by part, where they were asked for with `with_intervals`."""
        self.with_intervals = False
        self._make_optimizer = make_optimizer
        self._scheduler = scheduler or {}
        self._train_losses: list[Tensor] = []
        self._evaluated: list[Batch] = []

    def forward(self, x: Tensor) -> Tensor:
        """From spectrograms (B, channels, n_mels, T) in dB to logits (B, C)."""
        x = (x.float() - self.mean[:, None]) / self.std[:, None]
        logits: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))
        return logits

    def predict(self, x: Tensor) -> Tensor:
        """From spectrograms (B, channels, n_mels, T) in dB to probabilities or numbers (B, C)."""
        return self.kind.outputs(self(x).float())

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch: spectrograms (B, channels, n_mels, T) in dB, and targets."""
        x, y = batch[0].float(), batch[1]
        for augment in self.augment:
            x, y = augment(x, y)
        loss: Tensor = self.loss(self(x), y)
        self._train_losses.append(loss.detach())
        return loss

    def on_train_epoch_start(self) -> None:
        """Forget the losses of the epoch before."""
        self._train_losses = []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep logits and targets for the end of the epoch."""
        self._evaluated.append((self(batch[0]), batch[1]))

    def on_validation_epoch_end(self) -> None:
        """Tune the threshold, measure, and log under `val/`.

        Raises:
            FloatingPointError: the training loss or an output is not finite.
        """
        logits, targets = self._collected()
        self._check_finite(logits)
        outputs = self.kind.outputs(logits)
        self.threshold.fill_(self.kind.tune(outputs, targets))
        self._measure("val", logits, outputs, targets)
        if self._train_losses and self.trainer.state.fn == TrainerFn.FITTING:
            self.log("train/loss", torch.stack(self._train_losses).mean().float())

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep logits and targets for the end of the part."""
        self._evaluated.append((self(batch[0]), batch[1]))

    def on_test_epoch_end(self) -> None:
        """Measure at the threshold that validation chose, and log under `test/`."""
        logits, targets = self._collected()
        self._measure("test", logits, self.kind.outputs(logits), targets)

    def configure_optimizers(self) -> Any:
        """The optimizer, and the scheduler with its interval."""
        assert self._make_optimizer is not None
        return configure(
            self._make_optimizer,
            self._scheduler,
            self.parameters(),
            training_steps=int(self.trainer.estimated_stepping_batches),
            monitor=f"val/{self.objective}",
        )

    def _measure(self, part: str, logits: Tensor, outputs: Tensor, targets: Tensor) -> None:
        metrics = self.kind.evaluate(outputs, targets, float(self.threshold), self.names)
        metrics["loss"] = float(self.loss(logits, targets))
        self.results[part] = metrics
        if self.with_intervals:
            self.intervals[part] = self.kind.intervals(outputs, targets, float(self.threshold))
        logged = {f"{part}/{name}": value for name, value in scalars(metrics).items()}
        self.log_dict({k: v for k, v in logged.items() if k != f"{part}/{self.objective}"})
        self.log(f"{part}/{self.objective}", metrics[self.objective], prog_bar=True)

    def _collected(self) -> Batch:
        logits = torch.cat([logits.float() for logits, _ in self._evaluated]).cpu()
        targets = torch.cat([targets for _, targets in self._evaluated]).cpu()
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
