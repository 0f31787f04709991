"""Gravis patches, packed by hand as the Gravis Ultrasound SDK (appendix E) lays them out."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.audio.soundfonts.gus_patch import read_patch
from src.audio.soundfonts.writer import write_soundfont
from src.errors import UserError
from tests.audio.soundfonts.hearing import RATE, cents, decibels, peak, played, sine

SIXTEEN_BIT, UNSIGNED, LOOPED, PING_PONG, SUSTAINED, ENVELOPE = 1, 2, 4, 8, 32, 64


def millihertz(key: float) -> int:
    return round(440_000 * 2 ** ((key - 69) / 12))


def recording(
    data: bytes,
    modes: int = SIXTEEN_BIT,
    *,
    keys: tuple[float, float, float] = (0, 127, 69),
    loop: tuple[int, int] = (0, 0),
    rates: tuple[int, ...] = (63,) * 6,
    offsets: tuple[int, ...] = (255,) * 6,
) -> bytes:
    """A sample's header of 96 bytes, and its data; the loop counts bytes."""
    header = struct.pack("<7sBIII", b"wave", 0, len(data), *loop)
    header += struct.pack("<H3I", RATE, *map(millihertz, keys))
    header += struct.pack("<hB", 0, 7) + bytes(rates) + bytes(offsets) + bytes(6)
    header += struct.pack("<BhH36x", modes, 60, 1024)
    assert len(header) == 96
    return header + data


def patch(*recordings: bytes, version: bytes = b"110") -> bytes:
    header = b"GF1PATCH" + version + b"\0ID#000002\0" + b"packed by hand".ljust(60, b"\0")
    header += struct.pack("<BBBHHI36x", 1, 14, 0, len(recordings), 127, sum(map(len, recordings)))
    header += struct.pack("<H16sIB40x", 0, b"instrument", 0, 1)
    header += struct.pack("<BBIB40x", 0, 0, 0, len(recordings))
    assert (len(header), header[198]) == (239, len(recordings))
    return header + b"".join(recordings)


def read(folder: Path, *recordings: bytes):
    (folder / "x.pat").write_bytes(patch(*recordings))
    return read_patch(folder / "x.pat")


def heard(folder: Path, recorded: bytes, key: int, seconds: float, release: float | None = None):
    write_soundfont(folder / "x.sf2", "x", {0: read(folder, recorded)})
    return played(folder / "x.sf2", key, seconds, release=release)


@pytest.mark.parametrize(
    ("modes", "data", "values"),
    [
        (UNSIGNED, bytes([0, 127, 128, 129, 255]), [-32768, -256, 0, 256, 32512]),
        (0, bytes([128, 255, 0, 1, 127]), [-32768, -256, 0, 256, 32512]),
        (SIXTEEN_BIT, struct.pack("<4h", -32768, -1, 0, 32767), [-32768, -1, 0, 32767]),
        (SIXTEEN_BIT | UNSIGNED, struct.pack("<4H", 0, 32767, 32768, 65535), [-32768, -1, 0, 32767]),
    ],
)
def test_samples(tmp_path, modes, data, values):
    (found,) = read(tmp_path, recording(data, modes))
    assert found.samples.dtype == np.int16
    assert found.samples.tolist() == values
    assert (found.name, found.sample_rate, found.loop, found.envelope) == ("x", RATE, None, {})


def test_older_version(tmp_path):
    (tmp_path / "x.pat").write_bytes(patch(recording(b"\1\0\2\0"), version=b"100"))
    assert read_patch(tmp_path / "x.pat")[0].samples.tolist() == [1, 2]


@pytest.mark.parametrize(("modes", "width"), [(UNSIGNED, 1), (SIXTEEN_BIT, 2)])
def test_loops_count_bytes(tmp_path, modes, width):
    (found,) = read(tmp_path, recording(bytes(20 * width), modes | LOOPED, loop=(4 * width, 16 * width)))
    assert found.loop == (4, 16)
    assert len(found.samples) == 20


def test_ping_pong_is_unfolded(tmp_path):
    data = struct.pack("<10h", *range(10))
    (found,) = read(tmp_path, recording(data, SIXTEEN_BIT | LOOPED | PING_PONG, loop=(8, 16)))
    first, last = found.loop
    assert found.samples[:first].tolist() == [0, 1, 2, 3]
    assert found.samples[first:last].tolist() == [4, 5, 6, 7, 7, 6, 5, 4]


def test_ranges_and_root(tmp_path):
    found = read(
        tmp_path,
        recording(b"\1\0", keys=(60, 71, 69.3)),
        recording(b"\2\0", keys=(21, 59, 40)),
        recording(b"\3\0", keys=(72, 108, 89.6)),
    )
    assert [each.samples.tolist() for each in found] == [[2], [1], [3]]
    assert [(each.low, each.high) for each in found] == [(0, 59), (60, 71), (72, 127)]
    assert [each.root for each in found] == pytest.approx([40, 69.3, 89.6], abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 127)).map(sorted), min_size=1, max_size=6))
def test_every_key_has_a_sound(tmp_path_factory, ranges):
    found = read(tmp_path_factory.mktemp("x"), *(recording(b"\0\0", keys=(*keys, 60)) for keys in ranges))
    assert len(found) == len(ranges)
    assert all(0 <= each.low <= each.high <= 127 for each in found)
    assert {key for each in found for key in range(each.low, each.high + 1)} == set(range(128))


