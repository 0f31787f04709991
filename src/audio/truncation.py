"""What the bytes of sound files say of their ends: whether one is missing, and whether others follow.

Sound libraries read truncated files without a warning, and of several streams in a file the first only.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

CUT_OFF = "is cut off: it is shorter than its header says"

_STREAMED = ((0x7FFF0000, 0x80000100), (0xFFFF0000, 0xFFFFFFFF))
"""Sizes, from and to, that writers to a pipe take for an unknown one: SoX 0x7FFFF000, others the greatest that fits."""
_PAGE = 65307  # the most bytes of an Ogg page
_END_OF_STREAM = 4  # flag of the last page
_BEGINS = 2  # flag of the first page of a stream
_PAGE_HEADER = 27 + 255  # bytes at most

_FRAME = 1441  # the most bytes of an MP3 frame
_XING = re.compile(
    rb"\xff[\xfa\xfb].{2}(?:\0{32}|\0{17})(?:Xing|Info)|\xff[\xf2\xf3\xe2\xe3].{2}(?:\0{17}|\0{9})(?:Xing|Info)",
    re.DOTALL,
)
"""A frame of MPEG 1 (stereo, mono) or 2 and 2.5, layer III, without sound, that begins with a header of the length."""
_LONGEST_XING = 4 + 32 + 4  # bytes
_HAS_FRAMES, _HAS_BYTES, _HAS_TABLE, _HAS_QUALITY = 1, 2, 4, 8  # flags of a Xing header
_TABLE = 100  # bytes
_TO_DELAYS = 21  # bytes from the encoder's name to the 12 bits of its delay and the 12 of its padding


@dataclass(frozen=True)
class Xing:
    """What a Xing or Info header counts.

    Attributes:
        start: bytes in the file before it.
        size: bytes of the sound from there on, if it says so.
        samples: of each channel, without the encoder's delay and padding, if it says so.
    """

    start: int
    size: int | None
    samples: int | None


def is_truncated(path: Path, samples: int = 0) -> bool:
    """Return whether the end of a file is missing.

    In a WAV file a RIFF chunk (Microsoft and IBM, 1991) then ends past the end of the file; sizes that stand for an
    unknown length (`known_size`) say nothing. In an Ogg file (RFC 3533) the last page does not end the stream, and in
    an MP3 file a Xing or Info header (as LAME writes it) counts more bytes than there are. Files of other formats, and
    MP3 files without such a header, count as complete.

    Args:
        path: the file.
        samples: that were decoded, of each channel; where an MP3 file has all that it counts, though more bytes are
            missing than a frame has, its header is wrong.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _riff_truncated(path)
    if head[:4] == b"OggS":
        return _ogg_truncated(path)
    return _may_be_mp3(head) and _mp3_truncated(path, samples)


def known_size(field: int) -> int:
    """Return the size that a RIFF chunk gives, bytes; 0 where it was unknown when the header was written."""
    return 0 if any(low <= field <= high for low, high in _STREAMED) else field


