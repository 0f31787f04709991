"""An LSTM that computes on every processor, whatever precision a trial has."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn


class PortableLSTM(nn.LSTM):
    """`nn.LSTM` that computes in float32 where the processor has no LSTM in bf16.

    Under bf16 autocast `nn.LSTM` fails on processors without AVX-512. A checkpoint that was trained in bf16 on another
    machine is to be tested there, too.
    """

    def forward(self, input: Tensor, hx: Any = None) -> Any:  # type: ignore[override]
        """See `nn.LSTM`."""
        if input.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or cpu_has_bf16_lstm():
            return super().forward(input, hx)
        with torch.autocast("cpu", enabled=False):
            return super().forward(
                input.float(), None if hx is None else tuple(state.float() for state in hx)
            )


@cache
def cpu_has_bf16_lstm() -> bool:
    """Whether oneDNN computes an LSTM in bf16 on this processor."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(supported and supported())
