"""Soundfonts with an index and no sound."""

import struct
from pathlib import Path


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def soundfont(path: Path, programs: list[tuple[int, int]]) -> Path:
    """A file with the index of a soundfont and no sound."""
    records = [struct.pack("<20sHHHIII", b"x", program, bank, 0, 0, 0, 0) for bank, program in programs]
    headers = chunk(b"phdr", b"".join([*records, struct.pack("<20sHHHIII", b"EOP", 0, 0, 0, 0, 0, 0)]))
    info, sound = (
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"odd")),
        chunk(b"LIST", b"sdta" + chunk(b"smpl", b"\0" * 7)),
    )
    path.write_bytes(chunk(b"RIFF", b"sfbk" + info + sound + chunk(b"LIST", b"pdta" + headers)))
    return path
