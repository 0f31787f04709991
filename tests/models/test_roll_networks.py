"""What every network of piano rolls must keep; a new one is tested as soon as its YAML is there."""

from pathlib import Path

import pytest
import torch
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from src.errors import UserError
from src.models.networks.conv_gru import ConvGRU
from src.models.networks.lstm import LSTM
from src.models.networks.roll_base import CausalConv1d, Lags
from src.models.networks.tcn import TCN

CONF = Path(__file__).parents[2] / "conf" / "model"
KEYS, STEPS = 12, 40


def configured():
    files = {path.stem: OmegaConf.load(path) for path in sorted(CONF.glob("*.yaml"))}
    rolls = {
        name: options for name, options in files.items() if "rolls" in get_class(options["_target_"]).targets
    }
    return [name for name, options in rolls.items() if options.get("causal", True)]


def build(name, **options):
    torch.manual_seed(0)
    return instantiate(OmegaConf.load(CONF / f"{name}.yaml"), n_keys=KEYS, **options).eval()


def music(batch=3, steps=STEPS, seed=0):
    """Rolls that repeat, so that networks that look for repetitions find some."""
    generator = torch.Generator().manual_seed(seed)
    bar = (torch.rand(batch, 8, KEYS, generator=generator) < 0.3).float()
    rolls = bar.repeat(1, -(-steps // 8), 1)[:, :steps]
    noise = torch.rand(rolls.shape, generator=generator) < 0.05
    return (rolls.bool() ^ noise).float()


def every_variant():
    variants = [(name, {}) for name in configured()]
    variants += [(name, {"lags": [2, 5, 16]}) for name in ("conv_gru", "lstm", "tcn")]
    variants += [(name, {"skip": False}) for name in ("conv_gru", "lstm", "tcn")]
    return [*variants, ("conv_gru", {"layers": 2, "kernel_size": 4}), ("tcn", {"channels": [8, 16]})]


@pytest.mark.parametrize(("name", "options"), every_variant())
def test_no_output_depends_on_a_later_column(name, options):
    network, rolls = build(name, **options), music()
    before = network(rolls)
    for step in (0, 7, 20, STEPS - 2):
        changed = rolls.clone()
        changed[:, step + 1 :] = 1 - changed[:, step + 1 :]
        after = network(changed)
        torch.testing.assert_close(after[:, : step + 1], before[:, : step + 1], rtol=0, atol=1e-5)
        assert not torch.equal(after[:, step + 1 :], before[:, step + 1 :])


@pytest.mark.parametrize(("name", "options"), every_variant())
def test_step_by_step_is_all_at_once(name, options):
    network, rolls = build(name, **options), music()
    whole, pieces, state = network(rolls), [], None
    for part in rolls.split([1, 1, 5, 13, 1, 19], dim=1):
        logits, state = network.advance(part, state)
        pieces.append(logits)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "options"), every_variant())
def test_what_pads_a_batch_changes_nothing_before_it(name, options):
    network, short, long = build(name, **options), music(1, 17), music(1, STEPS, seed=1)
    padded = torch.cat([torch.nn.functional.pad(short, (0, 0, 0, STEPS - 17)), long])
    torch.testing.assert_close(network(padded)[:1, :17], network(short), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), every_variant())
def test_every_weight_is_trained(name, options):
    network = build(name, **options).train()
    network(music()).square().mean().backward()
    idle = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert idle == []


@pytest.mark.parametrize("name", configured())
def test_logits_are_float32_under_autocast_and_start_near_silence(name):
    with torch.autocast("cpu", torch.bfloat16):
        logits = build(name)(music())
    assert logits.shape == (3, STEPS, KEYS)
    assert logits.dtype is torch.float32
    assert 0.01 < float(logits.detach().sigmoid().mean()) < 0.2


def test_a_centred_convolution_sees_the_column_that_it_is_to_predict():
    network, rolls = build("conv_gru", causal=False, kernel_size=3), music()
    assert not network.causal
    changed = rolls.clone()
    changed[:, 21] = 1 - changed[:, 21]
    assert not torch.allclose(network(changed)[:, 20], network(rolls)[:, 20], atol=1e-3)


def test_a_centred_convolution_is_torchs_with_padding_same():
    network, rolls = build("conv_gru", causal=False, channels=[6], kernel_size=3, skip=True), music()
    convolution = network.convolutions[0]
    same = torch.nn.functional.conv1d(
        rolls.transpose(1, 2), convolution.weight, convolution.bias, padding="same"
    )
    y = torch.relu(same).transpose(1, 2)
    expected = network.output(torch.cat([network.gru(y)[0], y, rolls], -1))
    torch.testing.assert_close(network(rolls), expected)


def test_causal_convolution_is_torchs_with_zeros_before():
    torch.manual_seed(0)
    layer, x = CausalConv1d(4, 5, kernel_size=3, dilation=2), torch.randn(2, 4, 9)
    before = torch.cat([torch.zeros(2, 4, 4), x], -1)
    expected = torch.nn.functional.conv1d(before, layer.weight, layer.bias, dilation=2)
    torch.testing.assert_close(layer(x), expected)


def test_lags_count_from_the_column_that_is_predicted():
    x = torch.arange(1.0, 7.0).reshape(1, 6, 1)
    features = Lags(1, [2, 4]).advance(x)[0]
    assert features[0].tolist() == [[1, 0, 0], [2, 1, 0], [3, 2, 0], [4, 3, 1], [5, 4, 2], [6, 5, 3]]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: ConvGRU(4, kernel_size=0), "kernel_size"),
        (lambda: ConvGRU(4, kernel_size=4, causal=False), "kernel_size"),
        (lambda: ConvGRU(4, dropout=1.0), "dropout"),
        (lambda: ConvGRU(4, channels=[0]), "channels"),
        (lambda: ConvGRU(4, layers=65), "layers=65"),
        (lambda: LSTM(4, lags=[1]), "lags"),
        (lambda: LSTM(4, lags=[2, 65_537]), "lags"),
        (lambda: LSTM(4, layers=65), "layers=65"),
        (lambda: LSTM(4, hidden=0), "hidden"),
        (lambda: TCN(4, channels=[]), "channels"),
        (lambda: TCN(4, channels=[1] * 17), "channels has 17 blocks: choose 16 at most"),
        (lambda: TCN(4, kernel_size=1), "kernel_size"),
    ],
)
def test_options_outside_their_range_are_refused(make, word):
    with pytest.raises(UserError, match=f"model.{word}"):
        make()
