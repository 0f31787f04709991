from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from src.errors import UserError
from src.models.networks.base import Float32Linear, pool_cells
from src.models.networks.cnn import CNN
from src.models.networks.cnn_fast import CNNFast

NETWORKS = {"cnn": CNN, "cnn_fast": CNNFast}
CONF = Path(__file__).parents[2] / "conf" / "model"


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS)
def network(request):
    torch.manual_seed(0)
    return request.param


def stage_shapes(stages, x):
    shapes = []
    for stage in stages:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    return shapes


def test_cnn_blocks_have_the_published_channels_and_halve():
    shapes = stage_shapes(CNN(12).blocks, torch.randn(1, 1, 400, 400))
    assert shapes == [(8, 200, 200), (16, 100, 100), (32, 50, 50), (128, 25, 25)]


def test_cnn_fast_stages_halve_rounding_up():
    shapes = stage_shapes(CNNFast(12).stages, torch.randn(1, 1, 128, 87))
    assert shapes == [(16, 64, 44), (32, 32, 22), (64, 16, 11), (128, 8, 6), (128, 8, 6)]


def test_cnn_block_is_convolution_norm_relu_pool():
    kinds = [type(module) for module in CNN(2).blocks[0]]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (CNN(12), 9 * (8 + 8 * 16 + 16 * 32 + 32 * 128) + 2 * (8 + 16 + 32 + 128) + 12 * (128 * 16 + 1)),
        (
            CNNFast(12),
            25 * 16 + 9 * (16 * 32 + 32 * 64 + 64 * 128 + 128**2) + 2 * 368 + 12 * (128 * 8 * 2 + 1),
        ),
    ],
)
def test_number_of_parameters(network, expected):
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("shape", [(16, 16), (16, 500), (64, 173), (100, 33), (128, 40)])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_size_gives_logits(network, shape, channels):
    model = network(5, in_channels=channels)
    model.check((channels, *shape))
    assert model(torch.randn(3, channels, *shape)).shape == (3, 5)


def test_a_batch_is_its_items_one_by_one(network):
    model, x = network(5).eval(), torch.randn(4, 1, 64, 90)
    single = torch.cat([model(item[None]) for item in x])
    assert torch.allclose(model(x), single, atol=1e-5)


def test_gradient_reaches_every_parameter(network):
    model = network(5)
    model(torch.randn(8, 1, 32, 64)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-6, name


def test_every_part_of_the_input_counts(network):
    model = network(5).eval()
    x = torch.randn(1, 1, 64, 96, requires_grad=True)
    model(x).square().sum().backward()
    by_frame = x.grad.abs().sum((0, 1, 2)).reshape(-1, 16).amax(1)
    by_band = x.grad.abs().sum((0, 1, 3)).reshape(-1, 16).amax(1)
    assert (by_frame > 0).all()
    assert (by_band > 0).all()


def test_pitch_is_told_apart(network):
    model, x = network(5).eval(), torch.zeros(1, 1, 64, 64)
    low, high = x.clone(), x.clone()
    low[:, :, 8:12], high[:, :, 40:44] = 3.0, 3.0
    assert (model(low) - model(high)).abs().max() > 1e-3


@pytest.mark.parametrize("shape", [(1, 15, 100), (1, 64, 15)])
def test_refuses_items_smaller_than_its_strides(network, shape):
    with pytest.raises(UserError, match="needs 16 by 16"):
        network(5).check(shape)


def test_fewer_stages_fit_smaller_items(network):
    model = network(5, channels=[4, 8])
    model.check((1, 4, 4))
    assert model(torch.randn(2, 1, 4, 4)).shape == (2, 5)


def test_refuses_another_number_of_channels(network):
    with pytest.raises(UserError, match="takes 1 channels, but items have 2"):
        network(5).check((2, 64, 64))


@pytest.mark.parametrize(
    "options", [{"channels": []}, {"channels": [8, 0]}, {"dropout": 1.0}, {"dropout": -0.1}]
)
def test_refuses_options_outside_their_range(network, options):
    with pytest.raises(UserError, match=f"model.{next(iter(options))}"):
        network(5, **options)


def test_refuses_no_cells():
    with pytest.raises(UserError, match=r"model\.grid"):
        CNN(5, grid=0)
    with pytest.raises(UserError, match=r"model\.rows"):
        CNNFast(5, rows=0)


def test_dropout_is_of_effect_in_training_only(network):
    model, x = network(5, dropout=0.9), torch.randn(8, 1, 32, 32)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_configuration_names_the_defaults(name):
    config = OmegaConf.load(CONF / f"{name}.yaml")
    built = instantiate(config, n_classes=3, in_channels=2)
    assert str(built) == str(NETWORKS[name](3, 2))
    cells = {"grid", "rows"} & set(config)
    assert all(getattr(built, key) == getattr(NETWORKS[name](3), key) for key in cells)


def test_scores_are_float32_under_autocast(network):
    model, x = network(5).eval(), torch.randn(2, 1, 64, 64)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(x)
    assert scores.dtype is torch.float32
    assert torch.allclose(scores, model(x), atol=0.05)
    assert not torch.equal(scores, scores.bfloat16().float())


def test_output_layer_is_a_linear_layer():
    layer, x = Float32Linear(6, 3), torch.randn(4, 6)
    assert torch.equal(layer(x), nn.functional.linear(x, layer.weight, layer.bias))


@pytest.mark.parametrize(("size", "cells"), [(4, 4), (10, 4), (3, 4), (1, 4), (25, 4), (7, 1)])
def test_cells_agree_with_adaptive_average_pooling(size, cells):
    x = torch.randn(2, 3, size)
    expected = nn.AdaptiveAvgPool1d(cells)(x)
    assert torch.allclose(x @ pool_cells(size, cells, like=x).T, expected, atol=1e-6)
