import pytest
import torch
from torch import nn

from src.errors import UserError
from src.models.networks.cnn2d import CNN2D
from src.models.networks.masked_norm import MaskedBatchNorm
from tests.models import sequence_contract as contract
from tests.models.network_contract import assert_configuration_names_the_defaults, n_parameters, output_shapes

SMALL = {"channels": (8, 12, 16, 20)}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CNN2D(5, n_rows=12, **SMALL)


def published(network):
    """The same network as PyTorch's own layers give it where nothing is padded."""
    layers = []
    for block in network.blocks:
        norm = nn.BatchNorm2d(block.conv.out_channels)
        norm.load_state_dict(block.norm.state_dict())
        layers += [block.conv, norm, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), network.head)


@pytest.mark.parametrize(
    ("n_rows", "rows"), [(140, (70, 35, 17, 8)), (128, (64, 32, 16, 8)), (12, (6, 3, 1, 1))]
)
def test_blocks_have_the_published_channels_and_halve(n_rows, rows):
    names = [f"blocks.{number}" for number in range(4)]
    shapes = output_shapes(CNN2D(10, n_rows=n_rows), names, torch.randn(1, 1, n_rows, 129))
    assert shapes == [*zip((32, 64, 128, 256), rows, (64, 32, 16, 8), strict=True)]


def test_number_of_parameters():
    convolutions = 9 * (32 + 32 * 64 + 64 * 128 + 128 * 256)
    assert n_parameters(CNN2D(10)) == convolutions + 2 * (32 + 64 + 128 + 256) + 10 * 257


@pytest.mark.parametrize("training", [True, False])
def test_unpadded_items_agree_with_pytorchs_layers(training):
    torch.manual_seed(0)
    network = CNN2D(5, in_channels=2, n_rows=40, dropout=0.0, **SMALL).train(training)
    reference = published(network).train(training)
    x = torch.randn(3, 2, 40, 50)
    torch.testing.assert_close(network(x), reference(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("length", [16, 17, 31, 32, 47, 70])
def test_a_padded_item_agrees_with_pytorchs_layers_on_the_item_alone(length):
    torch.manual_seed(0)
    network = CNN2D(5, n_rows=40, **SMALL).eval()
    x, lengths = contract.batch(network, [length])
    torch.testing.assert_close(
        network(x, lengths), published(network).eval()(x[..., :length]), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("frames", "left"), [(1, 1), (5, 1), (16, 1), (31, 1), (32, 2), (47, 2), (70, 4)])
def test_lengths_halve_rounding_down_but_stay_one(model, frames, left):
    x, lengths = contract.batch(model, [frames], garbage=0.0)
    for block in model.blocks:
        x, lengths = block(x, lengths)
    assert lengths.tolist() == [left]
    assert (x[..., left:] == 0).all()


def test_padding_changes_nothing(model):
    contract.assert_padding_changes_nothing(model, [1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64, 69, 70])


def test_padding_never_changes_anything():
    contract.assert_padding_never_changes_anything(CNN2D, **SMALL)


def test_training_never_sees_padding():
    contract.assert_training_never_sees_padding(CNN2D, **SMALL)


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
def test_contract(model, holds):
    holds(model)


def test_sizes_fit():
    contract.assert_sizes_fit(CNN2D, **SMALL)


def test_learns_one_batch():
    contract.assert_learns_one_batch(CNN2D, **SMALL)


@pytest.mark.parametrize(
    "options", [{"channels": []}, {"channels": [8, 0]}, {"dropout": 1.0}, {"dropout": -0.1}]
)
def test_refuses_options_outside_their_range(options):
    contract.assert_refused(CNN2D, options)


def test_refuses_data_whose_longest_items_are_too_short(model):
    with pytest.raises(UserError, match="Items of 15 frames are too short for the network, which needs 16"):
        model.check((1, 12, 15))


def test_configuration_names_the_defaults():
    assert_configuration_names_the_defaults("cnn2d", CNN2D)


@pytest.mark.parametrize("shape", [(6, 4, 30), (6, 4, 7, 30)])
def test_masked_norm_is_batch_norm_where_nothing_is_padded(shape):
    torch.manual_seed(0)
    masked, plain = MaskedBatchNorm(4), {3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)](4)
    nn.init.normal_(masked.weight)
    nn.init.normal_(masked.bias)
    plain.load_state_dict(masked.state_dict())
    lengths = torch.full((6,), 30)
    for _ in range(3):
        x = torch.randn(shape) * 3 + 1
        torch.testing.assert_close(masked(x, lengths), plain(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(masked.state_dict(), plain.state_dict(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(masked.eval()(x, lengths), plain.eval()(x), rtol=0, atol=1e-5)


def test_masked_norm_is_batch_norm_of_the_frames_that_are_there():
    torch.manual_seed(0)
    masked, plain, lengths = MaskedBatchNorm(4), nn.BatchNorm1d(4), [30, 1, 12]
    x = torch.randn(3, 4, 30, requires_grad=True)
    there = torch.cat([item[:, :length] for item, length in zip(x, lengths, strict=True)], 1)
    expected, found = plain(there.T).T, masked(x, torch.tensor(lengths))
    own = torch.cat([item[:, :length] for item, length in zip(found, lengths, strict=True)], 1)
    torch.testing.assert_close(own, expected, rtol=0, atol=1e-5)
    assert (found[1, :, 1:] == 0).all()
    torch.testing.assert_close(masked.state_dict(), plain.state_dict(), rtol=1e-5, atol=1e-5)
    weight = torch.randn_like(own)
    gradients = [torch.autograd.grad((y * weight).sum(), x, retain_graph=True)[0] for y in (own, expected)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-5)


def test_moments_of_large_values_are_float32():
    norm = MaskedBatchNorm(2, momentum=1.0)
    x = (300 + torch.randn(4, 2, 3, 50)).half()
    norm(x, torch.full((4,), 50))
    expected = x.double().var((0, 2, 3))
    torch.testing.assert_close(norm.running_var.double(), expected, rtol=0.02, atol=0)
