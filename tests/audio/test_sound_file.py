"""Sound files whose headers do not say how long they are, and excerpts of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from src.audio.files import read_audio, read_excerpt
from src.audio.media import Media
from src.audio.sound_file import SoundFile
from src.audio.truncation import links
from src.errors import UserError
from src.preparation.survey import PROBLEMS, Surveyor
from tests.datamodules.recordings.sources.films import write_media
from tests.datamodules.sounds import noise, write

RATE = 22050
LOSSY = ("a.mp3", "a.ogg", "a.opus", "a.m4a")


def frames(path: Path) -> int:
    with SoundFile(path) as file:
        return len(file.read(10**7))


def seconds_heard(path: Path) -> tuple[float, str, float]:
    """Length by the survey, what it says, and length as `Media` has it."""
    found = Surveyor(path.parent, (path.name,))(0)
    with Media(path) as media:
        return int(found["frames"]) / int(found["rate"]), PROBLEMS[int(found["problem"])], media.duration_s


def loud_then_quiet(seconds: float) -> np.ndarray:
    """Noise of a second, then a tone: a variable bit rate begins high. float32 (2, samples) at 44,100 Hz."""
    time = np.arange(round(seconds * 44100)) / 44100
    sound = 0.1 * np.sin(2 * np.pi * 440 * time)
    sound[:44100] += 0.2 * np.random.default_rng(0).standard_normal(44100)
    return np.stack([sound, sound]).astype(np.float32)


def written(path: Path, seconds: float = 3.0) -> Path:
    """Write a file of noise, in the format that its suffix names."""
    if path.suffix == ".m4a":
        return write_media(path, noise(seconds, 44100, 2).T)
    rate = 48000 if path.suffix == ".opus" else RATE
    kind = {".mp3": {}, ".ogg": {}, ".opus": {"format": "OGG", "subtype": "OPUS"}}[path.suffix]
    return write(path, noise(seconds, rate), rate, **kind)


@pytest.mark.parametrize("options", [{"q": "2"}, {"abr": "1", "b": "128000"}])
def test_an_mp3_without_a_header_of_its_length_is_heard_to_its_end(tmp_path: Path, options: dict[str, str]):
    """767 frames of 1,152 samples: 20 s, and what the encoder puts before and after them."""
    stream = {"q": {"global_quality": "236"}, "abr": options}
    path = write_media(
        tmp_path / "x.mp3",
        loud_then_quiet(20.0),
        codec="libmp3lame",
        options={"write_xing": "0"},
        encoding=stream["abr"] if "abr" in options else {"flags": "+qscale", **stream["q"]},
    )
    seconds, problem, media = seconds_heard(path)
    assert problem == ""
    assert seconds == pytest.approx(20.04, abs=0.04)
    assert media == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_chained_ogg_files_are_heard_to_their_end(tmp_path: Path, seconds: float):
    parts = [noise(seconds, RATE, seed=seed) for seed in (1, 2)]
    alone = [write(tmp_path / f"{number}.ogg", part, RATE) for number, part in enumerate(parts)]
    path = tmp_path / "both.ogg"
    path.write_bytes(b"".join(one.read_bytes() for one in alone))
    assert seconds_heard(path) == (2 * seconds, "", 2 * seconds)
    expected = np.concatenate([soundfile.read(one)[0] for one in alone])
    np.testing.assert_allclose(read_audio(path, RATE), expected, atol=1e-4)


def test_mp3_files_put_together_are_heard_to_their_end(tmp_path: Path):
    alone = [write(tmp_path / f"{seed}.mp3", noise(2.0, RATE, seed=seed), RATE) for seed in (1, 2)]
    path = tmp_path / "both.mp3"
    path.write_bytes(b"".join(one.read_bytes() for one in alone))
    assert seconds_heard(path) == (4.0, "", 4.0)
    expected = np.concatenate([soundfile.read(one)[0] for one in alone])
    np.testing.assert_allclose(read_audio(path, RATE), expected, atol=1e-3)
    with Media(path) as media:
        found = np.concatenate(list(media.blocks(RATE, 1, 1.5, 2.5)), axis=1)[0]
    np.testing.assert_allclose(found, expected[round(1.5 * RATE) : round(2.5 * RATE)], atol=1e-3)


def test_streams_that_follow_each_other_are_found_wherever_they_begin(tmp_path: Path):
    one = write(tmp_path / "a.mp3", noise(1.0, RATE), RATE).read_bytes()
    for size in (2**20 - len(one) // 2, 2**20 - 20, 2**20 - 40, 2**20):
        (tmp_path / "b.mp3").write_bytes(one + bytes(size - len(one)) + one)
        assert links(tmp_path / "b.mp3") == [(0, size), (size, size + len(one))]


@pytest.mark.parametrize("count", [5, 50, 500])
def test_a_header_that_counts_wrong_is_not_believed(tmp_path: Path, count: int):
    path = write(tmp_path / "x.mp3", noise(3.0, RATE), RATE)
    content = path.read_bytes()
    place = max(content.find(b"Xing"), content.find(b"Info"))
    path.write_bytes(content[: place + 8] + count.to_bytes(4, "big") + content[place + 12 :])
    seconds, problem, media = seconds_heard(path)
    assert (seconds, problem) == (pytest.approx(3.0, abs=0.1), "")
    assert media == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("factor", [0, 0.5, 2])
def test_a_header_that_counts_its_bytes_wrong_is_not_believed(tmp_path: Path, factor: float):
    path = write(tmp_path / "x.mp3", noise(3.0, RATE), RATE)
    content = path.read_bytes()
    place = max(content.find(b"Xing"), content.find(b"Info"))
    size = round(factor * len(content)).to_bytes(4, "big")
    path.write_bytes(content[: place + 12] + size + content[place + 16 :])
    assert seconds_heard(path)[:2] == (pytest.approx(3.0, abs=0.05), "")


@pytest.mark.parametrize("name", LOSSY)
def test_a_file_is_as_long_as_what_was_written(tmp_path: Path, name: str):
    path = written(tmp_path / name)
    with SoundFile(path) as file:
        seconds = len(file.read(10**7)) / file.samplerate
    assert seconds == pytest.approx(3.0, abs=0.05 if name == "a.m4a" else 0)


@pytest.mark.parametrize("name", LOSSY)
def test_an_excerpt_is_that_of_the_whole_file_whatever_was_read_before(tmp_path: Path, name: str):
    path = written(tmp_path / name)
    whole = read_audio(path, 16000)
    with SoundFile(path) as file:
        for start in (0, 30000, 8000, 7999, 100, 40000, 47000, 60000, 20000):
            found = read_excerpt(file, start, 4000, 16000, 1)[0]
            expected = whole[start : start + 4000]
            np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-4)
            assert not found[len(expected) :].any()


def test_little_is_kept_of_a_long_file(tmp_path: Path):
    with SoundFile(write(tmp_path / "x.mp3", noise(60.0, RATE), RATE)) as file:
        for start in range(0, 55 * RATE, RATE):
            file.seek(start)
            assert len(file.read(2 * RATE)) == 2 * RATE
            assert sum(map(len, file._file._held)) < 2.2 * RATE


@pytest.mark.parametrize(("suffix", "options"), [(".aiff", {}), (".aif", {}), (".AIFF", {}), (".m4a", None)])
def test_other_formats_are_read(tmp_path: Path, suffix: str, options: dict[str, str] | None):
    sound = 0.2 * np.sin(2 * np.pi * 440 * np.arange(2 * 44100) / 44100)
    path = tmp_path / f"x{suffix}"
    if options is None:
        write_media(path, np.stack([sound, sound]).astype(np.float32))
    else:
        soundfile.write(path, sound, 44100, format="AIFF")
    np.testing.assert_allclose(read_audio(path, 44100)[:80000], sound[:80000], atol=0.01)


def test_the_content_says_which_format_it_is(tmp_path: Path):
    (tmp_path / "x.wav").write_bytes(write(tmp_path / "x.mp3", noise(2.0, RATE), RATE).read_bytes())
    assert frames(tmp_path / "x.wav") == 2 * RATE


def test_a_list_of_files_is_not_followed(tmp_path: Path):
    write(tmp_path / "a.wav", noise(1.0))
    (tmp_path / "list.m4a").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.wav\n#EXT-X-ENDLIST\n"
    )
    (tmp_path / "cat.mp3").write_text("ffconcat version 1.0\nfile a.wav\n")
    for name in ("list.m4a", "cat.mp3"):
        with pytest.raises(UserError, match="cannot be read as a sound file"):
            SoundFile(tmp_path / name)


def test_tags_behind_the_sound_are_passed_over(tmp_path: Path):
    path = write(tmp_path / "x.mp3", noise(2.0, RATE), RATE)
    path.write_bytes(path.read_bytes() + b"TAG" + b"x" * 125 + b"LYRICSBEGIN" + b"y" * 300)
    assert seconds_heard(path) == (2.0, "", pytest.approx(2.0))


def test_damage_between_is_named(tmp_path: Path):
    path = written(tmp_path / "a.m4a")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(range(250)) * 12
    path.write_bytes(content)
    assert seconds_heard(path)[1] == "cannot be decoded to its end"
    with pytest.raises(UserError, match=r"a\.m4a cannot be decoded to its end; get it again"):
        read_audio(path, 44100)


def test_a_cut_ogg_file_is_not_called_empty(tmp_path: Path):
    whole = write(tmp_path / "x.ogg", noise(1.0, RATE), RATE).read_bytes()
    (tmp_path / "x.ogg").write_bytes(whole[:4000])
    with pytest.raises(
        UserError, match=r"x\.ogg is cut off: it is shorter than its header says; get it again"
    ):
        read_audio(tmp_path / "x.ogg", RATE)


def test_of_thousands_of_channels_nothing_is_read(tmp_path: Path) -> None:
    """libsndfile refuses the file, and FFmpeg says that it has no channel."""
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(0.1), RATE, "PCM_16")
    content = bytearray(path.read_bytes())
    content[22:24] = b"\x01\x7f"
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=r"a\.wav cannot be read as a sound file, whatever its name says; give a file in"
    ):
        SoundFile(path)
    assert PROBLEMS[int(Surveyor(tmp_path, ("a.wav",))(0)["problem"])] == "cannot be read as a sound file"
