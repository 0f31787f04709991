"""Changes to files as damage and malice make them, each determined by a random generator."""

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, -1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)
TOKENS = (
    b"NaN", b"-1", b"1e400", b"9" * 5_000, b"null", b"true", b"[]", b"{}", b'""', b"\x00", b"\xff\xfe", b'"', b"'",
    b",", b"\n", b"\r\n", b"\t", b"|", b"../" * 20, b"/dev/zero", b"${oc.env:HOME}", b"\\ud800", b"[" * 3_000,
    b'{"a":' * 3_000, b"x" * 140_000, b"\xe2\x80\xa8", b"\x1b[2J", b"=1+1",
)  # fmt: skip


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    """Flip up to 16 bits."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_early(data: bytes, rng: random.Random) -> bytes:
    """Change up to 4 of the first 128 bytes, where most formats have their header."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        changed[rng.randrange(min(128, len(changed)))] = rng.choice(
            (0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))
        )
    return bytes(changed)


def set_number(data: bytes, rng: random.Random) -> bytes:
    """Write a number at the edge of a range over 1, 2 or 4 bytes, in either byte order."""
    kind, mask = rng.choice((("B", 0xFF), ("H", 0xFFFF), ("I", 0xFFFFFFFF)))
    written = struct.pack(rng.choice("<>") + kind, rng.choice(NUMBERS) & mask)
    near = min(len(data), rng.choice((64, 512, len(data))))
    place = rng.randrange(near)
    return data[:place] + written + data[place + len(written) :]


def cut_off(data: bytes, rng: random.Random) -> bytes:
    """Keep the beginning."""
    return data[: rng.randrange(len(data))]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    """Leave out a stretch."""
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 4, 64, 1024)) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    """Repeat a stretch, or the whole."""
    start = rng.randrange(len(data))
    stretch = data[start : start + rng.choice((1, 4, 64, 1024, len(data)))]
    return data[:start] + stretch * rng.choice((2, 2, 3, 64)) + data[start + len(stretch) :]


def insert(data: bytes, rng: random.Random) -> bytes:
    """Insert random bytes."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.choice((1, 2, 8, 256))) + data[start:]


def swap(data: bytes, rng: random.Random) -> bytes:
    """Swap two stretches."""
    size = rng.choice((1, 4, 16))
    first, second = sorted(rng.randrange(len(data)) for _ in range(2))
    one, other = data[first : first + size], data[second : second + size]
    if first + size > second:
        return flip_bits(data, rng)
    return data[:first] + other + data[first + size : second] + one + data[second + size :]


def put_token(data: bytes, rng: random.Random) -> bytes:
    """Put a text that readers of text stumble over in the place of a word, or between two."""
    places = [place for place, byte in enumerate(data) if byte in b' ,:"[]{}\n\t'] or [0]
    start = rng.choice(places)
    end = rng.choice((start, start + 1, min((place for place in places if place > start), default=len(data))))
    return data[:start] + rng.choice(TOKENS) + data[end:]


BINARY: tuple[Mutation, ...] = (
    flip_bits, flip_early, flip_early, set_number, set_number, cut_off, cut_out, repeat, insert, swap
)  # fmt: skip
TEXT: tuple[Mutation, ...] = (
    put_token,
    put_token,
    put_token,
    flip_bits,
    cut_off,
    cut_out,
    repeat,
    insert,
    swap,
)


def within_gzip(data: bytes, rng: random.Random) -> bytes:
    """Change what is compressed, and compress it again: the checksum holds."""
    try:
        content = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):  # changed before
        return flip_bits(data, rng)
    return gzip.compress(rng.choice(BINARY)(content, rng) or b"\0", mtime=0)


def within_zip(data: bytes, rng: random.Random) -> bytes:
    """Change one member of a zip archive, and write the archive again: the checksums hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return flip_bits(data, rng)  # changed before
    chosen = rng.choice([name for name in members if name.endswith("data.pkl")] * 3 + list(members))
    if members[chosen]:
        members[chosen] = rng.choice((*BINARY, put_token))(members[chosen], rng)
    if rng.random() < 0.05:
        del members[chosen]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as changed:
        for name, content in members.items():
            kind = zipfile.ZIP_DEFLATED if rng.random() < 0.02 else zipfile.ZIP_STORED
            changed.writestr(zipfile.ZipInfo(name), content, kind)
    return written.getvalue()


def mutant(seeds: list[bytes], mutations: tuple[Mutation, ...], rng: random.Random) -> bytes:
    """Return a seed with one to three mutations; it is never empty."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(mutations)(data, rng) or b"\0"
    return data
