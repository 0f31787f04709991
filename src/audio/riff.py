"""Whether a WAV file is as long as its header says; sound libraries read what is there and say nothing."""

import struct
from pathlib import Path

_UNKNOWN = 0xFFFFFFFF  # a size that a stream's writer did not know


def is_cut_off(path: Path) -> bool:
    """Tell whether a RIFF chunk of a WAV file (Microsoft and IBM, 1991) ends past the end of the file.

    Files of other formats, RF64 (EBU 3306) included, count as whole; so do sizes of 0 and 2**32 - 1, which stand
    for a length that was unknown when the header was written.

    Args:
        path: a file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return False
        if _known(head[4:8]) > size:  # 8 bytes of grace: some writers count the chunk's own header
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
