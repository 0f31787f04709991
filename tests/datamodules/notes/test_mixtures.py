"""Mixtures end to end: played by a soundfont, and of recordings of several kinds."""

import csv
import re

import numpy as np
import pytest
import soundfile
import torch
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.configuration.make import make
from src.datamodules.notes.makers import RenderedNotes
from src.datamodules.notes.mixtures import Mixtures
from src.errors import UserError
from src.metrics.band_statistics import band_statistics
from src.splitting.splits import SPLITS
from tests.conftest import CONF
from tests.datamodules.notes.single_notes import mixtures, ready
from tests.datamodules.notes.tiny_notes import FORMATS, write_notes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mixtures")


@pytest.fixture(scope="module")
def played(folder):
    return ready(mixtures(folder))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded") / "Töne [1] (x)"
    write_notes(root, formats=FORMATS)
    return root


def test_batches_are_sounds_and_labels(played):
    assert played.classes == ("Flute", "Oboe", "Violin")
    assert played.item_shape == (1, 16, 16)
    assert played.n_items == {"train": 24, "val": 8, "test": 10}
    sizes = {"train": [4] * 6, "val": [4, 4], "test": [4, 4, 2]}
    for split in SPLITS:
        batches = list(getattr(played, f"{split}_dataloader")())
        assert [len(sounds) for sounds, _ in batches] == sizes[split]
        for sounds, labels in batches:
            assert (sounds.dtype, sounds.shape[1:]) == (torch.float32, (4000,))
            assert (labels.dtype, labels.shape[1:]) == (torch.uint8, (3,))
            assert (labels.sum(1) == 2).all()
            assert (sounds.abs().amax(1) > 1e-3).all()


def test_recordings_of_several_kinds_are_mixed(root, tmp_path, capsys):
    data = ready(mixtures(tmp_path, source="recordings", root=str(root)))
    assert data.classes == ("Flute", "Oboe", "Violin")
    assert sum(len(numbers) for of_class in data.pools.values() for numbers in of_class) == 30
    sounds, _ = next(iter(data.train_dataloader()))
    assert (sounds.abs().amax(1) > 0.01).all()
    for split, folds in (("train", {0, 1, 2}), ("val", {3}), ("test", {4})):
        pitches = {data.notes[number].pitch % 5 for numbers in data.pools[split] for number in numbers}
        assert pitches == folds
    assert "left out" not in capsys.readouterr().err


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31), folds=st.sampled_from(["own", "pitch"]))
def test_parts_share_no_recording_and_no_pitch(played, root, folder, seed, folds):
    recorded = mixtures(folder, source="recordings", root=str(root), folds=folds, seed=seed, max_bad=1.0)
    if not recorded.store.cache.is_complete():
        recorded.prepare_data()
    for data in (recorded, mixtures(folder, seed=seed)):
        drawn = {
            split: {source.note for index in range(40) for source in data.maker(split).draw(index)}
            for split in SPLITS
        }
        pitches = {
            split: {(data.notes[number].instrument, data.notes[number].pitch) for number in drawn[split]}
            for split in SPLITS
        }
        for of_part in (drawn, pitches):
            assert not of_part["train"] & of_part["val"]
            assert not of_part["train"] & of_part["test"]
            assert not of_part["val"] & of_part["test"]


def test_a_leak_shares_recordings_and_is_said(folder, played, capsys):
    leaking = ready(mixtures(folder, leak=True))
    assert "training and test share recordings" in capsys.readouterr().err
    drawn = {
        split: {source.note for index in range(300) for source in leaking.maker(split).draw(index)}
        for split in SPLITS
    }
    assert drawn["val"] | drawn["test"] <= drawn["train"]
    assert leaking.summary()["leak"]
    assert not played.summary()["leak"]
    assert sum(played.summary()["notes"].values()) == 60
    assert leaking.signature != played.signature


def test_a_leak_changes_neither_training_nor_the_number_of_notes(folder, played):
    leaking = mixtures(folder, leak=True)
    sizes = {split: [len(numbers) for numbers in of_class] for split, of_class in played.pools.items()}
    assert {
        split: [len(numbers) for numbers in of_class] for split, of_class in leaking.pools.items()
    } == sizes
    for index in range(9):
        assert leaking.maker("train").draw(index) == played.maker("train").draw(index)
    assert all(map(np.array_equal, leaking.pools["test"], mixtures(folder, leak=True).pools["test"])), (
        "another draw each time"
    )


