"""Which notes and mixtures validation and test have, whatever is trained on, and which belong together."""

import csv

import numpy as np
import pytest

from tests.datamodules.groups_contract import check_groups
from tests.datamodules.notes.single_notes import MIXING, mixtures, ready, tinysol
from tests.datamodules.notes.tiny_notes import write_notes, write_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("notes")


def kinds(data, numbers):
    """Instrument and pitch of notes."""
    return [(data.notes[number].instrument, data.notes[number].pitch) for number in numbers]


def test_a_note_is_grouped_by_instrument_and_pitch(folder):
    data = ready(tinysol(folder))
    groups = check_groups(data, {split: data.n_items[split] for split in ("val", "test")})["test"]
    named = kinds(data, np.concatenate(data.pools["test"]))
    assert len(named) == len(groups) == 2 * len(set(named))  # pp and ff
    assert len(set(zip(named, groups.tolist(), strict=True))) == len(set(named)) == len(np.unique(groups))


def test_recordings_of_one_pitch_are_a_group_even_in_several_splits(tmp_path):
    root = tmp_path / "root"
    write_notes(root)
    table = root / "annotation" / "TinySOL_metadata.csv"
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    write_table(table, [row | {"Pitch ID": str(60 + int(row["Pitch ID"]) % 2)} for row in rows])
    data = ready(tinysol(tmp_path, source="recordings", root=str(root), folds="own"))
    assert data.n_items["test"] == 6
    assert set(data.groups("test")) & set(data.groups("train"))
    assert len(set(kinds(data, np.concatenate(data.pools["test"])))) == len(set(data.groups("test")))


def test_a_mixture_has_the_group_of_each_of_its_notes(folder):
    data = ready(mixtures(folder, n_sources=[1, 3], n_mixtures={"train": 24, "val": 8, "test": 30}))
    groups = check_groups(data, {"val": 8, "test": 30})["test"]
    assert groups.shape == (30, 3)
    single = ready(tinysol(folder))
    numbers = [np.concatenate(single.pools["test"]), single.groups("test")]
    names = dict(zip(numbers[1].tolist(), kinds(single, numbers[0]), strict=True))
    for index, row in enumerate(groups):
        drawn = [source.note for source in data.maker("test").draw(index)]
        assert [names[group] for group in row[: len(drawn)].tolist()] == kinds(data, drawn)
        assert (row[len(drawn) :] == -1).all()
    assert {(row >= 0).sum() for row in groups} == {1, 3}


@pytest.mark.parametrize(
    "change",
    [
        {"features": {"sample_rate": 8000, "n_fft": 512, "hop_length": 128, "n_mels": 8}},
        {"features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 256, "n_mels": 16}},
        {"n_mixtures": {**MIXING["n_mixtures"], "train": 99}},
        {"train_n_sources": 1},
        {"detune": 1.0},
        {"fresh": False},
        {"batch_size": 3},
        {"shuffle_seed": 5},
    ],
)
def test_features_and_training_mixtures_do_not_count(folder, change):
    assert mixtures(folder, **change).evaluation_signature == mixtures(folder).evaluation_signature


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"leak": True},
        {"n_sources": 3},
        {"n_mixtures": {**MIXING["n_mixtures"], "test": 11}},
        {"gain_db": [-6.0, 6.0]},
        {"distinct": False},
        {"clip_seconds": 0.4},
        {"note_seconds": 0.4},
        {"effects": True},
        {"velocities": {"pp": 41, "ff": 110}},
        {"split": {"train": [0, 1, 2], "val": [4], "test": [3]}},
    ],
)
def test_the_draw_of_mixtures_and_a_leak_count(folder, change):
    assert mixtures(folder, **change).evaluation_signature != mixtures(folder).evaluation_signature