def is_streamed(path: Path) -> bool:
    """Whether a WAV file's length was unknown when its header was written."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WAVE" and not _known(head[4:8])


def _riff_truncated(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        if _known(file.read(12)[4:8]) > size:  # 8 more than it may be: some writers count the chunk's header
            return True
        while len(chunk := file.read(8)) == 8:
            length = _known(chunk[4:])
            if chunk[:4] == b"data":
                return file.tell() + length > size
            file.seek(length + length % 2, 1)
    return False


def _known(field: bytes) -> int:
    return known_size(int.from_bytes(field, "little"))


def _ogg_truncated(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 2 * _PAGE))
        tail = file.read()
    # A page has a header of 27 bytes, which ends with the number of segments, then their lengths, then their bytes.
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    body = sum(page[27 : 27 + page[26]])
    return not page[5] & _END_OF_STREAM or len(page) < 27 + page[26] + body


def _mp3_truncated(path: Path, samples: int) -> bool:
    header = read_xing(path)
    if header is None or header.size is None:
        return False
    missing = header.start + header.size - path.stat().st_size
    return missing > 0 and (missing <= _FRAME or header.samples is None or samples < header.samples)


def read_xing(path: Path) -> Xing | None:
    """Read the header of an MP3 file; return `None` where it has none."""
    with path.open("rb") as file:
        head = file.read(10)
        start = 10 + _synchsafe(head[6:]) if head[:3] == b"ID3" else 0
        file.seek(start)
        frame = file.read(256)
    place = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if place < 0 or len(frame) < place + 16:
        return None
    flags, *counts = struct.unpack(">III", frame[place + 4 : place + 16])
    # The number of bytes follows the number of frames, which is optional, too.
    frames = counts.pop(0) if flags & _HAS_FRAMES else None
    size = counts.pop(0) if flags & _HAS_BYTES else None
    after = (
        place
        + 8
        + sum(
            length
            for flag, length in ((_HAS_FRAMES, 4), (_HAS_BYTES, 4), (_HAS_TABLE, _TABLE), (_HAS_QUALITY, 4))
            if flags & flag
        )
    )
    samples = None if frames is None else frames * _samples_of_frame(frame) - _delays(frame[after:])
    return Xing(start, size, samples)


def _samples_of_frame(frame: bytes) -> int:
    """Return 1,152 for MPEG 1, layer III, 576 for its versions of lower sample rates."""
    return 1152 if frame[1] & 0x08 else 576


def _delays(rest: bytes) -> int:
    """Return the samples of an encoder's delay and padding; 0 where it does not give them."""
    delays = rest[_TO_DELAYS : _TO_DELAYS + 3]
    if not rest[:4].strip(b"\0") or len(delays) < 3:
        return 0
    both = int.from_bytes(delays, "big")
    return (both >> 12) + (both & 0xFFF)


def _synchsafe(field: bytes) -> int:
    """Read a number of which each byte holds 7 bits (ID3v2)."""
    return sum(byte << 7 * place for place, byte in enumerate(reversed(field)))


def links(path: Path) -> list[tuple[int, int]]:
    """Return where the streams of a file that holds several, one after another, begin and end, in bytes.

    Ogg files may be chained (RFC 3533). MP3 files that are put together have the Xing or Info headers of each.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        starts = _ogg_starts(file) if head == b"OggS" else _mp3_starts(file) if _may_be_mp3(head) else []
        return list(pairwise([0, *starts, size]))


def is_lossy(path: Path) -> bool:
    """Whether a file begins as an Ogg or MP3 file does."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":  # some put such a tag in front of a FLAC file
            file.seek(10 + _synchsafe(head[6:]))
            return file.read(4) != b"fLaC"
    return head[:4] == b"OggS" or head[:1] == b"\xff"


def _may_be_mp3(head: bytes) -> bool:
    return head[:3] == b"ID3" or head[:1] == b"\xff"


def _ogg_starts(file: BinaryIO) -> Iterator[int]:
    """Yield the places of pages that begin a stream after pages that do not."""
    place, begins = 0, True
    while True:
        file.seek(place)
        page = file.read(_PAGE_HEADER)
        if page[:4] != b"OggS" or len(page) < 27:
            return
        if page[5] & _BEGINS and not begins:
            yield place
        begins = bool(page[5] & _BEGINS)
        place += 27 + page[26] + sum(page[27 : 27 + page[26]])


def _mp3_starts(file: BinaryIO) -> Iterator[int]:
    """Yield the places of the frames that hold a Xing or Info header, but for the first of them."""
    place, overlap, found = 0, b"", 0
    file.seek(0)
    while chunk := file.read(2**20):
        content = overlap + chunk
        for match in _XING.finditer(content):
            if match.end() > len(overlap):  # else it was found with the chunk before
                found += 1
                if found > 1:
                    yield place - len(overlap) + match.start()
        place, overlap = place + len(chunk), content[1 - _LONGEST_XING :]
