import pytest
import torch
from torch import nn

from src.errors import UserError
from src.models.networks.resnet import BasicBlock, ResNet
from tests.models import network_contract as contract

PAPER = {"in_channels": 3, "channels": [64, 128, 256, 512]}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ResNet(5, in_channels=2)


@pytest.mark.parametrize(("blocks", "expected"), [([2, 2, 2, 2], 11_689_512), ([3, 4, 6, 3], 21_797_672)])
def test_number_of_parameters_is_torchvisions(blocks, expected):
    """Of `resnet18` and `resnet34`, as torchvision's documentation gives them."""
    assert contract.n_parameters(ResNet(1000, blocks=blocks, **PAPER)) == expected


def test_stages_halve_rounding_up():
    shapes = contract.output_shapes(
        ResNet(11), ["stem", *(f"stages.{i}" for i in range(4)), "head"], torch.randn(2, 1, 128, 87)
    )
    assert shapes == [(16, 64, 44), (16, 64, 44), (32, 32, 22), (64, 16, 11), (128, 8, 6), (11,)]


def test_no_layer_pools_before_the_end(model):
    assert not [part for part in model.modules() if "Pool" in type(part).__name__]


@pytest.mark.parametrize(("after", "stride"), [(6, 1), (6, 2), (9, 1), (9, 2)])
def test_a_block_is_the_papers_formula(after, stride):
    block, x = BasicBlock(6, after, stride).eval(), torch.randn(2, 6, 9, 7)
    weights = [part.weight for part in block.modules() if isinstance(part, nn.Conv2d)]
    # A fresh batch norm only divides by the root of 1 + 1e-5 in evaluation.
    scale = (1 + 1e-5) ** -0.5
    y = (nn.functional.conv2d(x, weights[0], stride=stride, padding=1) * scale).relu()
    y = nn.functional.conv2d(y, weights[1], padding=1) * scale
    same = after == 6 and stride == 1
    assert len(weights) == (2 if same else 3)
    shortcut = x if same else nn.functional.conv2d(x, weights[2], stride=stride) * scale
    torch.testing.assert_close(block(x), (y + shortcut).relu())


def test_convolutions_start_as_he_et_al_draw_them():
    block = ResNet(5, **PAPER).stages[3][1]
    weight = block.first[0].weight
    assert weight.std().item() == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)


def test_keeps_what_networks_keep(model):
    contract.assert_sizes_fit(model, [(128, 301), (16, 500), (100, 33), (17, 31)])
    contract.assert_head_is_last(model)
    contract.assert_items_are_alone(model)
    contract.assert_float32_under_autocast(model)
    contract.assert_channels_last_changes_nothing(model)
    contract.assert_configuration_names_the_defaults("resnet", ResNet)


def test_gradient_reaches_every_parameter(model):
    contract.assert_gradient_reaches_all(model, (32, 64))


def test_every_part_of_the_input_counts(model):
    model.eval()
    x = torch.randn(1, 2, 64, 96, requires_grad=True)
    model(x).square().sum().backward()
    assert (x.grad.abs().amax((0, 1)) > 0).all()


def test_refuses_items_smaller_than_its_strides(model):
    with pytest.raises(UserError, match="needs 16 by 16"):
        model.check((2, 15, 100))


@pytest.mark.parametrize(
    "options",
    [
        {"channels": []},
        {"channels": [8, 0]},
        {"blocks": [2, 2, 0, 2]},
        {"blocks": [2, 2, 65, 2]},
        {"blocks": []},
        {"blocks": [2, 2]},
    ],
)
def test_refuses_options_outside_their_range(options):
    with pytest.raises(UserError, match=f"model.{next(iter(options))}"):
        ResNet(5, **options)
