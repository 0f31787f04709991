import numpy as np
import pytest
import torch

from src.generation.composing import compose
from src.models.networks.lstm import LSTM
from tests.generation.tiny_music import generation, generator, tune, tunes


@pytest.fixture
def data(tmp_path):
    return tunes(tmp_path)


def original(name):
    return tune(int(name.split()[-1])).sounding


def test_each_piece_goes_on_from_the_beginning_of_a_held_out_one(data):
    for piece in compose([generator(data)], data, generation(), 1):
        assert piece.name in data.names("test")
        np.testing.assert_array_equal(piece.prime, original(piece.name)[:4])
        np.testing.assert_array_equal(piece.held_out, original(piece.name)[4:14])
        assert piece.columns.shape == (10, 12)
        assert piece.columns.dtype == bool


def test_a_held_out_piece_that_ends_sooner_is_no_longer_than_it_is(data):
    for piece in compose([generator(data)], data, generation(steps=50), 1):
        assert len(piece.columns) == 50
        np.testing.assert_array_equal(piece.held_out, original(piece.name)[4:])


def test_columns_depend_on_the_beginning(data):
    network = LSTM(12)
    torch.nn.init.eye_(network.output.weight[:, -12:])
    repeating = generator(data, network)
    torch.nn.init.zeros_(network.output.weight)
    network.output.weight.data[:, -12:] = 100 * torch.eye(12)
    network.output.bias.data.fill_(-50)
    for piece in compose([repeating], data, generation(), 1):
        np.testing.assert_array_equal(piece.columns, np.repeat(piece.prime[-1:], 10, axis=0))


def test_from_silence_nothing_precedes_and_the_beginning_is_held_out(data):
    pieces = compose([generator(data)], data, generation(prime=0), 1)
    assert {piece.name for piece in pieces} == {"silence"}
    assert all(piece.prime.shape == (0, 12) and piece.columns[0].any() for piece in pieces)
    beginnings = [original(name)[:10].tolist() for name in data.names("test")]
    assert all(piece.held_out.tolist() in beginnings for piece in pieces)


def test_pieces_as_short_as_the_beginning_are_left_out(data):
    pieces = compose([generator(data)], data, generation(prime=22, pieces=8), 1)
    assert {piece.name for piece in pieces} == {"tune 13", "tune 14"}


def test_where_all_pieces_are_too_short_silence_goes_before_them(data):
    pieces = compose([generator(data)], data, generation(prime=40), 1)
    for piece in pieces:
        known = original(piece.name)
        np.testing.assert_array_equal(piece.prime[-len(known) + 1 :], known[:-1])
        assert piece.prime.shape == (40, 12)
        assert not piece.prime[: -len(known) + 1].any()
        np.testing.assert_array_equal(piece.held_out, known[-1:])


def test_no_held_out_piece_is_taken_twice_before_all_were_taken(data):
    names = [piece.name for piece in compose([generator(data)], data, generation(pieces=6), 1)]
    assert sorted(names[:4]) == sorted(data.names("test"))
    assert names[4:] == names[:2]


def test_the_same_seed_gives_the_same_pieces(data):
    first, second, other = (compose([generator(data)], data, generation(), seed) for seed in (1, 1, 2))
    assert [piece.columns.tolist() for piece in first] == [piece.columns.tolist() for piece in second]
    assert [piece.columns.tolist() for piece in first] != [piece.columns.tolist() for piece in other]


def test_choice_fixes_the_held_out_pieces_whatever_the_seed(data):
    chosen = [compose([generator(data)], data, generation(), seed, choice=0) for seed in range(5)]
    assert len({tuple(piece.name for piece in pieces) for pieces in chosen}) == 1
    assert chosen[0][0].columns.tolist() != chosen[1][0].columns.tolist()
    free = [compose([generator(data)], data, generation(), seed) for seed in range(5)]
    assert len({tuple(piece.name for piece in pieces) for pieces in free}) > 1


def test_pieces_can_go_on_from_validation(data):
    pieces = compose([generator(data)], data, generation(), 1, split="val")
    assert {piece.name for piece in pieces} == set(data.names("val"))


def test_bars_are_counted_by_the_grid(data):
    piece = compose([generator(data)], data, generation(bars=2, beats_per_bar=3), 1)[0]
    assert len(piece.columns) == 2 * 3 * 4


def test_onset_columns_go_along(tmp_path):
    data = tunes(tmp_path, onsets=True)
    for piece in compose([generator(data)], data, generation(), 1):
        made = tune(int(piece.name.split()[-1]))
        np.testing.assert_array_equal(piece.prime, np.hstack([made.sounding, made.onsets])[:4])
        assert not (piece.columns[:, 12:] & ~piece.columns[:, :12]).any()


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(data, training):
    learner = generator(data, dropout=0.5).train(training)
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    random = torch.get_rng_state()
    compose([learner], data, generation(), 1)
    assert all(module.training is training for module in learner.network.modules())
    assert torch.equal(random, torch.get_rng_state())
    for name, value in learner.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_dropout_is_off(data):
    learner = generator(data, dropout=0.9)
    first, second = (compose([learner.train()], data, generation(threshold=0.5), 1) for _ in range(2))
    assert [piece.columns.tolist() for piece in first] == [piece.columns.tolist() for piece in second]
