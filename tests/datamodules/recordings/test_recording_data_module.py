import csv
from collections import Counter
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from src.datamodules.recordings.base import Recordings
from src.errors import UserError
from src.metrics.band_statistics import band_statistics
from src.preparation.card import Card
from src.splitting.recording import Recording
from tests.datamodules.groups_contract import check_groups
from tests.datamodules.sounds import cut_off, noise, tone, write

FEATURES = {"sample_rate": 8000, "n_fft": 512, "hop_length": 400, "n_mels": 8, "fmin": 20.0}
PITCHES = {"high": 2000, "low": 300}
CARD = Card(
    name="Tones", url="https://tones.org", size="3 GB", licence="CC0", citation="T. One, 1999", layout="wav"
)


class Tones(Recordings):
    """`<class>-<song>-<number>[-<split>].wav`, of as many songs as there are."""

    name = "tones"
    target = "multilabel"
    card = CARD

    def recordings(self) -> list[Recording]:
        return [self._tone(path) for path in sorted(self.folder_of_data().glob("*.*"))]

    def _tone(self, path: Path) -> Recording:
        label, song, _, *split = path.stem.split("-")
        return Recording(
            path=path.name, labels=tuple(label.split("+")), group=song, split=split[0] if split else None
        )


class OneTone(Tones):
    target = "multiclass"


