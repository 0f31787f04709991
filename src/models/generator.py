"""The LightningModule for piano rolls: what sounds at the next step, given the steps before."""

from collections.abc import Iterable

import torch
from torch import Tensor

from src.metrics.rolls import Frames, join_frames
from src.models.learner import Batch, Learner


class Generator(Learner):
    """Trains a network to predict the next column of a roll.

    The first column of a roll is not predicted, and padding is never scored.

    Args:
        network: from columns (B, T, C) to the logits (B, T, C) of the columns that follow each.
        loss: from logits (M, C) and targets (M, C) to a scalar.
        options: see `Learner`; augmentation maps rolls (B, T, C) and lengths (B,).
    """

    def forward(self, x: Tensor) -> Tensor:
        """From columns (B, T, C), 0 or 1, to the logits of the columns that follow each."""
        logits: Tensor = self.network(x.float())
        return logits

    def items(self, batch: Batch) -> tuple[Tensor, Frames]:
        """From rolls (B, T, C) and lengths (B,) to the logits (M, C) of the scored frames, and those frames."""
        scored, frames = _frames(batch)
        return self(batch[0][:, :-1])[scored], frames

    @torch.inference_mode()
    def future_hidden(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Metrics as they are when no later column is to be seen: `f1_micro_future_hidden` and so on.

        The columns are given one by one, so that a network that looks ahead finds nothing there. A network that
        is causal has the same metrics as ever.

        Args:
            batches: of rolls (B, T, C) and lengths (B,).
        """
        logits, frames = [], []
        for rolls, lengths in batches:
            x = rolls[:, :-1].to(self.device).float()
            last = [self.network(x[:, : step + 1])[:, -1] for step in range(x.shape[1])]
            scored, of_batch = _frames((rolls, lengths))
            logits.append(torch.stack(last, 1).float().cpu()[scored])
            frames.append(of_batch)
        outputs = self.kind.outputs(torch.cat(logits))
        metrics = self.kind.evaluate(outputs, join_frames(frames), float(self.threshold), self.names)
        return {f"{name}_future_hidden": value for name, value in metrics.items()}


def _frames(batch: Batch) -> tuple[Tensor, Frames]:
    """Which columns (B, T − 1) of rolls (B, T, C) with lengths (B,) are scored, and those frames."""
    rolls, lengths = batch
    scored = torch.arange(1, rolls.shape[1], device=rolls.device) < lengths[:, None]
    piece = torch.arange(len(rolls), device=rolls.device)[:, None].expand_as(scored)
    return scored, Frames(rolls[:, 1:][scored], rolls[:, :-1][scored], piece[scored])
