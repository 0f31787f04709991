import os

import numpy as np
import pytest
import soundfile

from src.audio.media import Media
from src.preparation.survey import ARRAYS, PROBLEMS, Surveyor
from tests.datamodules.recordings.sources.films import write_media
from tests.datamodules.sounds import cut_off, noise, write

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")


def heard(path):
    found = Surveyor(path.parent, (path.name,))(0)
    assert set(found) == set(ARRAYS)
    return found


def problem(path):
    return PROBLEMS[heard(path)["problem"]]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sound_is_fine_in_every_format(tmp_path, suffix):
    path = write(tmp_path / f"é [x], #1{suffix}", noise(1.5, 22050, 2), 22050)
    found = heard(path)
    assert (found["frames"], found["rate"], found["channels"]) == (33075, 22050, 2)
    assert problem(path) == ""


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_files_without_their_end_are_found(tmp_path, suffix, share):
    path = write(tmp_path / f"x{suffix}", noise(3.0, 22050), 22050)
    cut_off(path, share)
    assert problem(path) in ("is cut off: it is shorter than its header says", "cannot be decoded to its end")


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.zeros(0), "is empty"),
        (np.zeros(8000), "is silent"),
        (np.full(8000, 5e-5), "is silent"),
        (np.r_[np.full(300_000, 0.1), np.nan], "contains NaN"),
        (np.r_[np.inf, np.full(100, 0.1)], "contains NaN"),
    ],
)
def test_sound_without_music_is_found(tmp_path, samples, says):
    assert says in problem(write(tmp_path / "x.wav", samples, subtype="FLOAT"))


def test_what_is_no_sound_is_found(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.mp3").touch()
    for name in ("text.wav", "gone.wav"):
        assert problem(tmp_path / name) == "cannot be read as a sound file"
    assert problem(tmp_path / "empty.mp3") == "is empty"


def test_what_is_no_file_of_the_folder_is_not_opened(tmp_path):
    write(tmp_path / "a.wav", noise(1.0))
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "in" / "pipe.wav")
    (tmp_path / "in" / "link.wav").symlink_to(tmp_path / "a.wav")
    survey = Surveyor(tmp_path / "in", ("pipe.wav", "../a.wav", "link.wav"))
    problems = [PROBLEMS[survey(number)["problem"]] for number in range(3)]
    assert problems == ["cannot be read as a sound file"] * 2 + [""]


def test_the_digest_tells_sounds_and_not_files(tmp_path):
    sound = noise(40.0)  # more than a block
    same = [
        write(tmp_path / "a.wav", sound),
        write(tmp_path / "b.flac", soundfile.read(tmp_path / "a.wav")[0]),
    ]
    other = write(tmp_path / "c.wav", sound[:-1])
    assert heard(same[0])["digest"] == heard(same[1])["digest"] != heard(other)["digest"]


@pytest.mark.parametrize(
    ("rate", "channels", "level", "says"),
    [
        (1, 1, 1.0, "has a sample rate outside 1 to 768 kHz"),
        (8000, 65, 1.0, "has more than 64 channels"),
        (8000, 1, 1e30, "has samples of more than a million times full scale"),
    ],
)
def test_what_is_out_of_bounds_is_found(tmp_path, rate, channels, level, says):
    path = tmp_path / "x.wav"
    soundfile.write(path, level * noise(1.0, 8000, channels), rate, subtype="FLOAT")
    assert problem(path) == says


def test_a_length_without_end_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("src.audio.files.MAX_HOURS", 1 / 3600)
    assert problem(write(tmp_path / "x.wav", noise(1.5))) == "is longer than 24 hours"


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".m4a"])
def test_channels_that_cancel_are_found(tmp_path, suffix):
    """What is left in mono is rounding noise, or that of a codec."""
    one = 0.3 * np.sin(2 * np.pi * 440 * np.arange(88200) / 44100)[:, None]
    for name, sides in (("opposite", [one, -one]), ("alike", [one, one]), ("one", [one])):
        sound = np.concatenate(sides, axis=1)
        path = tmp_path / f"{name}{suffix}"
        if suffix != ".m4a":
            write(path, sound, 44100)
        elif len(sides) == 2:
            write_media(path, sound.T)
        if path.exists():
            assert (problem(path), bool(heard(path)["cancels"])) == ("", name == "opposite")


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF - 44, 0xFFFFFFFF, 0])
def test_a_wav_file_written_to_a_pipe_is_heard_to_its_end(tmp_path, size):
    """As SoX, FFmpeg, arecord and LAME do, which do not know the length yet."""
    path = write(tmp_path / "x.wav", noise(1.5, 22050), 22050)
    content = path.read_bytes()
    place = content.find(b"data") + 4
    riff = min(0xFFFFFFFF, size + 36).to_bytes(4, "little") if size else bytes(4)
    data = size.to_bytes(4, "little")
    path.write_bytes(content[:4] + riff + content[8:place] + data + content[place + 4 :])
    assert (heard(path)["frames"], problem(path)) == (33075, "")
    with Media(path) as media:
        assert media.duration_s == pytest.approx(1.5, abs=1e-3)
