import gzip

import numpy as np
import pytest
import soundfile

from src.datamodules.sequences.export import write_feature_files, write_sound
from src.datamodules.sequences.feature_files import clip_id, read_features
from src.splitting.recording import Recording

ITEMS = [
    Recording(path="Rock/a.b [1].mp3", labels=("Rock",), group="a", split="train"),
    Recording(path="Rock/é 二.wav", labels=("Rock",), group="b", split="val"),
    Recording(path="Trip-Hop/a.b [1].mp3", labels=("Trip\tHop",), group="c", split="test"),
]
NUMBERS = [4, 7, 11]


def features(number: int) -> np.ndarray:
    return np.random.default_rng(number).random((140, number)).astype(np.float32)


@pytest.mark.parametrize(
    ("beats", "place", "suffix"),
    [
        (False, "fma_genre_spectrograms", ".fused.full.npy.gz"),
        (True, "fma_genre_spectrograms_beat", ".beatsync.fused.npy.gz"),
    ],
)
def test_files_and_labels_are_as_published(tmp_path, beats, place, suffix):
    folder = write_feature_files(tmp_path, ITEMS, NUMBERS, features, beats=beats)
    assert folder == tmp_path / place
    train = (folder / "train_labels.txt").read_text().splitlines()
    test = (folder / "test_labels.txt").read_text().splitlines()
    assert train[0] == test[0] == "Id\tGenre"
    rows = [
        (part, *line.split("\t")) for part, lines in (("train", train), ("test", test)) for line in lines[1:]
    ]
    assert [(part, genre) for part, _, genre in rows] == [
        ("train", "Rock"),
        ("train", "Rock"),
        ("test", "Trip Hop"),
    ]
    for (part, name, _), number in zip(rows, NUMBERS, strict=True):
        assert name.split(".")[0] == clip_id(name) == name.removesuffix(suffix)
        with gzip.open(folder / part / name) as file:
            np.testing.assert_array_equal(np.load(file), features(number))
        np.testing.assert_array_equal(read_features(folder / part / name), features(number))
    assert {path.name for path in folder.glob("t*/*")} == {name for _, name, _ in rows}


def test_what_is_written_is_not_written_again(tmp_path):
    folder = write_feature_files(tmp_path, ITEMS, NUMBERS, features, beats=False)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write_feature_files(tmp_path, ITEMS, NUMBERS, features, beats=False)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_an_interrupted_export_is_done_again_to_the_same_bytes(tmp_path):
    def breaks(number: int) -> np.ndarray:
        if number == NUMBERS[1]:
            raise KeyboardInterrupt
        return features(number)

    with pytest.raises(KeyboardInterrupt):
        write_feature_files(tmp_path / "a", ITEMS, NUMBERS, breaks, beats=False)
    one = write_feature_files(tmp_path / "a", ITEMS, NUMBERS, features, beats=False)
    other = write_feature_files(tmp_path / "b", ITEMS, NUMBERS, features, beats=False)
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) == 5
    assert all((one / file).read_bytes() == (other / file).read_bytes() for file in files)


def test_a_sound_is_written_at_nine_tenths_of_full_scale(tmp_path):
    write_sound(tmp_path / "a.b", np.array([0.0, 0.1, -0.2], np.float32))
    sound, rate = soundfile.read(tmp_path / "a.b.wav")
    assert rate == 22050
    np.testing.assert_allclose(sound, [0, 0.45, -0.9], atol=1e-4)