@pytest.fixture
def root(tmp_path):
    """Twelve songs of two files each; the second half is high."""
    for song in range(12):
        label = ("low", "high")[song // 6]
        for number in range(2):
            sound = tone(PITCHES[label] + 10 * song + number, 1.0)
            write(tmp_path / "root" / f"{label}-{song}-{number}.wav", sound)
    return tmp_path / "root"


@pytest.fixture
def tones(tmp_path, root):
    def make(kind=Tones, **options):
        defaults = {
            "cache_dir": tmp_path / "cache",
            "batch_size": 4,
            "shuffle_seed": 1,
            "workers": 1,
            "root": root,
            "features": FEATURES,
            "channels": 1,
            "clip_seconds": 1.0,
            "stride_seconds": 1.0,
            "seed": 1,
            "split": {"val": 0.25, "test": 0.25},
            "max_bad": 0.0,
            "pool": "mean",
        }
        classes = options.pop("classes", ("high", "low"))
        data = kind(**{**defaults, **options})
        data.classes = classes
        return data

    return make


def ready(data):
    assert data.n_items == {}
    data.prepare_data()
    data.setup("fit")
    return data


def manifest(data):
    with (data.folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_songs_stay_together_and_labels_are_on_all_sides(tones):
    data = ready(tones())
    assert data.n_items == {"train": 12, "val": 6, "test": 6}
    rows = manifest(data)
    assert len({(row["group"], row["split"]) for row in rows}) == 12
    assert len({(row["labels"], row["split"]) for row in rows}) == 6
    assert {(row["seconds"], row["windows"]) for row in rows} == {("1.000", "1")}


def test_items_are_what_their_files_hold(tones, root):
    data = ready(tones())
    rows = manifest(data)
    for split in ("train", "val", "test"):
        features, targets = data.arrays(split)
        assert features.shape == (len(targets), *data.item_shape) == (len(targets), 1, 8, 21)
        for row, item, target in zip(
            [row for row in rows if row["split"] == split], features, targets, strict=True
        ):
            sound, _ = librosa.load(root / row["path"], sr=8000)
            power = librosa.feature.melspectrogram(
                y=sound, sr=8000, n_fft=512, hop_length=400, n_mels=8, fmin=20.0
            )
            np.testing.assert_allclose(item[0], librosa.power_to_db(power, ref=np.max), atol=0.1)
            assert target.tolist() == [row["labels"] == "high", row["labels"] == "low"]


def test_one_class_an_item(tones):
    data = ready(tones(OneTone))
    targets = data.arrays("train")[1]
    assert (targets.dtype, targets.shape) == (np.int64, (12,))
    assert set(targets) == {0, 1}


def test_identical_sounds_stay_together(tones, root):
    for song in range(12):
        label = ("low", "high")[song // 6]
        sound = (root / f"{label}-{song}-0.wav").read_bytes()
        (root / f"{label}-copy{song}-0.wav").write_bytes(sound)
    rows = manifest(ready(tones()))
    splits = {row["path"]: row["split"] for row in rows}
    for path, split in splits.items():
        assert splits[path.replace("copy", "").replace("-1.", "-0.")] == split


def test_windows_of_a_recording_are_judged_together(tones, root):
    for song, seconds in enumerate([2.0, 1.0, 3.6, 0.2]):
        write(root / f"high-long{song}-0-val.wav", noise(seconds, seed=song))
    data = ready(tones(split=None, seed=None, **_fixed(root)))
    assert data.counts("val").tolist() == [2, 1, 4, 1]
    batches = list(data.val_dataloader())
    assert [counts.tolist() for _, _, counts in batches] == [[2, 1], [4], [1]]
    assert [len(x) for x, _, _ in batches] == [3, 4, 1]
    assert all(y.shape == (len(counts), 2) for _, y, counts in batches)
    stored = np.load(data.folder / "features.npy")[24:]
    np.testing.assert_array_equal(torch.cat([x for x, _, _ in batches]).numpy(), stored[: 2 + 1 + 4 + 1])
    x, y = next(iter(data.test_dataloader()))
    assert len(x) == len(y) == 1


def _fixed(root):
    """Give the songs to train, one sound to test."""
    for path in list(root.glob("*-?.wav")):
        path.rename(path.with_name(f"{path.stem}-train.wav"))
    write(root / "low-last-0-test.wav", noise(1.0, seed=99))
    return {}


def test_baselines_see_recordings(tones, root):
    write(root / "high-long-0-val.wav", noise(3.0, seed=3))
    write(root / "low-short-0-val.wav", noise(1.0, seed=4))
    data = ready(tones(split=None, seed=None, **_fixed(root)))
    features, targets = data.arrays("val")
    assert targets.tolist() == [[1, 0], [0, 1]]
    windows = np.load(data.folder / "features.npy")[24:28]
    statistics = band_statistics(windows)
    np.testing.assert_allclose(features[0], statistics[:3].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(features[1], statistics[3], rtol=1e-6)
    assert data.arrays("train")[0].ndim == 4


def test_training_windows_overlap_as_asked(tones, root):
    write(root / "high-long-0.wav", noise(3.0))
    data = ready(tones(stride_seconds=0.25))
    long = next(row for row in manifest(data) if row["path"] == "high-long-0.wav")
    assert long["windows"] == "9"


def test_bad_files_are_named_and_left_out(tones, root, capsys):
    cut_off(write(root / "high-b1-0.wav", noise(1.0)))
    write(root / "low-b2-0.wav", np.zeros(8000))
    (root / "low-b3-0.wav").write_text("no sound")
    write(root / "flute-b4-0.wav", noise(1.0, seed=1))
    data = ready(tones(max_bad=0.2))
    said = capsys.readouterr().err
    expected = {
        "high-b1-0.wav": "cut off",
        "low-b2-0.wav": "silent",
        "low-b3-0.wav": "cannot be read",
        "flute-b4-0.wav": "not one of the classes",
    }
    assert [path for path, _ in data.left_out()] == sorted(expected)
    for path, reason in data.left_out():
        assert expected[path] in reason
        assert sum(path in line and reason in line for line in said.splitlines()) == 1
    with (data.folder / "left_out.csv").open(newline="") as file:
        assert [(row["path"], row["reason"]) for row in csv.DictReader(file)] == data.left_out()
    assert data.summary()["left_out"] == 4
    assert sum(data.summary()["recordings"].values()) == 24


def test_what_other_labels_leave_out_is_said_and_written(tones, root, capsys):
    ready(tones())
    capsys.readouterr()
    data = tones(classes=("low",), max_bad=0.4)
    with pytest.raises(UserError, match="12 of 24 files cannot be used") as stop:
        data.prepare_data()
    said = capsys.readouterr().err
    assert "decoding all files" not in said
    assert said.count("tones: left out: high-") == 10
    table = data._survey.cache.folder / "left_out.csv"
    assert f"; {table} lists them all;" in str(stop.value)
    with table.open(newline="") as file:
        rows = [(row["path"], row["reason"]) for row in csv.DictReader(file)]
    assert rows == data.left_out()
    assert len(rows) == 12
    with pytest.raises(UserError):
        tones(classes=("low",), max_bad=0.4).prepare_data()
    assert capsys.readouterr().err == ""


def test_another_decoder_hears_again(tones, monkeypatch):
    before = tones()._survey.cache.folder
    monkeypatch.setattr("soundfile.__libsndfile_version__", "0.0.1")
    assert tones()._survey.cache.folder != before


def test_too_many_bad_files_stop_the_build(tones, root):
    for number in range(12):
        (root / f"low-b{number:02d}-0.wav").write_text("no sound")
    with pytest.raises(
        UserError, match=r"^tones: 12 of 36 files cannot be used: low-b00.*low-b09[^;]*; /"
    ) as stop:
        tones(max_bad=0.3).prepare_data()
    assert "low-b10" not in str(stop.value)
    assert "\n" not in str(stop.value)
    ready(tones(max_bad=0.34))


def test_other_rates_and_channels_are_converted_and_said_once(tones, root, capsys):
    write(root / "high-44-0.wav", tone(2000, 1.0, 44100, 2), 44100)
    data = tones(channels=2)
    ready(data)
    said = [line for line in capsys.readouterr().err.splitlines() if "44100 Hz" in line]
    assert len(said) == 1
    assert (
        "24 of 8000 Hz and 1 channel(s), 1 of 44100 Hz and 2 channel(s)" in said[0] or "1 of 44100" in said[0]
    )
    assert data.item_shape == (2, 8, 21)
    assert data.arrays("train")[0].shape[1:] == (2, 8, 21)
    again = tones(channels=2)
    ready(again)
    assert capsys.readouterr().err == ""


def test_other_features_need_no_second_survey(tones, capsys):
    ready(tones())
    capsys.readouterr()
    ready(tones(features={**FEATURES, "n_mels": 9}))
    assert "decoding all files" not in capsys.readouterr().err


@pytest.mark.parametrize("scaling", ["z_norm", "db_max"])
def test_statistics(tones, scaling):
    data = ready(tones(features={**FEATURES, "scaling": scaling}, channels=2))
    mean, deviation = data.statistics()
    assert mean.shape == deviation.shape == (8,)
    features = data.arrays("train")[0].astype(np.float64)
    if scaling == "z_norm":
        assert not mean.any()
        assert (deviation == 1).all()
        np.testing.assert_allclose(features.mean(axis=(2, 3)), 0, atol=1e-3)
        np.testing.assert_allclose(features.std(axis=(2, 3)), 1, atol=1e-3)
    else:
        np.testing.assert_allclose(mean, features.mean(axis=(0, 1, 3)), rtol=1e-5)


def test_a_group_on_two_sides_is_refused(tones, root):
    write(root / "high-same-0-train.wav", noise(1.0, seed=1))
    write(root / "high-same-0-val.wav", noise(1.0, seed=2))
    data = tones(split=None, seed=None, **_fixed(root))
    with pytest.raises(
        UserError, match=r"train and high-same-0-val\.wav in val, but both belong to the group same"
    ):
        data.prepare_data()
    assert not data.folder.exists()  # before features are built


def test_files_in_two_parts_of_a_published_split_are_counted(tones, root, capsys):
    (root / "high-again-0-val.wav").write_bytes((root / "high-7-0.wav").read_bytes())
    write(root / "high-own-0-val.wav", noise(1.0, seed=1))
    data = ready(tones(split=None, seed=None, **_fixed(root)))
    assert data.summary()["shared_sounds"] == {"val": 1, "test": 0}
    assert "tones: 1 validation file duplicates audio of the training split\n" in capsys.readouterr().err


def test_a_class_without_training_is_refused(tones, root):
    write(root / "flute-one-0-val.wav", noise(1.0, seed=1))
    classes = ("flute", "high", "low", "oboe")
    data = tones(split=None, seed=None, classes=classes, **_fixed(root))
    with pytest.raises(UserError, match="tones: the train split has no recording of flute; give more files"):
        data.prepare_data()


def test_signature_covers_what_determines_the_data(tones, root, tmp_path):
    before = tones().signature
    changes = [
        {"features": {**FEATURES, "n_mels": 9}}, {"channels": 2}, {"clip_seconds": 0.5}, {"stride_seconds": 0.5},
        {"seed": 2}, {"split": {"val": 0.2, "test": 0.25}},
    ]  # fmt: skip
    assert len({before, *(tones(**change).signature for change in changes)}) == 1 + len(changes)
    same = {"batch_size": 9, "shuffle_seed": 9, "workers": "auto", "pool": "max", "max_bad": 0.5}
    assert tones(**same).signature == before
    (root.parent / "cache").mkdir(exist_ok=True)
    root.rename(tmp_path / "moved")
    assert tones(root=tmp_path / "moved").signature == before
    write(tmp_path / "moved" / "low-0-0.wav", noise(1.0, seed=7))
    assert tones(root=tmp_path / "moved").signature != before


def test_bits_do_not_depend_on_workers(tones, tmp_path, root, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    for number in range(30):
        write(root / f"high-many-{number}.wav", noise(3.0, seed=number))
    one = tones(cache_dir=tmp_path / "one")
    two = tones(cache_dir=tmp_path / "two", workers=2)
    for data in (one, two):
        ready(data)
    for name in ("features", "targets", "pieces"):
        assert (one.folder / f"{name}.npy").read_bytes() == (two.folder / f"{name}.npy").read_bytes()


def test_a_missing_folder_says_where_to_get_the_data(tones, tmp_path):
    for root in (None, tmp_path / "gone"):
        with pytest.raises(UserError) as refused:
            tones(root=root).check()
        said = str(refused.value)
        assert "\n" not in said
        assert all(part in said for part in ("https://tones.org", "3 GB", "CC0", "data.root=FOLDER"))


def test_unbuilt_data_are_refused(tones):
    with pytest.raises(UserError, match="mode=prepare"):
        tones().setup("fit")


def test_contact_sheet_has_sound_and_picture_of_each_class(tones, tmp_path):
    data = ready(tones(OneTone, channels=2))
    data.contact_sheet(tmp_path / "sheet")
    stems = {path.stem for path in (tmp_path / "sheet").glob("*.wav")}
    assert {stem.split("_")[1] for stem in stems} == {"high", "low"}
    assert stems | {"classes"} == {path.stem for path in (tmp_path / "sheet").glob("*.png")}
    for stem in stems:
        sound, rate = librosa.load(tmp_path / "sheet" / f"{stem}.wav", sr=None, mono=False)
        assert (sound.shape, rate) == ((2, 8000), 8000)
        peak = np.abs(np.fft.rfft(sound[0])).argmax()
        assert peak == pytest.approx(PITCHES[stem.split("_")[1]] + 60, abs=70)
    with (tmp_path / "sheet" / "classes.csv").open(newline="") as file:
        shown = {row["class"]: int(row["train_clips"]) for row in csv.DictReader(file)}
    assert shown == Counter(row["labels"] for row in manifest(data) if row["split"] == "train")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"channels": 3}, "1 or 2"),
        ({"pool": "median"}, "mean or max"),
        ({"clip_seconds": 0}, "clip_seconds"),
        ({"clip_seconds": 1e-6}, "at least one sample"),
        ({"stride_seconds": -1.0}, "stride_seconds"),
        ({"max_bad": 2}, "max_bad"),
        ({"seed": -1}, "data.seed"),
        ({"split": {"val": 0.2}}, "data.split"),
        ({"features": {"n_mel": 3}}, "n_mel"),
    ],
)
def test_options_out_of_range_are_refused(tones, options, says):
    with pytest.raises(UserError, match=says):
        tones(**options)


def test_groups_are_songs_one_entry_a_recording(tones):
    data = ready(tones(clip_seconds=0.25, stride_seconds=0.25))
    assert data.n_items == {"train": 48, "val": 24, "test": 24}
    groups = check_groups(data, {"val": 6, "test": 6})
    songs = [row["group"] for row in manifest(data) if row["split"] == "test"]
    assert len(np.unique(groups["test"])) == len(set(songs)) == 3
    assert len(set(zip(songs, groups["test"].tolist(), strict=True))) == 3
    counted = [len(targets) for _, targets, *_ in data.test_dataloader()]
    assert sum(counted) == 6


def test_what_is_evaluated_does_not_depend_on_features(tones):
    usual = tones().evaluation_signature
    assert tones(features=FEATURES | {"n_mels": 16}).evaluation_signature == usual
    assert tones(features=FEATURES | {"sample_rate": 16000}).evaluation_signature == usual
    for change in ({"seed": 2}, {"split": {"val": 0.25, "test": 0.3}}, {"clip_seconds": 0.5}):
        assert tones(**change).evaluation_signature != usual, change
