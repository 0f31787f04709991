"""Single notes end to end: TinySOL's layout with files of several kinds, and played by a soundfont."""

import re

import numpy as np
import pytest
import soundfile
import torch
from hydra import compose, initialize_config_dir

from src.audio.files import read_audio
from src.configuration.make import make
from src.datamodules.notes.makers import FULL_SCALE
from src.datamodules.notes.tinysol import TinySOL
from src.errors import UserError
from src.splitting.splits import SPLITS
from tests.conftest import CONF
from tests.datamodules.notes.single_notes import mixtures, ready, tinysol
from tests.datamodules.notes.tiny_notes import FORMATS, RATE, write_notes


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded")
    write_notes(root, formats=FORMATS)
    return root


@pytest.fixture(scope="module")
def recorded(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    return ready(tinysol(folder, source="recordings", root=str(root), clip_seconds=0.6))


def test_every_note_is_in_the_part_of_its_fold(recorded):
    assert recorded.classes == ("Flute", "Oboe", "Violin")
    assert recorded.target == "multiclass"
    assert recorded.n_items == {"train": 18, "val": 6, "test": 6}
    for split, folds in (("train", {0, 1, 2}), ("val", {3}), ("test", {4})):
        for label, numbers in enumerate(recorded.pools[split]):
            notes = [recorded.notes[number] for number in numbers]
            assert {note.instrument for note in notes} == {recorded.classes[label]}
            assert {note.fold for note in notes} == folds


def test_batches_are_the_beginnings_of_the_files_and_their_classes(recorded, root):
    numbers = np.concatenate(recorded.pools["test"])
    batches = list(recorded.test_dataloader())
    sounds = torch.cat([sounds for sounds, _ in batches]).numpy()
    labels = torch.cat([labels for _, labels in batches]).tolist()
    assert labels == [0, 0, 1, 1, 2, 2]
    assert (sounds.dtype, sounds.shape) == (np.float32, (6, 4800))
    for sound, number in zip(sounds, numbers, strict=True):
        expected = read_audio(root / "audio" / recorded.notes[number].name, RATE)
        expected = expected[np.flatnonzero(np.abs(expected) > 1e-4)[0] :][:4000]
        np.testing.assert_allclose(sound[: len(expected)], expected, atol=1.1e-4)
        assert not sound[4000:].any()


def test_short_notes_are_repeated_where_that_is_chosen(recorded, root, tmp_path):
    options = {"source": "recordings", "root": str(root), "clip_seconds": 0.6}
    again = ready(tinysol(tmp_path, **options, fill="repeat"))
    assert again.signature != recorded.signature
    for (once, _), (repeated, _) in zip(recorded.test_dataloader(), again.test_dataloader(), strict=True):
        for sound, filled in zip(once.numpy(), repeated.numpy(), strict=True):
            length = np.flatnonzero(sound)[-1] + 1
            assert length < 4800
            np.testing.assert_array_equal(filled[:length], sound[:length])
            np.testing.assert_array_equal(filled[length:], filled[: 4800 - length])
    with pytest.raises(UserError, match=r"fill"):
        tinysol(tmp_path, **options, fill="loop")


def test_training_batches_hold_every_note_once(recorded):
    loaded = recorded.train_dataloader()
    orders = []
    for epoch in range(2):
        loaded.sampler.set_epoch(epoch)
        orders.append(np.concatenate(list(loaded.sampler)))
    assert len(set(orders[0])) == 16  # four whole batches of 18 notes
    assert orders[0].tolist() != orders[1].tolist()
    [(sounds, labels)] = [batch for number, batch in enumerate(loaded) if number == 0]
    expected = recorded.maker("train")(orders[1][:4])
    np.testing.assert_array_equal(sounds.numpy(), expected[0])
    np.testing.assert_array_equal(labels.numpy(), expected[1])


def test_items_are_counted_again_where_the_data_are_built(recorded, root):
    """Another process that trains along does not prepare them."""
    other = tinysol(recorded.cache_dir.parent, source="recordings", root=str(root), clip_seconds=0.6)
    other.setup("fit")
    assert other.n_items == recorded.n_items


def test_folds_by_pitch_keep_a_pitch_together(tmp_path):
    data = ready(tinysol(tmp_path))  # played: two dynamics of each pitch
    assert data.folds == "pitch"
    assert data.n_items == {"train": 36, "val": 12, "test": 12}
    pitches = {
        split: {
            (data.notes[n].instrument, data.notes[n].pitch)
            for of_class in data.pools[split]
            for n in of_class
        }
        for split in SPLITS
    }
    assert sum(map(len, pitches.values())) == 30
    assert not pitches["train"] & pitches["val"]
    assert not (pitches["train"] | pitches["val"]) & pitches["test"]


def test_mixtures_of_the_same_notes_build_nothing_again(recorded, root, capsys):
    data = mixtures(recorded.cache_dir.parent, source="recordings", root=str(root), clip_seconds=0.6)
    assert data.store.folder == recorded.store.folder
    capsys.readouterr()
    data.prepare_data()
    assert capsys.readouterr().err == ""


def test_the_contact_sheet_has_notes_of_each_class(recorded, tmp_path):
    recorded.contact_sheet(tmp_path / "sheet")
    found = [re.fullmatch(r"1_(\w+)_train(\d{5})", path.stem) for path in (tmp_path / "sheet").glob("*.wav")]
    assert sorted(match[1] for match in found) == ["Flute", "Flute", "Oboe", "Oboe", "Violin", "Violin"]
    numbers = np.concatenate(recorded.pools["train"])
    for match in found:
        note = numbers[int(match[2])]
        assert recorded.notes[note].instrument == match[1]
        heard, _ = soundfile.read(tmp_path / "sheet" / f"{match[0]}.wav")
        stored = recorded.store.open()["sound"][note] / FULL_SCALE
        np.testing.assert_allclose(heard[:4000], 0.9 * stored / np.abs(stored).max(), atol=1e-4)
        assert (tmp_path / "sheet" / f"{match[0]}.png").stat().st_size > 1000
    assert (tmp_path / "sheet" / "classes.csv").exists()


def test_a_fold_without_an_instrument_is_named(root, tmp_path):
    table = root / "annotation" / "TinySOL_metadata.csv"
    text = table.read_text()
    changed = [line.replace(",3,,,Oboe", ",2,,,Oboe") for line in text.splitlines()]
    assert "\n".join(changed) != text.strip()
    try:
        table.write_text("\n".join(changed) + "\n")
        data = tinysol(tmp_path, source="recordings", root=str(root))
        with pytest.raises(
            UserError, match=r"tinysol: folds \[3\] \(val\) have no note of Oboe; .*data\.split"
        ):
            ready(data)
        ready(tinysol(tmp_path, source="recordings", root=str(root), folds="pitch"))
    finally:
        table.write_text(text)


def test_labels_are_counted_in_the_signature(root, tmp_path):
    def signature(**changes):
        return tinysol(tmp_path, **{"source": "recordings", "root": str(root)} | changes).signature

    assert signature() == signature(workers=2, loaders=1, batch_size=2)
    others = [
        signature(folds="pitch"),
        signature(split={"train": [0, 1, 2], "val": [4], "test": [3]}),
        signature(note_seconds=0.4),
    ]
    assert len({signature(), *others}) == 4


def test_default_options_are_those_of_the_yaml_file(tmp_path):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        options = compose("config", ["data=tinysol"])["data"]
    data = make(options, "data", cache_dir=tmp_path, batch_size=32, shuffle_seed=1)
    assert isinstance(data, TinySOL)
    assert data.item_shape == (1, 128, 87)
    with pytest.raises(UserError, match="zenodo") as error:
        data.check()
    assert "CC BY 4.0" in str(error.value)
    assert "\n" not in str(error.value)
