"""Writes soundfonts: a preset for each General MIDI program, a zone for each recorded sound."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from src.errors import UserError

_PADDING = 46  # zero samples after each sound, SoundFont 2.04, section 6.1
_NAME_BYTES = 20
_INSTRUMENT, _KEY_RANGE, _SAMPLE_ID, _SAMPLE_MODES = 41, 43, 53, 54
_LOOPED = 1
GENERATORS = {
    "attack_s": 34,
    "decay_s": 36,
    "sustain_db": 37,
    "release_s": 38,
}
"""Generator numbers (section 8.1.2) of the keys of `Sound.envelope`."""


@dataclass(frozen=True, kw_only=True)
class Sound:
    """One recorded note, and the keys that it plays.

    Attributes:
        name: at most 20 ASCII letters count.
        samples: int16 (n,), mono.
        sample_rate: Hz.
        low, high: the keys, MIDI 0..127.
        root: the key that it was recorded at, MIDI, fractions allowed.
        loop: first sample and one past the last of the section that repeats while the key is held; `None`: no loop.
        envelope: values by the names in `GENERATORS`: seconds, or dB below the peak.
    """

    name: str
    samples: np.ndarray
    sample_rate: int
    low: int
    high: int
    root: float
    loop: tuple[int, int] | None = None
    envelope: Mapping[str, float] = field(default_factory=dict)


def write_soundfont(path: Path, title: str, programs: Mapping[int, Sequence[Sound]]) -> None:
    """Write an `.sf2` file.

    Source: SoundFont Technical Specification 2.04, E-mu Systems 2006.

    Args:
        path: the file; its folder must exist.
        title: name of the bank.
        programs: the sounds of each General MIDI program (0..127) of bank 0.

    Raises:
        UserError: there are no sounds.
    """
    sounds = [sound for program in sorted(programs) for sound in programs[program]]
    if not sounds:
        raise UserError(f"{path.name}: no sound to write; give at least one")
    info = _chunk(b"ifil", struct.pack("<HH", 2, 4)) + _chunk(b"isng", b"EMU8000\0")
    name = title.encode("ascii", "replace")[:254]
    info += _chunk(b"INAM", name + bytes(2 - len(name) % 2))  # ends in zero, of even length
    samples = b"".join(_samples(sound) + bytes(2 * _PADDING) for sound in sounds)
    body = _list(b"INFO", info) + _list(b"sdta", _chunk(b"smpl", samples)) + _list(b"pdta", _hydra(programs))
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + body))


def _hydra(programs: Mapping[int, Sequence[Sound]]) -> bytes:
    """Return the nine chunks of presets, instruments and sample headers (section 7)."""
    numbers = sorted(programs)
    preset_headers, instruments, zones, generators = [], [], [0], []
    headers: list[bytes] = []
    start = 0
    for position, program in enumerate(numbers):
        name = f"program {program}"
        preset_headers.append(struct.pack("<20sHHHIII", _name(name), program, 0, position, 0, 0, 0))
        instruments.append(struct.pack("<20sH", _name(name), len(zones) - 1))
        for sound in programs[program]:
            generators += _zone(sound, sample=len(headers))
            zones.append(len(generators))
            headers.append(_sample_header(sound, start))
            start += len(sound.samples) + _PADDING
    preset_headers.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, len(numbers), 0, 0, 0))
    instruments.append(struct.pack("<20sH", b"EOI", len(zones) - 1))
    headers.append(struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0))
    links = [struct.pack("<HH", _INSTRUMENT, position) for position in range(len(numbers))]
    return b"".join(
        _chunk(name, b"".join(records))
        for name, records in (
            (b"phdr", preset_headers),
            (b"pbag", _bags(range(len(numbers) + 1))),
            (b"pmod", [bytes(10)]),
            (b"pgen", [*links, bytes(4)]),
            (b"inst", instruments),
            (b"ibag", _bags(zones)),
            (b"imod", [bytes(10)]),
            (b"igen", [*generators, bytes(4)]),
            (b"shdr", headers),
        )
    )


def _zone(sound: Sound, sample: int) -> list[bytes]:
    """Return a zone's generators; the key range must come first and the sample last (section 7.9)."""
    values = [struct.pack("<HBB", _KEY_RANGE, sound.low, sound.high)]
    for name, value in sound.envelope.items():
        amount = round(10 * value) if name.endswith("_db") else timecents(value)
        values.append(struct.pack("<Hh", GENERATORS[name], amount))
    if sound.loop is not None:
        values.append(struct.pack("<Hh", _SAMPLE_MODES, _LOOPED))
    return [*values, struct.pack("<HH", _SAMPLE_ID, sample)]


def timecents(seconds: float) -> int:
    """Convert seconds to timecents, 1200 log2(seconds), clipped to -12000..8000 as the format allows."""
    return round(float(np.clip(1200 * np.log2(max(seconds, 1e-6)), -12000, 8000)))


def _sample_header(sound: Sound, start: int) -> bytes:
    key = round(sound.root)
    first, last = sound.loop or (0, len(sound.samples))
    end = start + len(sound.samples)
    bounds = (start, end, start + first, start + last)
    correction = round(100 * (key - sound.root))  # cents that bring the sound to the key
    return struct.pack("<20sIIIIIBbHH", _name(sound.name), *bounds, sound.sample_rate, key, correction, 0, 1)


def _samples(sound: Sound) -> bytes:
    return np.ascontiguousarray(sound.samples, "<i2").tobytes()


def _bags(first_generators: Iterable[int]) -> list[bytes]:
    return [struct.pack("<HH", first, 0) for first in first_generators]


def _name(text: str) -> bytes:
    return text.encode("ascii", "replace")[: _NAME_BYTES - 1]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _list(kind: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", kind + data)
