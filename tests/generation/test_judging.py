import dataclasses

import numpy as np
import pytest

from src.generation import judging
from src.generation.composing import Piece, compose
from src.generation.judging import judge
from tests.generation.tiny_music import generation, generator, tunes


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch):
    monkeypatch.setattr(judging, "LEAST_STEPS", 1)
    monkeypatch.setattr(judging, "LEAST_PIECES", 1)


def test_a_few_short_pieces_have_no_distribution(data, pieces, monkeypatch):
    longest = max(len(piece.held_out) for piece in pieces)
    monkeypatch.setattr(judging, "LEAST_STEPS", longest + 1)
    assert not any(judge(pieces, data, generation()).values())
    monkeypatch.setattr(judging, "LEAST_STEPS", 1)
    monkeypatch.setattr(judging, "LEAST_PIECES", len(pieces) + 1)
    assert judge(pieces, data, generation())["distances"] == {}


@pytest.fixture
def data(tmp_path):
    return tunes(tmp_path)


@pytest.fixture
def pieces(data):
    return compose([generator(data)], data, generation(pieces=4), 1)


def test_held_out_music_itself_has_distance_0(data, pieces):
    same = [dataclasses.replace(piece, columns=piece.held_out) for piece in pieces]
    judged = judge(same, data, generation())
    assert judged["generated"] == pytest.approx(judged["held_out"])
    assert set(judged["distances"].values()) == {0.0}
    assert judged["distances"]


def test_other_music_has_a_distance(data, pieces):
    dense = [dataclasses.replace(piece, columns=np.ones_like(piece.columns)) for piece in pieces]
    judged = judge(dense, data, generation())
    assert judged["generated"]["polyphony"] == 12
    assert judged["distances"]["polyphony_distance"] > 1


def test_generated_pieces_are_cut_to_the_held_out_ones(data):
    # Half of what is generated is silence, after the held-out piece has ended.
    sounding = np.zeros((16, 12), bool)
    sounding[:8, 3] = True
    piece = Piece("a", sounding[:4], sounding, sounding[:8])
    judged = judge([piece, piece], data, generation())
    assert judged["generated"]["silence"] == 0
    assert judged["held_out"]["silence"] == 0


def test_means_are_of_the_pieces(data):
    one, two = np.zeros((8, 12), bool), np.zeros((8, 12), bool)
    one[:, 0], two[:, :3] = True, True
    pieces = [Piece("a", one[:4], columns, columns) for columns in (one, two)]
    assert judge(pieces, data, generation())["generated"]["polyphony"] == 2


def test_the_markov_baseline_does_not_depend_on_what_was_generated(data, pieces):
    dense = [dataclasses.replace(piece, columns=np.ones_like(piece.columns)) for piece in pieces]
    first, second = judge(pieces, data, generation()), judge(dense, data, generation())
    for name in ("markov", "markov_distances", "held_out"):
        assert first[name] == second[name]
    assert first["distances"] != second["distances"]


def test_the_markov_baseline_sounds_about_as_the_training_part(data, pieces):
    # The tunes are drawn key by key, so that a chain is all that they are.
    columns, _ = data.arrays("train")
    assert judge(pieces, data, generation())["markov"]["polyphony"] == pytest.approx(
        columns.sum() / columns.any(1).sum(), rel=0.2
    )


def test_pieces_from_silence_are_judged(data):
    pieces = compose([generator(data)], data, generation(prime=0), 1)
    assert judge(pieces, data, generation(prime=0))["markov"]["polyphony"] > 0


@pytest.mark.parametrize("by_beats", [True, False])
def test_beats_are_measured_where_they_are_known(tmp_path, by_beats):
    data = tunes(tmp_path, **({} if by_beats else {"grid": None}))
    judged = judge(compose([generator(data)], data, generation(), 1), data, generation())
    assert ("empty_beat_rate" in judged["generated"]) is by_beats


@pytest.mark.parametrize(("onsets", "length"), [(True, 2), (False, 8)])
def test_notes_struck_again_count_where_the_data_have_onsets(tmp_path, onsets, length):
    data = tunes(tmp_path, onsets=onsets)
    columns = np.zeros((8, 24 if onsets else 12), bool)
    columns[:, 5] = True
    if onsets:
        columns[::2, 17] = True
    judged = judge([Piece("a", columns[:4], columns, columns)], data, generation())
    assert judged["generated"]["note_length"] == length
