import os

import librosa
import numpy as np
import pytest
import soundfile

from src.audio.music_features import SAMPLE_RATE, beat_synchronous, mel_and_chroma
from src.errors import UserError
from tests.datamodules.groups_contract import check_groups
from tests.datamodules.sequences.feature_folders import built
from tests.datamodules.sounds import cut_off, noise, tone, write

FORMATS = ("wav", "flac", "mp3", "ogg")
SHARES = {"val": 0.25, "test": 0.25}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two genres of eight files each, in all formats."""
    root = tmp_path_factory.mktemp("music")
    for place, genre in enumerate(("Hip-Hop", "é, [二胡]")):
        for number in range(8):
            path = root / genre / f"album {number // 2}" / f"{number} #é.{FORMATS[number % 4]}"
            write(path, tone(300 + 400 * place + 20 * number, 1.2, 16000, 1 + number % 2), 16000)
    return root


@pytest.fixture
def genre_audio(tmp_path, music):
    def make(cache="cache", **changes):
        options = {"root": str(music), "clip_seconds": 1.0, "split": SHARES, **changes}
        return built("genre_audio", tmp_path / cache, **options)

    return make


def names(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.*") if path.suffix != ".csv")


def linked(music, root):
    """A folder of its own with the same files."""
    for name in names(music):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).hardlink_to(music / name)
    return root


def test_folders_become_sequences(genre_audio):
    data = genre_audio()
    data.check()
    data.prepare_data()
    assert data.classes == ("Hip-Hop", "é, [二胡]")
    assert data.n_items == {"train": 8, "val": 4, "test": 4}
    assert data.item_shape == (1, 140, 1 + SAMPLE_RATE // 512)
    features, targets, lengths = next(iter(data.val_dataloader()))
    assert features.shape == (4, 1, 140, 44)
    assert lengths.tolist() == [44] * 4
    assert targets.tolist() == [
        data.classes.index(i.labels[0]) for i in data.used_items() if i.split == "val"
    ]


@pytest.mark.parametrize("beat_sync", [False, True])
def test_features_are_those_of_the_middle_of_the_file(genre_audio, music, beat_sync):
    data = genre_audio(beat_sync=beat_sync)
    data.prepare_data()
    number = next(number for number, item in enumerate(data.listed) if item.path.endswith("1 #é.flac"))
    sound, rate = soundfile.read(music / data.listed[number].path)
    resampled = librosa.resample(sound.mean(1), orig_sr=rate, target_sr=SAMPLE_RATE)
    start = (len(resampled) - SAMPLE_RATE) // 2
    wanted = mel_and_chroma(resampled[start : start + SAMPLE_RATE].astype(np.float32))
    wanted = beat_synchronous(wanted) if beat_sync else wanted
    np.testing.assert_allclose(data._features(number), wanted[:, : data.max_frames], atol=0.1)


def test_a_group_of_a_table_stays_on_one_side(genre_audio, music, tmp_path):
    root = linked(music, tmp_path / "own")
    lines = [f'"{name}","{name.split("/")[0]}",{"/".join(name.split("/")[:2])!r}' for name in names(music)]
    (root / "table.csv").write_text(
        "\n".join(["path,label,group", *(line.replace("'", '"') for line in lines)])
    )
    data = genre_audio(root=str(root), table="table.csv")
    data.prepare_data()
    sides = {(item.group, item.split) for item in data.used_items()}
    assert len(sides) == len({group for group, _ in sides}) == 8
    assert data.n_items == {"train": 8, "val": 4, "test": 4}


def test_the_split_of_a_table_is_kept(genre_audio, music, tmp_path):
    root = linked(music, tmp_path / "own")
    splits = {name: "test" if "album 3" in name else "train" for name in names(music)}
    lines = [f'"{name}","{name.split("/")[0]}",{split}' for name, split in splits.items()]
    (root / "table.csv").write_text("\n".join(["path,label,split", *lines]), encoding="utf-8")
    data = genre_audio(root=str(root), table="table.csv")
    data.prepare_data()
    assert {item.path for item in data.used_items() if item.split == "test"} == {
        name for name, split in splits.items() if split == "test"
    }
    assert data.n_items == {"train": 9, "val": 3, "test": 4}


def test_broken_files_are_left_out_with_their_reasons(genre_audio, music, tmp_path):
    root = linked(music, tmp_path / "own")
    cut_off(write(root / "Hip-Hop" / "cut.wav", noise(1.0)))
    (root / "Hip-Hop" / "text.mp3").write_text("no sound")
    write(root / "loose.wav", noise(1.0))
    with pytest.raises(UserError, match=r"3 of 19 files cannot be used: .*cut\.wav is cut off"):
        genre_audio(root=str(root)).prepare_data()
    data = genre_audio(root=str(root), max_bad=0.2)
    data.prepare_data()
    assert dict(data.left_out()) == {
        "Hip-Hop/cut.wav": "is cut off: it is shorter than its header says",
        "Hip-Hop/text.mp3": "cannot be read as a sound file",
        "loose.wav": "lies in no class's folder",
    }
    assert sum(data.n_items.values()) == 16


def test_what_is_no_regular_file_is_left_out_with_the_reason(genre_audio, music, tmp_path):
    root = linked(music, tmp_path / "own")
    os.mkfifo(root / "Hip-Hop" / "pipe.wav")
    (root / "Hip-Hop" / "link.wav").symlink_to("gone")
    data = genre_audio(root=str(root), max_bad=0.2)
    data.prepare_data()
    assert dict(data.left_out()) == {
        "Hip-Hop/link.wav": "is a link that leads nowhere",
        "Hip-Hop/pipe.wav": "is not a regular file",
    }


def test_other_files_are_counted_once(genre_audio, music, tmp_path, capsys):
    root = linked(music, tmp_path / "more")
    for name in ("Hip-Hop/cover.jpg", "Hip-Hop/._0.mp3", ".DS_Store"):
        (root / name).write_bytes(b"x")
    genre_audio(root=str(root)).prepare_data()
    line = (
        f"genre_audio: 1 of the files in {root} are no sound files and are passed over: Hip-Hop/cover.jpg\n"
    )
    assert line in capsys.readouterr().err
    genre_audio(root=str(root)).prepare_data()
    assert "passed over" not in capsys.readouterr().err


@pytest.mark.parametrize("beat_sync", [False, True])
def test_feature_files_are_read_as_published_ones(genre_audio, tmp_path, beat_sync):
    audio = genre_audio(feature_files=True, beat_sync=beat_sync)
    audio.prepare_data()
    published = built(
        "genre_features",
        tmp_path / "cache",
        root=str(audio.folder / "feature_files"),
        beat_sync=beat_sync,
        merge={"Hip-Hop": ["Hip-Hop"], "other": ["é, [二胡]"]},
        split=SHARES,
    )
    published.check()
    published.prepare_data()
    assert published.left_out() == []
    assert published.n_items["test"] == audio.n_items["test"]
    assert published.n_items["train"] + published.n_items["val"] == 12
    (features, targets, lengths), (read, classes, frames) = (
        next(iter(data.test_dataloader())) for data in (audio, published)
    )
    np.testing.assert_array_equal(features, read)
    assert (targets.tolist(), lengths.tolist()) == (classes.tolist(), frames.tolist())


def test_items_can_be_heard(genre_audio, tmp_path):
    data = genre_audio()
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    sounds = sorted((tmp_path / "sheet").glob("*.wav"))
    assert len(sounds) >= 2
    for file in sounds:
        sound, rate = soundfile.read(file)
        assert (len(sound), rate) == (SAMPLE_RATE, SAMPLE_RATE)
        assert np.abs(sound).max() == pytest.approx(0.9, abs=1e-3)
        assert file.with_name(f"{file.name.removesuffix('.wav')}.png").exists()


def test_two_builds_give_the_same_bits(genre_audio):
    one, other = genre_audio(), genre_audio("other")
    for data in (one, other):
        data.prepare_data()
    assert one.signature == other.signature
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(one.arrays(split)[0], other.arrays(split)[0])


def test_what_the_features_are_made_of_counts(genre_audio, music, tmp_path):
    root = linked(music, tmp_path / "own")
    signature = genre_audio(root=str(root)).signature
    assert genre_audio(root=str(root), feature_files=True).signature == signature
    assert genre_audio(root=str(root), clip_seconds=0.9).signature != signature
    assert genre_audio(root=str(root), beat_sync=True).signature != signature
    name = names(music)[0]
    (root / name).unlink()
    write(root / name, noise(1.0))
    assert genre_audio(root=str(root)).signature != signature


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"root": None}, "data.root is not set"),
        ({"root": "nowhere"}, "nowhere does not exist"),
        ({"table": "no.csv"}, "data.table=no.csv"),
        ({"clip_seconds": 0}, "data.clip_seconds=0"),
        ({"feature_files": "yes"}, "data.feature_files=yes"),
        ({"max_frames": 0}, "data.max_frames=0"),
        ({"features": "mfcc"}, "data.features=mfcc"),
    ],
)
def test_what_cannot_be_is_refused(genre_audio, changes, message):
    with pytest.raises(UserError, match=message):
        genre_audio(**changes).check()


def test_one_genre_is_refused(genre_audio, tmp_path):
    write(tmp_path / "own" / "Rock" / "a.wav", noise(1.0))
    with pytest.raises(UserError, match="has 1 folders with sound files"):
        genre_audio(root=str(tmp_path / "own")).check()


def test_groups_are_those_of_the_split(genre_audio, music):
    data = genre_audio()
    data.prepare_data()
    groups = check_groups(data, {"val": 4, "test": 4})
    named = [item.group for item in data.used_items() if item.split == "test"]
    assert len(set(zip(named, groups["test"].tolist(), strict=True))) == len(set(named))


def test_what_is_evaluated_does_not_depend_on_the_rows_that_are_used(genre_audio):
    usual = genre_audio().evaluation_signature
    assert genre_audio(features="mel").evaluation_signature == usual
    assert genre_audio(seed=9).evaluation_signature != usual
    assert genre_audio(clip_seconds=0.9).evaluation_signature != usual
