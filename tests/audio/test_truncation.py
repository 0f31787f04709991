import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.audio.truncation import is_truncated
from tests.datamodules.sounds import noise, write

IN_ONE_FOLDER = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("suffix", [".wav", ".ogg", ".flac", ".mp3"])
def test_whole_files_are_whole(tmp_path, suffix):
    assert not is_truncated(write(tmp_path / f"x{suffix}", noise(2.0, 22050), 22050))


@pytest.mark.parametrize("suffix", [".wav", ".ogg", ".mp3"])
@IN_ONE_FOLDER
@given(share=st.floats(0.01, 0.999))
def test_a_lost_end_is_noticed_wherever_it_begins(tmp_path, suffix, share):
    whole = write(tmp_path / f"x{suffix}", noise(1.0, 22050), 22050).read_bytes()
    part = tmp_path / f"part{suffix}"
    part.write_bytes(whole[: max(100, min(len(whole) - 1, round(share * len(whole))))])
    assert is_truncated(part)


def riff(data_size: int, riff_size: int, content: bytes = bytes(100)) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", riff_size)
        + b"WAVE"
        + form
        + struct.pack("<4sI", b"data", data_size)
        + content
    )


@pytest.mark.parametrize(
    ("data_size", "riff_size", "cut"),
    [
        (100, 136, False),
        (100, 144, False),  # counts the chunk's own header
        (100, 145, True),
        (101, 136, True),
        (0xFFFFFFFF, 0xFFFFFFFF, False),  # written to a pipe
        (0, 0, False),
        (0x7FFFF000, 0x7FFFF024, False),  # by SoX to a pipe
        (0x7FFE0000, 0x7FFE0024, True),
    ],
)
def test_sizes_in_the_header(tmp_path, data_size, riff_size, cut):
    (tmp_path / "x.wav").write_bytes(riff(data_size, riff_size))
    assert is_truncated(tmp_path / "x.wav") == cut


def test_chunks_before_the_data_are_skipped(tmp_path):
    content = riff(100, 136)
    extra = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    (tmp_path / "x.wav").write_bytes(content[:36] + extra + content[36:])
    assert not is_truncated(tmp_path / "x.wav")
    (tmp_path / "x.wav").write_bytes(content[:36] + extra + content[36:-1])
    assert is_truncated(tmp_path / "x.wav")


def test_an_mp3_behind_a_tag(tmp_path):
    """The tag's size is 7 bits a byte: 0x0203 is 2 · 128 + 3."""
    sound = write(tmp_path / "x.mp3", noise(1.0, 22050), 22050).read_bytes()
    tagged = b"ID3\4\0\0\0\0\2\3" + bytes(259) + sound
    for content, cut in ((tagged, False), (tagged[:-1], True), (tagged + bytes(128), False)):
        (tmp_path / "x.mp3").write_bytes(content)
        assert is_truncated(tmp_path / "x.mp3") == cut


def test_an_mp3_without_a_header_of_its_length_counts_as_whole(tmp_path):
    sound = write(tmp_path / "x.mp3", noise(1.0, 22050), 22050).read_bytes()
    for name in (b"Xing", b"Info"):
        sound = sound.replace(name, bytes(4))
    (tmp_path / "x.mp3").write_bytes(sound[: len(sound) // 2])
    assert not is_truncated(tmp_path / "x.mp3")
