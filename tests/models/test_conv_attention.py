import numpy as np
import pytest
import torch

from src.models.networks.conv_attention import ATTENTION, ConvAttention, attentive_statistics
from tests.models import sequence_contract as contract
from tests.models.network_contract import assert_configuration_names_the_defaults, n_parameters, output_shapes

SMALL = {"channels": 8, "planes": (4, 6)}
LONG = {"kernel_size": 9, "stride": 4, "blocks": 3}


@pytest.fixture(params=[{}, LONG], ids=["beats", "frames"])
def options(request):
    torch.manual_seed(0)
    return {**SMALL, **request.param}


@pytest.mark.parametrize(
    ("n_rows", "halves"), [(140, (70, 35, 18)), (128, (64, 32, 16)), (12, (6, 3, 2)), (1, (1, 1, 1))]
)
@pytest.mark.parametrize(("options", "frames", "left"), [({}, 129, 129), (LONG, 1293, 324)])
def test_stages_have_the_described_shapes(n_rows, halves, options, frames, left):
    network = ConvAttention(10, n_rows=n_rows, **options)
    over_rows = [f"over_rows.{number}" for number in range(3)]
    blocks = [f"blocks.{number}" for number in range(len(network.blocks))]
    names = ["over_time", *over_rows, *blocks, "attention", "head"]
    planes = [*zip((16, 32, 64), halves, [left] * 3, strict=True)]
    expected = [(64, left), *planes, *[(128, left)] * (len(blocks) + 1), (10,)]
    assert output_shapes(network, names, torch.randn(1, 1, n_rows, frames)) == expected


@pytest.mark.parametrize(
    ("n_frames", "stride", "left"), [(1292, 10, 130), (129, 1, 129), (60, 1, 60), (259, 2, 130)]
)
def test_clips_of_many_frames_are_thinned_out_where_no_stride_is_given(n_frames, stride, left):
    network = ConvAttention(3, n_rows=12, n_frames=n_frames, **SMALL)
    assert network.over_time.conv.stride == (stride,)
    assert network.over_time.conv.kernel_size == (2 * stride + 1,)
    assert output_shapes(network, ["over_time"], torch.randn(1, 1, 12, n_frames)) == [(8, left)]


def test_number_of_parameters():
    over_time, over_rows = 3 * 140 * 64, 25 * 16 + 9 * (16 * 32 + 32 * 64)
    norms = 2 * (64 + 16 + 32 + 64 + 2 * 128)
    attention = (128 + 1) * ATTENTION + 128 * ATTENTION
    expected = over_time + over_rows + 2 * 3 * 128**2 + norms + attention + 10 * 257
    assert n_parameters(ConvAttention(10)) == expected


def test_a_block_sees_twice_as_far_as_the_one_before():
    network = ConvAttention(3, n_rows=12, blocks=3, **SMALL).eval()
    y = torch.randn(1, 14, 41, requires_grad=True)
    out = y
    for block in network.blocks:
        out = out + block(out, torch.tensor([41]))[0]
    out[0, :, 20].sum().backward()
    seen = y.grad.abs().sum((0, 1)).nonzero().flatten().tolist()
    assert (seen[0], seen[-1]) == (20 - 7, 20 + 7)


def test_the_first_part_tells_rows_apart_and_the_second_does_not():
    torch.manual_seed(0)
    network, seen = ConvAttention(3, n_rows=64, blocks=0, **SMALL).eval(), []
    network.attention.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    for row in (24, 32):
        x = torch.zeros(1, 1, 64, 20)
        x[:, :, row, 5:15] = 3.0
        network(x)
    over_time, over_rows = (seen[0] - seen[1]).abs()[0].split([8, 6])
    assert over_time.max() > 1e-2
    assert over_rows.max() < 1e-6


def test_statistics_agree_with_numpy():
    torch.manual_seed(0)
    x, scores, lengths = torch.randn(3, 4, 20), torch.randn(3, 4, 20), [20, 1, 7]
    found = attentive_statistics(x, scores, torch.tensor(lengths)).numpy()
    for item, score, length, (mean, deviation) in zip(
        x, scores, lengths, found.reshape(3, 2, 4), strict=True
    ):
        for channel in range(4):
            own = item[channel, :length].double().numpy()
            weights = np.exp(score[channel, :length].double().numpy())
            expected = np.average(own, weights=weights)
            variance = np.average((own - expected) ** 2, weights=weights)
            assert mean[channel] == pytest.approx(expected, abs=1e-6)
            assert deviation[channel] == pytest.approx(np.sqrt(variance + 1e-5), abs=1e-5)


def test_equal_scores_weigh_frames_alike():
    x, lengths = torch.randn(2, 3, 9), torch.tensor([9, 9])
    mean, deviation = attentive_statistics(x, torch.zeros_like(x), lengths).chunk(2, 1)
    torch.testing.assert_close(mean, x.mean(-1), rtol=0, atol=1e-6)
    torch.testing.assert_close(deviation, x.std(-1, correction=0), rtol=0, atol=1e-4)


def test_padding_changes_nothing(options):
    model = ConvAttention(5, n_rows=12, **options)
    contract.assert_padding_changes_nothing(model, [1, 2, 3, 4, 5, 8, 9, 16, 33, 69, 70])


def test_padding_never_changes_anything(options):
    contract.assert_padding_never_changes_anything(ConvAttention, **options)


def test_training_never_sees_padding(options):
    contract.assert_training_never_sees_padding(ConvAttention, input_dropout=0.0, **options)


@pytest.mark.parametrize(
    "holds",
    [
        contract.assert_no_lengths_are_full_lengths,
        contract.assert_every_frame_and_row_counts,
        contract.assert_order_counts,
        contract.assert_gradient_reaches_all,
        contract.assert_float32_under_autocast,
        contract.assert_channels_last_changes_nothing,
        contract.assert_head_is_last,
    ],
)
def test_contract(options, holds):
    holds(ConvAttention(5, n_rows=12, **options))


def test_sizes_fit(options):
    contract.assert_sizes_fit(ConvAttention, **options)


def test_learns_one_batch(options):
    contract.assert_learns_one_batch(ConvAttention, input_dropout=0.0, **options)


def test_dropout_is_of_effect_in_training_only():
    for dropout in ({"input_dropout": 0.9, "dropout": 0.0}, {"input_dropout": 0.0, "dropout": 0.9}):
        model, x = ConvAttention(3, n_rows=12, **SMALL, **dropout), torch.randn(4, 1, 12, 20)
        assert not torch.equal(model(x), model(x))
        model.eval()
        assert torch.equal(model(x), model(x))


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": 0},
        {"planes": []},
        {"planes": [8, 0]},
        {"kernel_size": 4},
        {"kernel_size": -1},
        {"stride": 0},
        {"blocks": -1},
        {"blocks": 17},
        {"input_dropout": 1.0},
        {"dropout": -0.1},
    ],
)
def test_refuses_options_outside_their_range(wrong):
    contract.assert_refused(ConvAttention, wrong)


def test_configuration_names_the_defaults():
    assert_configuration_names_the_defaults("conv_attention", ConvAttention)
