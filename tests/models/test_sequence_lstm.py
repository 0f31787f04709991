import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from src.models.networks.sequence_lstm import SequenceLSTM, reversed_in_time
from tests.models import sequence_contract as contract
from tests.models.network_contract import assert_configuration_names_the_defaults, n_parameters, output_shapes

SMALL = {"hidden": 8}


@pytest.fixture(params=["last", "mean"])
def model(request):
    torch.manual_seed(0)
    return SequenceLSTM(5, n_rows=12, pool=request.param, **SMALL)


def packed(network, x, lengths):
    """Outputs and last states of `nn.LSTM` on packed sequences, with the weights of a network.

    Returns:
        outputs (B, T, width), 0 past an item's end, and the last layer's states (B, width).
    """
    first, both = network.layers[0].directions, len(network.layers[0].directions) == 2
    lstm = nn.LSTM(
        first[0].input_size,
        first[0].hidden_size,
        len(network.layers),
        batch_first=True,
        bidirectional=both,
    )
    weights = {}
    for number, layer in enumerate(network.layers):
        for direction, suffix in zip(layer.directions, ("", "_reverse"), strict=False):
            for name, values in direction.state_dict().items():
                weights[name.replace("_l0", f"_l{number}{suffix}")] = values
    lstm.load_state_dict(weights)
    sequences = x.flatten(1, 2).transpose(1, 2)
    outputs, (states, _) = lstm(
        pack_padded_sequence(sequences, lengths, batch_first=True, enforce_sorted=False)
    )
    return pad_packed_sequence(outputs, batch_first=True)[0], torch.cat([*states[-2 if both else -1 :]], 1)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_agrees_with_packed_sequences(bidirectional, layers):
    torch.manual_seed(0)
    options = {"layers": layers, "bidirectional": bidirectional, "hidden": 8}
    last = SequenceLSTM(5, 2, 12, pool="last", **options).eval()
    mean = SequenceLSTM(5, 2, 12, pool="mean", **options).eval()
    mean.load_state_dict(last.state_dict())
    x, lengths = contract.batch(last, [3, 70, 1, 29], garbage=0.0)
    outputs, states = packed(last, x, lengths)
    torch.testing.assert_close(last(x, lengths), last.head(states), rtol=0, atol=1e-5)
    averages = outputs.sum(1) / lengths[:, None]
    torch.testing.assert_close(mean(x, lengths), mean.head(averages), rtol=0, atol=1e-5)


def test_layers_have_the_published_widths():
    network = SequenceLSTM(10)
    shapes = output_shapes(network, ["layers.0", "layers.1", "head"], torch.randn(1, 1, 140, 129))
    assert shapes == [(129, 128), (129, 128), (10,)]
    assert [lstm.input_size for layer in network.layers for lstm in layer.directions] == [140, 140, 128, 128]
    assert network.dropout.p == 0.4


def test_number_of_parameters_is_pytorchs():
    for bidirectional in (True, False):
        lstm = nn.LSTM(140, 64, 2, bidirectional=bidirectional)
        expected = n_parameters(lstm) + 10 * (64 * (1 + bidirectional) + 1)
        assert n_parameters(SequenceLSTM(10, bidirectional=bidirectional)) == expected


def test_bidirectional_doubles_the_width():
    widths = [SequenceLSTM(3, hidden=8, bidirectional=both).head.in_features for both in (True, False)]
    assert widths == [16, 8]


def test_the_order_of_the_first_frames_counts_in_both_directions():
    torch.manual_seed(0)
    network, seen = SequenceLSTM(3, n_rows=12, layers=1, **SMALL).eval(), []
    network.head.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    x = torch.randn(1, 1, 12, 10)
    swapped = x[..., [1, 0, *range(2, 10)]]
    network(x), network(swapped)
    onwards, backwards = (seen[0] - seen[1]).abs()[0].split(8)
    assert onwards.max() > 1e-4
    assert backwards.max() > 1e-2


def test_only_the_second_direction_sees_what_follows():
    torch.manual_seed(0)
    network = SequenceLSTM(3, n_rows=12, layers=1, **SMALL).eval()
    x = torch.randn(1, 10, 12, requires_grad=True)
    outputs, _ = network.layers[0](x, torch.tensor([10]))
    for half, sees in ((slice(0, 8), range(4)), (slice(8, 16), range(3, 10))):
        gradient = torch.autograd.grad(outputs[0, 3, half].sum(), x, retain_graph=True)[0]
        assert gradient[0].abs().sum(1).nonzero().flatten().tolist() == [*sees]


def test_dropout_stands_between_layers_and_before_the_output():
    torch.manual_seed(0)
    network, seen = SequenceLSTM(3, n_rows=12, dropout=0.9, **SMALL), []
    for part in (*network.layers, network.head):
        part.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    network(torch.randn(4, 1, 12, 20))
    assert [bool((inputs == 0).float().mean() > 0.7) for inputs in seen] == [False, True, True]


def test_frames_are_turned_round_within_an_item():
    x = torch.arange(10.0).view(2, 5, 1)
    turned = reversed_in_time(x, torch.tensor([3, 5]))
    assert turned[..., 0].tolist() == [[2, 1, 0, 3, 4], [9, 8, 7, 6, 5]]


def test_padding_changes_nothing(model):
    contract.assert_padding_changes_nothing(model, [1, 2, 3, 5, 16, 33, 69, 70])


@pytest.mark.parametrize("pool", ["last", "mean"])
def test_padding_never_changes_anything(pool):
    contract.assert_padding_never_changes_anything(SequenceLSTM, pool=pool, **SMALL)


def test_training_never_sees_padding():
    contract.assert_training_never_sees_padding(SequenceLSTM, **SMALL)


@pytest.mark.parametrize(
    "holds",
    [
        contract.assert_no_lengths_are_full_lengths,
        contract.assert_order_counts,
        contract.assert_gradient_reaches_all,
        contract.assert_float32_under_autocast,
        contract.assert_channels_last_changes_nothing,
        contract.assert_head_is_last,
    ],
)
def test_contract(model, holds):
    holds(model)


def test_every_frame_and_row_counts():
    contract.assert_every_frame_and_row_counts(SequenceLSTM(5, n_rows=12, pool="mean", **SMALL))


def test_sizes_fit():
    contract.assert_sizes_fit(SequenceLSTM, **SMALL)


def test_learns_one_batch():
    contract.assert_learns_one_batch(SequenceLSTM, **SMALL)


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": 0},
        {"layers": 0},
        {"layers": 65},
        {"layers": 1.5},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"pool": "max"},
    ],
)
def test_refuses_options_outside_their_range(options):
    contract.assert_refused(SequenceLSTM, options)


def test_configuration_names_the_defaults():
    assert_configuration_names_the_defaults("sequence_lstm", SequenceLSTM)
