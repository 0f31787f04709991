import pytest
import torch
from torch import nn

from src.models.networks import portable_lstm
from src.models.networks.portable_lstm import PortableLSTM


@pytest.fixture
def lstm():
    torch.manual_seed(0)
    return PortableLSTM(4, 6, 2, batch_first=True)


def test_without_autocast_it_is_torchs(lstm):
    plain = nn.LSTM(4, 6, 2, batch_first=True)
    plain.load_state_dict(lstm.state_dict())
    x, state = torch.randn(3, 5, 4), (torch.randn(2, 3, 6), torch.randn(2, 3, 6))
    for given in (None, state):
        torch.testing.assert_close(lstm(x, given), plain(x, given), rtol=0, atol=0)


def test_a_processor_without_bf16_computes_in_float32(lstm, monkeypatch):
    """Where it has bf16, the figures would differ in the third digit; where not, torch would raise an error."""
    monkeypatch.setattr(portable_lstm, "cpu_has_bf16_lstm", lambda: False)
    x, state = torch.randn(3, 5, 4).bfloat16(), (torch.randn(2, 3, 6), torch.randn(2, 3, 6))
    expected = lstm(x.float(), state)
    with torch.autocast("cpu", torch.bfloat16):
        found = lstm(x, tuple(each.bfloat16().float() for each in state))
        without_state, _ = lstm(x)
    assert found[0].dtype is without_state.dtype is torch.float32
    torch.testing.assert_close(found[0], expected[0], rtol=0, atol=0.01)
