"""Reads Gravis Ultrasound patches (`.pat`), the format of FreePats, as sounds of a soundfont."""

import struct
from pathlib import Path

import numpy as np

from src.audio.soundfonts.writer import Sound
from src.errors import UserError

_HEADERS = 129 + 63 + 47  # bytes of the patch's, the instrument's and the layer's header
_SAMPLE_HEADER = struct.Struct("<7sBIIIHIIIhB6B6B3B3BBhH36x")
_SIXTEEN_BIT, _UNSIGNED, _LOOPED, _PING_PONG, _SUSTAINED, _ENVELOPE = 1, 2, 4, 8, 32, 64
_DECIBELS = 36.0  # range of an envelope's offsets 0..255, as TiMidity plays them
_WHOLE_DECIBELS = (
    100.0  # a soundfont gives decay and release as the times of a fall this great (8.1.2, 36 and 38)
)


def read_patch(path: Path) -> list[Sound]:
    """Read the sounds of a patch.

    Sources: Gravis Ultrasound SDK 2.22, appendix E; TiMidity's `instrum.c` for how rates and offsets of the envelope
    sound.

    Args:
        path: a `.pat` file of one instrument and one layer.

    Raises:
        UserError: the file is no patch, or it ends too early.
    """
    data = path.read_bytes()
    if data[:22] not in (b"GF1PATCH110\0ID#000002\0", b"GF1PATCH100\0ID#000002\0") or len(data) < _HEADERS:
        raise UserError(f"{path} is no Gravis patch; give .pat files such as those of FreePats")
    if data[198] == 0:
        raise UserError(f"{path} holds no sound; leave it out")
    sounds, position = [], _HEADERS
    for _ in range(data[198]):
        fields = _SAMPLE_HEADER.unpack(_bytes_at(path, data, position, _SAMPLE_HEADER.size))
        position += _SAMPLE_HEADER.size
        sounds.append(_sound(path.stem, fields, _bytes_at(path, data, position, fields[2])))
        position += fields[2]
    return _without_gaps(sounds)


def _bytes_at(path: Path, data: bytes, start: int, size: int) -> bytes:
    if len(data) < start + size:
        raise UserError(f"{path} ends in the middle of a sound; get it again")
    return data[start : start + size]


def _sound(name: str, fields: tuple[int, ...], data: bytes) -> Sound:
    loop_start, loop_end, rate, lowest, highest, root = fields[3:9]
    modes = fields[29]
    samples = _decoded(data, modes)
    width = 2 if modes & _SIXTEEN_BIT else 1
    loop = (loop_start // width, min(loop_end // width, len(samples))) if modes & _LOOPED else None
    if loop is not None and modes & _PING_PONG:
        samples, loop = _unfolded(samples, loop)
    return Sound(
        name=name,
        samples=samples,
        sample_rate=rate,
        low=round(_key(lowest)),
        high=round(_key(highest)),
        root=_key(root),
        loop=loop,
        envelope=_envelope(fields[11:17], fields[17:23], modes) if modes & _ENVELOPE else {},
    )


def _decoded(data: bytes, modes: int) -> np.ndarray:
    if modes & _SIXTEEN_BIT:
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<u2").copy()
    else:
        samples = np.frombuffer(data, np.uint8).astype(np.uint16) << 8
    if modes & _UNSIGNED:
        samples ^= 0x8000
    return samples.view(np.int16)


def _unfolded(samples: np.ndarray, loop: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Turn a ping-pong loop into a forward loop."""
    first, last = loop
    there = samples[first:last]
    return np.concatenate([samples[:last], there[::-1]]), (first, last + len(there))


def _envelope(rates: tuple[int, ...], offsets: tuple[int, ...], modes: int) -> dict[str, float]:
    attack, decay, fall = (
        _seconds(rate, abs(target - source))
        for rate, source, target in zip(rates[:3], (0, *offsets[:2]), offsets[:3], strict=True)
    )
    released = rates[3] if modes & _SUSTAINED else rates[5]
    drop = _DECIBELS * max(offsets[0] - offsets[2], 0) / 255 if modes & _SUSTAINED else 0.0
    return {
        "attack_s": attack,
        "decay_s": max((decay + fall) * _WHOLE_DECIBELS / drop, 1e-3) if drop else 1e-3,
        "sustain_db": drop,
        "release_s": _seconds(released, 255) * _WHOLE_DECIBELS / _DECIBELS,
    }


def _seconds(rate: int, offset: int) -> float:
    """Return the seconds in which an envelope with this rate covers `offset` of its 255 steps."""
    step = (rate & 63) << 3 * (3 - (rate >> 6))
    return min(offset * 8192 / (max(step, 1) * 44100), 20.0)


def _key(millihertz: int) -> float:
    return float(69 + 12 * np.log2(max(millihertz, 1) / 440e3))


def _without_gaps(sounds: list[Sound]) -> list[Sound]:
    """Extend the lowest and the highest sound to the ends of the keyboard, and close the gaps between sounds."""
    ordered = sorted(sounds, key=lambda sound: (sound.low, sound.high))
    lows = [0] + [max(sound.low, 0) for sound in ordered[1:]]
    highs = [min(max(low - 1, 0), 127) for low in lows[1:]] + [127]
    return [
        Sound(**{**vars(sound), "low": low, "high": max(high, low)})
        for sound, low, high in zip(ordered, lows, highs, strict=True)
    ]
