"""The LightningModule for piano rolls: predicts the next step from the steps before."""

from collections.abc import Iterable

import torch
from torch import Tensor

from src.metrics.rolls import Frames, join_frames
from src.models.learner import Batch, Learner


class Generator(Learner):
    """Trains a network to predict the next column of a roll.

    The first column of a roll is not predicted, and padding is never scored.

    Args:
        network: maps columns (B, T, C) to the logits (B, T, C) of the column that follows each.
        loss: maps logits (M, C) and targets (M, C) to a scalar.
        options: see `Learner`; augmentation maps rolls (B, T, C) and lengths (B,).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map columns (B, T, C), 0 or 1, to the logits of the column that follows each."""
        logits: Tensor = self.network(x.float())
        return logits

    def logits_and_targets(self, batch: Batch) -> tuple[Tensor, Frames]:
        """Map rolls (B, T, C) and lengths (B,) to the logits (M, C) of the scored frames, and those frames."""
        scored, frames = _frames(batch)
        return self(batch[0][:, :-1])[scored], frames

    @torch.inference_mode()
    def future_hidden(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the metrics without access to later columns, `f1_micro_future_hidden` and so on.

        The network is given only the columns up to each step, so that it can't look ahead. For a causal network the
        metrics are the usual ones.

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
    """Return a mask (B, T − 1) of the scored columns of rolls (B, T, C) with lengths (B,), and those frames."""
    rolls, lengths = batch
    scored = torch.arange(1, rolls.shape[1], device=rolls.device) < lengths[:, None]
    piece = torch.arange(len(rolls), device=rolls.device)[:, None].expand_as(scored)
    return scored, Frames(rolls[:, 1:][scored], rolls[:, :-1][scored], piece[scored])