def test_only_training_notes_are_changed(folder, played):
    changed = mixtures(folder, detune=3.0)
    for split in ("val", "test"):
        assert [changed.maker(split).draw(i) for i in range(9)] == [
            played.maker(split).draw(i) for i in range(9)
        ]
    sources = [source for index in range(99) for source in changed.maker("train").draw(index)]
    assert max(source.speed for source in sources) > 1.1
    usual = [source for index in range(99) for source in played.maker("train").draw(index)]
    assert [source.note for source in usual] == [source.note for source in sources]
    assert {(source.speed, source.gain) for source in usual} == {(1.0, 1.0)}


def test_training_mixtures_may_have_other_numbers_of_notes(folder, played):
    data = mixtures(folder, train_n_sources=[1, 3])
    assert {len(data.maker("train").draw(index)) for index in range(40)} == {1, 3}
    assert [data.maker("val").draw(i) for i in range(9)] == [played.maker("val").draw(i) for i in range(9)]
    with pytest.raises(UserError, match="n_sources=4, but there are 3"):
        mixtures(folder, train_n_sources=4).check()


def test_fresh_epochs_differ_and_others_do_not(folder):
    def epochs(data):
        loaded = data.train_dataloader()
        found = []
        for epoch in range(2):
            loaded.sampler.set_epoch(epoch)
            found.append(np.concatenate([sounds.numpy() for sounds, _ in loaded]))
        return [{sound.tobytes() for sound in sounds} for sounds in found]

    first, second = epochs(mixtures(folder, gain_db=[-6.0, 6.0]))
    assert len(first) == len(second) == 24
    assert not first & second
    first, second = epochs(mixtures(folder, gain_db=[-6.0, 6.0], fresh=False))
    assert first == second


@pytest.mark.parametrize(
    "changes",
    [
        {"n_sources": [1, 2]},
        {"train_n_sources": [1, 2]}, {"distinct": False}, {"level": "equal"}, {"gain_db": [-3.0, 3.0]}, {"detune": 0.5},
        {"fresh": False}, {"leak": True}, {"seed": 2}, {"clip_seconds": 0.4},
        {"note_seconds": 0.4}, {"held_seconds": 0.2}, {"effects": True}, {"velocities": {"pp": 40, "ff": 111}},
        {"n_mixtures": {"train": 25, "val": 8, "test": 10}}, {"split": {"train": [0, 1], "val": [3], "test": [4]}},
        {"features": {"sample_rate": 8000, "n_fft": 512, "hop_length": 256, "n_mels": 17}},
        {"soundfonts": ["TimGM6mb", "TimGM6mb"]},
    ],
)  # fmt: skip
def test_what_matters_changes_the_signature(tmp_path, changes):
    assert mixtures(tmp_path, **changes).signature != mixtures(tmp_path).signature


def test_what_does_not_matter_does_not(tmp_path):
    usual = mixtures(tmp_path)
    for changes in (
        {"workers": 2},
        {"loaders": 2},
        {"batch_size": 8},
        {"shuffle_seed": 5},
        {"max_bad": 0.5},
        {"folds": "pitch"},
    ):
        assert mixtures(tmp_path, **changes).signature == usual.signature
        assert mixtures(tmp_path, **changes).store.folder == usual.store.folder
    assert mixtures(tmp_path, detune=1.0).store.folder == usual.store.folder


def test_a_recordings_signature_goes_by_content_and_labels(root, tmp_path):
    def of(path):
        return mixtures(tmp_path, source="recordings", root=str(path))

    rows = write_notes(tmp_path / "copy")
    usual = of(tmp_path / "copy").signature
    (tmp_path / "copy").rename(tmp_path / "moved")
    assert of(tmp_path / "moved").signature == usual
    table = tmp_path / "moved" / "annotation" / "TinySOL_metadata.csv"
    table.write_text(table.read_text().replace(",Oboe,", ",Shawm,"))
    assert of(tmp_path / "moved").signature != usual
    table.write_text(table.read_text().replace(",Shawm,", ",Oboe,"))
    assert of(tmp_path / "moved").signature == usual
    file = tmp_path / "moved" / "audio" / rows[0]["Path"]
    sound, rate = soundfile.read(file)
    soundfile.write(file, sound * 0.5, rate)
    assert of(tmp_path / "moved").signature != usual


