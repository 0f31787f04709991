"""Recognises truncated sound files, which sound libraries read without a warning."""

import struct
from pathlib import Path

_UNKNOWN = 0xFFFFFFFF  # a size that a stream's writer did not know
_PAGE = 65307  # the most bytes of an Ogg page
_END_OF_STREAM = 4  # flag of the last page
_HAS_FRAMES, _HAS_BYTES = 1, 2  # flags of a Xing header


def is_truncated(path: Path) -> bool:
    """Return whether the end of a file is missing.

    In a WAV file a RIFF chunk (Microsoft and IBM, 1991) then ends past the end of the file; sizes of 0 and 2**32 - 1
    stand for a length that was unknown when the header was written. In an Ogg file (RFC 3533) the last page does not
    end the stream, and in an MP3 file a Xing or Info header (as LAME writes it) counts more bytes than there are.
    Files of other formats, and MP3 files without such a header, count as complete.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _riff_truncated(path)
    if head[:4] == b"OggS":
        return _ogg_truncated(path)
    return (head[:3] == b"ID3" or head[:1] == b"\xff") and _mp3_truncated(path)


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
    (size,) = struct.unpack("<I", field)
    return 0 if size == _UNKNOWN else int(size)


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


def _mp3_truncated(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(10)
        start = 10 + _synchsafe(head[6:]) if head[:3] == b"ID3" else 0
        file.seek(start)
        frame = file.read(64)
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    if place < 0 or len(frame) < place + 16:
        return False
    # The number of bytes follows the number of frames, which is optional, too.
    flags, first, second = struct.unpack(">III", frame[place + 4 : place + 16])
    if not flags & _HAS_BYTES:
        return False
    return bool(start + (second if flags & _HAS_FRAMES else first) > path.stat().st_size)


def _synchsafe(field: bytes) -> int:
    """Read a number of which each byte holds 7 bits (ID3v2)."""
    return sum(byte << 7 * place for place, byte in enumerate(reversed(field)))
