"""A training step of `sequence_lstm` against the same LSTM of PyTorch on packed sequences.

    python benchmarks/packed_lstm.py [--frames 129 1293] [--batch 32] [--json FILE]

Both have weights of the same shape and get the same clips, whose lengths lie between half of the frames and all.
`tests/models/test_sequence_lstm.py` holds the one's outputs to the other's.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from src.models.networks.sequence_lstm import SequenceLSTM  # noqa: E402

ROWS, HIDDEN, CLASSES = 140, 64, 10


class Packed(nn.Module):
    """`nn.LSTM` on packed sequences, and a linear layer on the last states."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(ROWS, HIDDEN, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * HIDDEN, CLASSES)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Map (B, 1, rows, T) to logits."""
        steps = x.flatten(1, 2).transpose(1, 2)
        packed = pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
        outputs, (states, _) = self.lstm(packed)
        pad_packed_sequence(outputs, batch_first=True)
        logits: Tensor = self.head(torch.cat([states[-2], states[-1]], 1))
        return logits


def step_s(network: nn.Module, x: Tensor, lengths: Tensor) -> float:
    """Return the seconds of one forward and backward pass."""
    begun = time.perf_counter()
    network.zero_grad()
    network(x, lengths).square().mean().backward()
    return time.perf_counter() - begun


def measured(frames: int, batch: int) -> dict[str, float]:
    """Return seconds per step of both, and how many times as long packing takes, without the first step of each."""
    torch.manual_seed(0)
    x = torch.randn(batch, 1, ROWS, frames)
    lengths = torch.randint(frames // 2, frames + 1, (batch,))
    lengths[0] = frames
    networks = {"packed": Packed(), "sequence_lstm": SequenceLSTM(CLASSES, n_rows=ROWS, dropout=0.0)}
    for network in networks.values():
        step_s(network, x[:2, ..., :20], lengths[:2].clamp(max=20))
    seconds = {name: min(step_s(network, x, lengths) for _ in range(2)) for name, network in networks.items()}
    return {**seconds, "ratio": seconds["packed"] / seconds["sequence_lstm"]}


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[129, 1293])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    figures = {str(frames): measured(frames, options.batch) for frames in options.frames}
    for frames, found in figures.items():
        print(f"{frames} frames: " + ", ".join(f"{name} {value:.3f}" for name, value in found.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
