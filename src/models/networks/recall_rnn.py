"""A recurrent network for piano rolls that recalls earlier, similar positions of the piece."""

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.networks.base import Float32Linear
from src.models.networks.options import Count, Dropout, Flag
from src.models.networks.portable_lstm import PortableLSTM
from src.models.networks.recall import Recall
from src.models.networks.roll_base import CausalConv1d, RollNetwork, output_layer
from src.options import checks
from src.rules import one_of, whole

CELLS = {"gru": nn.GRU, "lstm": PortableLSTM}


class RecallRNN(RollNetwork):
    """A convolution over time and an RNN represent a piece's state; `Recall` reads what followed similar positions.

    Logits are the sum of a linear layer on the state and of a small network that all keys share. The latter sees, for
    each key: whether it sounds now and a step ago, what was recalled, the state, which key it is, and with `reach` the
    neighbouring keys in the last `local_steps` columns. Sharing transfers what is learned for one key to all.

    Args:
        n_keys: columns of the roll.
        cell: `gru` or `lstm`.
        channels: of the convolution.
        kernel_size: steps that it sees.
        hidden: width of the RNN.
        heads, windows, far: see `Recall`.
        feed: whether the recalled columns are input of the convolution, too.
        width: of the network that all keys share.
        reach: number of neighbouring keys above and below that it sees; 0: none.
        local_steps: number of last columns in which it sees them.
        dropout: share of the state's features dropped.
        local_dropout: share of the shared network's features dropped.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_keys: int,
        cell: Annotated[str, one_of(*CELLS)] = "gru",
        channels: Count = 128,
        kernel_size: Count = 4,
        hidden: Count = 256,
        heads: Count = 4,
        windows: tuple[int, ...] = (1, 2, 4, 8),
        far: Annotated[int, whole(0)] = 0,
        feed: Flag = False,
        width: Count = 48,
        reach: Annotated[int, whole(0)] = 24,
        local_steps: Count = 4,
        dropout: Dropout = 0.3,
        local_dropout: Dropout = 0.3,
    ) -> None:
        super().__init__(n_keys)
        self.feed, self.reach, self.local_steps = feed, reach, local_steps
        self.dropout = nn.Dropout(dropout)
        self.local_dropout = nn.Dropout(local_dropout)
        self.recall = Recall(heads, windows, far)
        inputs = n_keys * (1 + heads * feed)
        self.convolution = CausalConv1d(inputs, channels, kernel_size)
        self.rnn = CELLS[cell](channels, hidden, batch_first=True)
        self.output = output_layer(hidden + channels, n_keys)
        self.context = nn.Linear(hidden + channels, width)
        self.own = nn.Linear(2 + 2 * heads, width)
        self.key = nn.Parameter(0.01 * torch.randn(n_keys, width))
        self.around = nn.Conv1d(local_steps, width, 2 * reach + 1, padding=reach) if reach else None
        self.mix = nn.Linear(width, width)
        self.answer = Float32Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map columns (B, T, n_keys), 0 or 1, to the logits of the column that follows each, float32."""
        return self.advance(x)[0]

    def advance(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """See `RollNetwork.advance`; the state holds all columns, to be recalled."""
        before, past, memory = state or (x[:, :0], None, None)
        seen = torch.cat([before, x], 1)
        read, found = self.recall(seen, x.shape[1])
        inputs = torch.cat([x, read.flatten(2)], -1) if self.feed else x
        y, past = self.convolution.advance(inputs.mT, past)
        y = self.dropout(F.relu(y).mT)
        h, memory = self.rnn(y, memory)
        piece = torch.cat([self.dropout(h), y], -1)
        return self.output(piece) + self._shared(seen, piece, read, found), (seen, past, memory)

    def _shared(self, seen: Tensor, piece: Tensor, read: Tensor, found: Tensor) -> Tensor:
        """Return the logits (B, T, n_keys) of the network that all keys share."""
        steps = piece.shape[1]
        # Inputs of each key, (B, T, K, features): the last two columns, and per head what was read and the attention.
        recent = _recent(seen, steps, max(2, self.local_steps))
        sure = found[..., None].expand_as(read)
        own = torch.cat([recent[:, :, :2], read, sure], 2).mT
        z = self.own(own) + self.context(piece)[:, :, None] + self.key
        if self.around is not None:
            # The convolution over keys takes the last columns as channels: (B · T, local_steps, K).
            near = self.around(recent[:, :, : self.local_steps].flatten(0, 1))
            z = z + near.mT.unflatten(0, (-1, steps))
        z = F.relu(self.mix(self.local_dropout(F.relu(z))))
        logits: Tensor = self.answer(self.local_dropout(z)).squeeze(-1)
        return logits


def _recent(seen: Tensor, steps: int, count: int) -> Tensor:
    """Return the columns t, t − 1, … up to each of the last `steps` columns: (B, T, K) -> (B, steps, count, K)."""
    padded = F.pad(seen, (0, 0, count - 1, 0))
    last = padded.shape[1]
    return torch.stack([padded[:, last - steps - back : last - back] for back in range(count)], 2)
