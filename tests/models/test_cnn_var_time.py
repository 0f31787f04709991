import pytest
import torch
from torch import nn

from src.errors import UserError
from src.models.networks.cnn_var_time import CNNVarTime
from tests.models import network_contract as contract


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CNNVarTime(5, in_channels=2)


def test_stages_are_the_published_ones():
    shapes = contract.output_shapes(
        CNNVarTime(11, in_channels=2),
        ["stages.0", "stages.1", "stages.2", "stages.3", "hidden", "head"],
        torch.randn(2, 2, 128, 301),
    )
    # 128: (128 - 4) // 2 + 1 = 63, halved 31; 29, 14; 13, 6; 5, 2. 301: 149, 74; 72, 36; 35, 17; 16, 8.
    assert shapes == [(8, 31, 74), (16, 14, 36), (32, 6, 17), (64, 2, 8), (500,), (11,)]


def test_a_stage_is_convolution_norm_relu_pool(model):
    for stage in model.stages:
        assert [type(part) for part in stage] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d]
    assert [stage[0].kernel_size[0] for stage in model.stages] == [4, 3, 2, 2]
    assert [stage[0].stride[0] for stage in model.stages] == [2, 1, 1, 1]
    assert [type(part) for part in model.hidden] == [nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout]


def test_number_of_parameters():
    convolutions = 16 * 2 * 8 + 9 * 8 * 16 + 4 * 16 * 32 + 4 * 32 * 64
    expected = convolutions + 2 * (8 + 16 + 32 + 64) + 500 * 65 + 11 * 501
    assert contract.n_parameters(CNNVarTime(11, in_channels=2)) == expected


def test_keeps_what_networks_keep(model):
    contract.assert_sizes_fit(model, [(128, 301), (128, 66), (66, 999), (96, 173)])
    contract.assert_head_is_last(model)
    contract.assert_items_are_alone(model)
    contract.assert_float32_under_autocast(model)
    contract.assert_channels_last_changes_nothing(model)
    contract.assert_configuration_names_the_defaults("cnn_var_time", CNNVarTime)


def test_gradient_reaches_every_parameter(model):
    contract.assert_gradient_reaches_all(model, (96, 128))


@pytest.mark.parametrize("stages", [1, 2, 3, 4, 5])
def test_least_size_is_the_least(stages):
    model = CNNVarTime(5, channels=[4] * stages)
    contract.assert_sizes_fit(model, [])
    contract.assert_least_size_is_least(model)


def test_logits_are_of_the_average_over_frequency_and_time(model):
    model.eval()
    x = torch.randn(1, 2, 98, 98)
    expected = model.head(model.hidden(nn.AdaptiveAvgPool2d(1)(model.stages(x)).flatten(1)))
    torch.testing.assert_close(model(x), expected)


@pytest.mark.parametrize("shape", [(2, 65, 300), (2, 128, 65)])
def test_refuses_items_that_leave_nothing(model, shape):
    with pytest.raises(UserError, match="needs 66 by 66"):
        model.check(shape)


@pytest.mark.parametrize(
    "options",
    [{"channels": []}, {"channels": [8, 0]}, {"hidden": 0}, {"dropout": 1.0}, {"dropout": -0.1}],
)
def test_refuses_options_outside_their_range(options):
    with pytest.raises(UserError, match=f"model.{next(iter(options))}"):
        CNNVarTime(5, **options)


def test_dropout_is_of_effect_in_training_only():
    model, x = CNNVarTime(5, dropout=0.9), torch.randn(8, 1, 66, 66)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))
