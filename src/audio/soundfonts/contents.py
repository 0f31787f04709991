"""Reads soundfonts: their presets, and the recorded sounds that each preset plays.

Source: SoundFont Technical Specification 2.04, E-mu Systems 2006: RIFF form `sfbk`.
"""

import mmap
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.errors import UserError

_PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("zone", "<u2"), ("rest", "V12")])
_INSTRUMENT = np.dtype([("name", "S20"), ("zone", "<u2")])
_PAIR = np.dtype([("first", "<u2"), ("second", "<u2")])
_SAMPLE = np.dtype(
    [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("rest", "V14"), ("link", "<u2"), ("kind", "<u2")]
)
_PLAYS_INSTRUMENT, _PLAYS_SAMPLE = 41, 53
_ROM, _COMPRESSED = 0x8000, 0x10
_LISTS = (b"INFO", b"sdta", b"pdta")


@dataclass(frozen=True)
class StoredSound:
    """A sound as the file stores it.

    Attributes:
        name: as the file stores it.
        samples: int16 (n,).
    """

    name: str
    samples: np.ndarray


def presets(path: Path) -> set[tuple[int, int]]:
    """Return the (bank, program) pairs that a soundfont has presets for; only the file's index is read.

    Raises:
        UserError: the file is no soundfont, or can't be read.
    """
    with _opened(path) as file:
        return {(int(preset["bank"]), int(preset["program"])) for preset in file.presets}


def check_programs(path: Path, programs: Iterable[int]) -> None:
    """Check that a soundfont has presets for General MIDI programs; only the file's index is read.

    Args:
        path: an `.sf2` or `.sf3` file.
        programs: in 0..127.

    Raises:
        UserError: the file is no soundfont, or a program is missing.
    """
    present = {program for bank, program in presets(path) if bank == 0}
    missing = sorted(set(programs) - present)
    if missing:
        names = ", ".join(f"{program} ({_general_midi_name(program)})" for program in missing)
        raise UserError(
            f"soundfont {path.name} has no program {names}; choose another soundfont, or leave the class out"
        )


def sounds_of(path: Path, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[StoredSound]]:
    """Read the sounds that presets play.

    Args:
        path: an `.sf2` file.
        wanted: (bank, program) pairs; pairs without a preset are left out.

    Raises:
        UserError: the file is no soundfont, or its sounds are compressed (`.sf3`).
    """
    pairs = set(wanted)
    with _opened(path) as file:
        found = {}
        for number, preset in enumerate(file.presets):
            pair = (int(preset["bank"]), int(preset["program"]))
            if pair in pairs:
                found[pair] = [file.sound(sample) for sample in sorted(set(file.samples_of(number)))]
        return found


class _SoundFont:
    """The chunks of a file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if (self._bytes[:4], self._bytes[8:12]) != (b"RIFF", b"sfbk"):
            raise ValueError
        self._chunks = dict(self._walk(12, len(self._bytes)))
        self.presets = self._read(b"phdr", _PRESET)[:-1]  # the last record of each table ends it

    def __enter__(self) -> "_SoundFont":
        return self

    def __exit__(self, *_: object) -> None:
        self._bytes.close()

    def samples_of(self, preset: int) -> Iterator[int]:
        """Yield the indices of the sounds that a preset plays."""
        starts, instruments = self._read(b"phdr", _PRESET)["zone"], self._read(b"inst", _INSTRUMENT)["zone"]
        for instrument in self._named(b"p", starts[preset], starts[preset + 1], _PLAYS_INSTRUMENT):
            yield from self._named(b"i", instruments[instrument], instruments[instrument + 1], _PLAYS_SAMPLE)

    def sound(self, number: int) -> StoredSound:
        """Read the sound with this index."""
        header = self._read(b"shdr", _SAMPLE)[number]
        if header["kind"] & _COMPRESSED:
            raise UserError(
                f"{self.path.name} is compressed, so its sounds cannot be compared with those of other soundfonts; "
                "give the .sf2 file that it was made from"
            )
        start, size = self._chunks[b"smpl"]
        first, last = int(header["start"]), min(int(header["end"]), size // 2)
        if header["kind"] & _ROM:
            first = last = 0
        raw = self._bytes[start + 2 * first : start + 2 * max(first, last)]
        return StoredSound(header["name"].decode("latin1"), np.frombuffer(raw, "<i2"))

    def _named(self, kind: bytes, first: int, last: int, generator: int) -> Iterator[int]:
        """Yield the amounts of a generator in zones first..last-1 of presets (`p`) or instruments (`i`)."""
        bags = self._read(kind + b"bag", _PAIR)["first"]
        generators = self._read(kind + b"gen", _PAIR)[bags[first] : bags[last]]
        yield from map(int, generators["second"][generators["first"] == generator])

    def _read(self, chunk: bytes, records: np.dtype) -> np.ndarray:
        start, size = self._chunks[chunk]
        count = size // records.itemsize
        return np.frombuffer(self._bytes[start : start + count * records.itemsize], records)

    def _walk(self, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
        """Yield each chunk's id, start and size, also of those inside lists."""
        while start + 8 <= end:
            kind, size = struct.unpack("<4sI", self._bytes[start : start + 8])
            inside = min(start + 8 + size, end)
            # A list begins with its kind and contains chunks of its own.
            if kind == b"LIST" and self._bytes[start + 8 : start + 12] in _LISTS:
                yield from self._walk(start + 12, inside)
            else:
                yield kind, (start + 8, inside - start - 8)
            start += 8 + size + size % 2  # chunks are padded to even lengths


@contextmanager
def _opened(path: Path) -> Iterator[_SoundFont]:
    """Open a soundfont; what is raised while it is read says that the file is damaged."""
    try:
        file = _SoundFont(path)
    except (OSError, ValueError, KeyError, RecursionError, struct.error) as error:
        raise UserError(f"{path} is no soundfont; give an .sf2 or .sf3 file") from error
    try:
        with file:
            yield file
    except UserError:
        raise
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UserError(f"{path} is damaged: its index leads out of the file; get it again") from error


def _general_midi_name(program: int) -> str:
    from pretty_midi import program_to_instrument_name  # slow to import, needed for an error only

    return str(program_to_instrument_name(program))
