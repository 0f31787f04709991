import pytest
import torch
from torch import nn

from src.errors import UserError
from src.models.networks.cnn_lstm_cnn import CNNLSTMCNN
from tests.models import network_contract as contract


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CNNLSTMCNN(5, in_channels=2, hidden=64)


def test_stages_are_the_published_ones():
    shapes = contract.output_shapes(
        CNNLSTMCNN(26),
        ["before.0", "before.1", "before.2", "lstm", "after", "hidden", "head"],
        torch.randn(2, 1, 128, 172),
    )
    # The LSTM's batch is every row of every item: 16 rows of 21 steps.
    assert shapes == [(8, 64, 86), (16, 32, 43), (32, 16, 21), (21, 16), (32, 8, 10), (2048,), (26,)]


def test_a_block_is_convolution_norm_relu_pool(model):
    for block in (*model.before, model.after):
        assert [type(part) for part in block] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d]
        assert block[0].kernel_size == (3, 3)


def test_number_of_parameters():
    convolutions = 9 * (8 + 8 * 16 + 16 * 32 + 16 * 32) + 2 * (8 + 16 + 32 + 32)
    lstm = 4 * 16 * (32 + 16 + 2)
    expected = convolutions + lstm + 2048 * (32 * 16 + 1) + 26 * 2049
    assert contract.n_parameters(CNNLSTMCNN(26)) == expected


def test_the_lstm_runs_along_each_row_of_frequency(model):
    x = torch.randn(3, 32, 4, 7)
    found = model._along_rows(x)
    assert found.shape == (3, 16, 4, 7)
    for item in range(3):
        for row in range(4):
            expected, _ = model.lstm(x[item, :, row].T)
            torch.testing.assert_close(found[item, :, row].T, expected)


def test_positions_are_averaged_as_adaptive_pooling_does(model):
    model.eval()
    x = torch.randn(2, 2, 96, 130)
    cells = nn.AdaptiveAvgPool2d(4)(model.after(model._along_rows(model.before(x))))
    torch.testing.assert_close(model(x), model.head(model.hidden(cells.flatten(1))))


def test_keeps_what_networks_keep(model):
    contract.assert_sizes_fit(model, [(128, 172), (16, 500), (100, 33)])
    contract.assert_least_size_is_least(model)
    contract.assert_head_is_last(model)
    contract.assert_items_are_alone(model)
    contract.assert_float32_under_autocast(model)
    contract.assert_channels_last_changes_nothing(model)
    contract.assert_configuration_names_the_defaults("cnn_lstm_cnn", CNNLSTMCNN)


def test_gradient_reaches_every_parameter(model):
    contract.assert_gradient_reaches_all(model, (32, 64))


def test_two_blocks_fit_small_items():
    model = CNNLSTMCNN(5, channels=[4, 8])
    contract.assert_sizes_fit(model, [(4, 9)])


def test_refuses_items_smaller_than_its_halvings(model):
    with pytest.raises(UserError, match="needs 16 by 16"):
        model.check((2, 64, 15))


@pytest.mark.parametrize(
    "options",
    [
        {"channels": [8]},
        {"channels": [8, 0]},
        {"lstm": 0},
        {"grid": 0},
        {"hidden": 0},
        {"dropout": 1.0},
    ],
)
def test_refuses_options_outside_their_range(options):
    with pytest.raises(UserError, match=f"model.{next(iter(options))}"):
        CNNLSTMCNN(5, **options)


def test_dropout_is_of_effect_in_training_only():
    model, x = CNNLSTMCNN(5, dropout=0.9), torch.randn(8, 1, 32, 32)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))