def test_statistics_are_those_of_training_mixtures(played):
    mean, deviation = played.statistics()
    sounds, _ = played.maker("train")(np.arange(24))
    decibels = played.log_mel(torch.from_numpy(sounds)).numpy()
    np.testing.assert_allclose(mean, decibels.mean(axis=(0, 2)), atol=1e-2)
    np.testing.assert_allclose(deviation, decibels.std(axis=(0, 2)), atol=1e-2)


def test_baselines_are_measured_on_band_statistics(played):
    features, targets = played.arrays("test")
    sounds, labels = played.maker("test")(np.arange(10))
    expected = band_statistics(played.log_mel(torch.from_numpy(sounds)).numpy())
    np.testing.assert_allclose(features, expected, atol=1e-3)
    np.testing.assert_array_equal(targets, labels)


def test_the_contact_sheet_has_each_class_and_number_of_sources(folder, tmp_path):
    data = ready(mixtures(folder, n_sources=[1, 2, 3]))
    data.contact_sheet(tmp_path / "sheet")
    names = {path.stem for path in (tmp_path / "sheet").glob("*.wav")}
    assert names == {path.stem for path in (tmp_path / "sheet").glob("[0-9]*.png")}
    found = [re.fullmatch(r"(\d)_(.+)_train(\d{5})", name) for name in names]
    assert {int(match[1]) for match in found} == {1, 2, 3}
    assert {part for match in found for part in match[2].split("+")} == {"Flute", "Oboe", "Violin"}
    make = data.maker("train")
    for match in found:
        [marks] = make.marks(np.array([int(match[3])]))
        assert [data.classes[label] for label in np.flatnonzero(marks)] == match[2].split("+")
        heard, rate = soundfile.read(tmp_path / "sheet" / f"{match[0]}.wav")
        sound = make(np.array([int(match[3])]))[0][0]
        assert rate == 8000
        np.testing.assert_allclose(heard, 0.9 * sound / np.abs(sound).max(), atol=1e-4)
    with (tmp_path / "sheet" / "classes.csv").open() as file:
        rows = {row["class"]: row for row in csv.DictReader(file)}
    counts = data.maker("test").marks(np.arange(10)).sum(axis=0)
    assert [int(rows[name]["test_clips"]) for name in data.classes] == counts.tolist()


def test_default_options_are_those_of_the_yaml_file(tmp_path):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        options = compose("config", ["data=mixtures"])["data"]
    data = make(options, "data", cache_dir=tmp_path, batch_size=32, shuffle_seed=1)
    assert isinstance(data, Mixtures)
    assert len(data.classes) == 14
    assert data.item_shape == (1, 128, 87)
    data.check()


def test_shifts_are_heard_in_validation_and_test_only(tmp_path):
    data = mixtures(tmp_path, shifts=[-2.0, 0.0, 2.0])
    data.prepare_data()
    for batch in (*data.val_dataloader(), *data.test_dataloader()):
        sounds, targets, counts = batch
        assert len(sounds) == 3 * len(targets)
        assert set(counts.tolist()) == {3}
    assert {len(batch) for batch in data.train_dataloader()} == {2}


def test_notes_that_a_soundfont_does_not_have_are_left_out(tmp_path, monkeypatch, capsys):
    played = RenderedNotes.__call__

    def without_the_highest(maker, index):
        made = played(maker, index)
        return made | {"length": 0} if maker.notes[index][2] == 69 else made

    monkeypatch.setattr(RenderedNotes, "__call__", without_the_highest)
    data = ready(mixtures(tmp_path))
    assert "6 of 60 notes cannot be used and are left out" in capsys.readouterr().err
    pitches = {data.notes[number].pitch for pools in data.pools.values() for pool in pools for number in pool}
    assert pitches == set(range(60, 69))


def test_missing_soundfonts_are_fetched(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("src.datamodules.notes.origins.fetch_missing", asked.extend)
    mixtures(tmp_path, source="soundfont", root=None, soundfonts=["FluidR3_GM"]).fetch()
    assert asked == ["FluidR3_GM"]
