"""Stems of tiny soundfonts as a data module: what lies on disk, and the clips that are mixed of them."""

import numpy as np
import soundfile
import torch

from src.datamodules.synthesized.synth_instruments import SynthInstruments
from src.datamodules.synthesized.synth_stems import SynthStems
from src.metrics.band_statistics import band_statistics
from src.splitting.splits import SPLITS
from tests.datamodules.conftest import FEATURES
from tests.datamodules.of_yaml import of_yaml
from tests.datamodules.synthesized.tiny_stems import CLASSES


def test_validation_and_test_clips_are_those_of_whole_clips(stems, options, fonts):
    data = stems()
    data.prepare_data()
    ours = (
        "val_soundfonts",
        "leave_out",
        "seen",
        "n_stems",
        "n_mixtures",
        "variation",
        "level_db",
        "equaliser_db",
    )
    plain = {key: value for key, value in options.items() if key not in ours}
    classes = [{key: value for key, value in entry.items() if key != "relatives"} for entry in CLASSES]
    counts = {"train": 1, "val": 9, "test": 7}
    whole = SynthInstruments(
        **plain | {"classes": classes, "n_clips": counts, "soundfonts": options["val_soundfonts"]}
    ).maker()
    for split, start, count in (("val", 1, 9), ("test", 10, 7)):
        features, targets = data.arrays(split)
        assert len(features) == len(targets) == count
        for index in range(count):
            made = whole(start + index)
            np.testing.assert_array_equal(features[index], made["features"])
            np.testing.assert_array_equal(targets[index], made["targets"])
            assert whole.piece(start + index)[1] == fonts[split]


def test_bits_do_not_depend_on_order_or_workers(stems, tmp_path, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    one = stems(cache_dir=tmp_path / "one", workers=1)
    two = stems(cache_dir=tmp_path / "two", workers=2)
    assert one.signature == two.signature
    for data in (one, two):
        data.prepare_data()
    for name in ("features", "targets", "pieces"):
        assert (one.folder / f"{name}.npy").read_bytes() == (two.folder / f"{name}.npy").read_bytes()
    features, make = np.load(one.folder / "features.npy"), stems().maker()
    for index in (85, 70, 69, 33, 0):
        np.testing.assert_array_equal(make(index)["features"], features[index])


def test_stems_and_clips_are_different_pieces(stems):
    data = stems()
    data.prepare_data()
    assert len(np.unique(np.load(data.folder / "pieces.npy"))) == 86


def test_clips_of_the_next_epoch_are_others(stems):
    data = stems()
    data.prepare_data()

    def epochs(data: SynthStems) -> list[list[bytes]]:
        loaded, found = data.train_dataloader(), []
        for epoch in range(2):
            loaded.sampler.set_epoch(epoch)
            batches = list(loaded)
            assert [len(sounds) for sounds, _ in batches] == [8, 8, 8]
            assert all(labels.shape == (8, 3) and labels.dtype == torch.uint8 for _, labels in batches)
            found.append([sound.numpy().tobytes() for sounds, _ in batches for sound in sounds])
        return found

    first, second = epochs(data)
    assert len(set(first) | set(second)) == 48
    assert epochs(stems()) == [first, second]
    assert not set(epochs(stems(shuffle_seed=2))[0]) & set(first)


def test_statistics_are_those_of_the_mixing_and_the_arrays_are_not(stems, monkeypatch):
    for name, count in (("fresh_items", lambda _: 120), ("_BLOCK", 50), ("_STATISTICS_CLIPS", 100)):
        monkeypatch.setattr(f"src.datamodules.synthesized.synth_stems.{name}", count)
    data = stems()
    data.prepare_data()
    made = {path: path.stat().st_mtime_ns for path in data.folder.glob("*.npy")}
    features, (described, targets) = data.training_features(), data.arrays("train")
    assert (features.dtype, features.shape) == (np.float16, (100, 1, 16, 16))
    assert (described.shape, targets.shape) == ((120, 48), (120, 3))
    np.testing.assert_allclose(described[:100], band_statistics(features), rtol=1e-5)
    found = {}
    for change in ({}, {"equaliser_db": 9.0}, {"level_db": 9.0}, {"max_instruments": 2}):
        other = stems(**change)
        assert other.folder == data.folder
        other.prepare_data()
        expected = other.training_features().astype(np.float64)
        for _ in range(2):  # computed, then remembered
            mean, deviation = other.statistics()
            np.testing.assert_allclose(mean, expected.mean(axis=(0, 1, 3)), rtol=1e-5)
            np.testing.assert_allclose(deviation, expected.std(axis=(0, 1, 3)), rtol=1e-5)
            assert mean.dtype == deviation.dtype == np.float32
        found[str(change)] = mean.tobytes()
    assert len(set(found.values())) == 3
    assert {path: path.stat().st_mtime_ns for path in data.folder.glob("*.npy")} == made


def test_contact_sheet_shows_stems_of_each_class(stems, tmp_path):
    data = stems(n_stems=3)
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    for name in data.classes:
        assert len(list((tmp_path / "sheet").glob(f"1_{name}_train*.wav"))) == 2
    for suffix in (".mid", ".png"):
        assert len(list((tmp_path / "sheet").glob(f"1_*{suffix}"))) == 6
    assert (tmp_path / "sheet" / "classes.csv").exists()


def test_default_options_are_those_of_the_yaml_file(tmp_path, fonts):
    data = of_yaml("synth_stems", tmp_path, features={**FEATURES, "scaling": "db_max", "top_db": 80.0})
    assert isinstance(data, SynthStems)
    assert len(data.classes) == len(data.relatives) == 12
    assert all(data.relatives)
    assert data.item_shape == (1, 16, 126)
    assert not {*data.soundfonts} & {*data.val_soundfonts, *data.test_soundfonts}
    assert {*data.leave_out} <= {*data.soundfonts}
    own = {(0, instrument.program) for instrument in data.score_options.instruments}
    related = [pair for of_class in data.relatives for pair in of_class]
    assert len(set(related)) == len(related)
    assert not own & set(related)


def test_all_parts_have_items(stems):
    data = stems()
    data.prepare_data()
    sizes = {"train": [8, 8, 8], "val": [8, 1], "test": [7]}
    for split in SPLITS:
        batches = list(getattr(data, f"{split}_dataloader")())
        assert [len(sounds) for sounds, _ in batches] == sizes[split]
        for sounds, labels in batches:
            assert sounds.shape[1:] == (1, 16, 16)
            assert (sounds.float().amax((1, 2, 3)) == 0).all()
            assert sounds.min() >= -80
            assert set(labels.sum(1).tolist()) <= {1, 2}


def test_a_test_clip_is_written_by_the_test_soundfont(stems, fonts, tmp_path):
    data = stems()
    data.prepare_data()
    data.write_test_clip(2, tmp_path / "clip")
    maker = data.maker().clips
    score, font = maker.piece(9 + 2)
    assert font == fonts["test"]
    sound, _ = soundfile.read(tmp_path / "clip.wav", dtype="float32")
    played = maker.waveform(score, font)
    np.testing.assert_allclose(sound, 0.9 * played / np.abs(played).max(), atol=1e-4)


def test_an_epoch_counts_the_mixtures_not_the_stems(stems):
    data = stems(n_mixtures=30, batch_size=8)
    assert data.epoch_items == 30
    assert data.n_items["train"] > 30
    data.prepare_data()
    data.setup("fit")
    assert sum(len(labels) for _, labels in data.train_dataloader()) == 24  # whole batches