def test_gaps_and_overlaps(tmp_path):
    found = read(tmp_path, *(recording(b"\0\0", keys=(*keys, 60)) for keys in [(70, 80), (40, 50), (45, 60)]))
    assert [(each.low, each.high) for each in found] == [(0, 44), (45, 69), (70, 127)]


@pytest.mark.parametrize(
    "content",
    [b"", b"GF1PATCH110\0ID#000002\0", b"RIFF" + bytes(500), patch(version=b"999") + bytes(500)],
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "other.pat").write_bytes(content)
    with pytest.raises(UserError, match=r"other\.pat is no Gravis patch"):
        read_patch(tmp_path / "other.pat")


def test_a_patch_without_sounds_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"x\.pat holds no sound"):
        read(tmp_path)


@pytest.mark.parametrize("kept", [239, 300, 335, 350, 434, 435, 500, 531, 629, 630])
def test_truncated_files_are_refused(tmp_path, kept):
    """239 bytes, and twice 96 bytes with 100 of sound: 631."""
    whole = patch(*[recording(bytes(100))] * 2)
    assert len(whole) == 631
    (tmp_path / "cut.pat").write_bytes(whole)
    assert len(read_patch(tmp_path / "cut.pat")) == 2
    (tmp_path / "cut.pat").write_bytes(whole[:kept])
    with pytest.raises(UserError, match=r"cut\.pat ends in the middle of a sound"):
        read_patch(tmp_path / "cut.pat")


def test_envelope(tmp_path):
    """TiMidity's steps per 1/44100 s: (rate & 63) << 3 * (3 - (rate >> 6)), each 1/8192 of an offset.

    Attack, rate 73 = 1:9 -> 9 << 6 = 576: 246 offsets last 246 * 8192 / (576 * 44100) = 79.34 ms.
    Decay, rate 205 = 3:13 -> 13: 128 offsets last 128 * 8192 / (13 * 44100) = 1.8290 s, and are
    128 / 255 * 36 = 18.07 dB, so 100 dB last 1.8290 * 100 / 18.07 = 10.12 s.
    Release, rate 141 = 2:13 -> 13 << 3 = 104: 255 offsets last 255 * 8192 / (104 * 44100) = 0.4555 s, and
    are 36 dB, so 100 dB last 1.265 s.
    """
    rates, offsets = (73, 205, 63, 141, 63, 63), (246, 118, 118, 0, 0, 0)
    (found,) = read(tmp_path, recording(b"\0\0", 1 | SUSTAINED | ENVELOPE, rates=rates, offsets=offsets))
    assert found.envelope == pytest.approx(
        {"attack_s": 0.07934, "decay_s": 10.12, "sustain_db": 18.07, "release_s": 1.265}, rel=1e-3
    )


def test_envelope_is_heard_as_timidity_plays_it(tmp_path):
    """See above: 18.07 dB in 1.829 s, then 36 dB in 0.4555 s; FluidSynth is 4 % slower than the format says."""
    data = recording(
        sine(440).tobytes(),
        SIXTEEN_BIT | LOOPED | SUSTAINED | ENVELOPE,
        loop=(0, 8800),
        rates=(63, 205, 63, 141, 63, 63),
        offsets=(246, 118, 118, 0, 0, 0),
    )
    sound = heard(tmp_path, data, 69, 4.0, release=3.0)
    start = sound[: RATE // 20]
    assert decibels(sound, 0.9145, like=start) == pytest.approx(-9, abs=1)
    assert decibels(sound, 2.5, like=start) == pytest.approx(-18, abs=1)
    assert decibels(sound, 3.25, like=start) == pytest.approx(-18 - 36 * 0.25 / 0.4555, abs=2)


def test_flat_envelope(tmp_path):
    (found,) = read(tmp_path, recording(b"\0\0", SIXTEEN_BIT | SUSTAINED | ENVELOPE))
    assert found.envelope["sustain_db"] == 0
    # 63 << 9 = 32256 steps: 255 * 8192 / (32256 * 44100)
    assert found.envelope["attack_s"] == pytest.approx(1.4685e-3, rel=1e-3)


@pytest.mark.parametrize("root", [69, 69.4, 57])
@pytest.mark.parametrize("modes", [UNSIGNED, SIXTEEN_BIT])
@pytest.mark.parametrize("key", [69, 76])
def test_pitch(tmp_path, root, modes, key):
    samples = sine(440 * 2 ** ((root - 69) / 12), 2.0)
    data = samples.tobytes() if modes & SIXTEEN_BIT else ((samples >> 8) + 128).astype(np.uint8).tobytes()
    sound = heard(tmp_path, recording(data, modes, keys=(60, 72, root)), key, 0.9)
    assert cents(peak(sound), 440 * 2 ** ((key - 69) / 12)) == pytest.approx(0, abs=5)


def test_ping_pong_loop_sounds_on(tmp_path):
    """From trough to crest and back, the loop of half a period is a whole one: 440 Hz."""
    wave = np.roll(sine(440), 25)  # trough first, crest 50 samples on
    modes = SIXTEEN_BIT | LOOPED | PING_PONG
    sound = heard(tmp_path, recording(wave[:200].tobytes(), modes, loop=(200, 300)), 69, 2.0)
    assert cents(peak(sound[RATE // 2 :]), 440) == pytest.approx(0, abs=5)
    assert np.abs(sound[RATE:]).max() > 0.01
