"""Where notes come from: recordings that a table describes, or soundfonts that play the same."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from src.audio import fluid
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.installed import find_soundfont
from src.audio.synthesis import check_sample_rate
from src.datamodules.notes.makers import Maker, RecordedNotes, RenderedNotes
from src.datamodules.notes.note import Note
from src.datamodules.notes.soundfont_notes import instruments, soundfont_notes
from src.datamodules.notes.tinysol_table import CARD, read_table, sounds_folder
from src.errors import UserError
from src.fingerprint import content_hash


@dataclass(frozen=True)
class Recorded:
    """Files below a folder, described by a table like TinySOL's.

    Args:
        root: the data set's folder, or `None` where none was named.
    """

    root: str | Path | None

    def folder(self) -> Path:
        """Give the folder.

        Raises:
            UserError: it is not named or not there; the message says where to get TinySOL.
        """
        root = None if self.root is None else Path(self.root).expanduser().resolve()
        if root is None or not root.is_dir():
            raise CARD.missing(root)
        return root

    def check(self, sample_rate: int) -> None:
        """Refuse a missing folder.

        Raises:
            UserError: it is not there.
        """
        self.folder()

    def listed(self, sample_rate: int, samples: int) -> tuple[list[Note], Maker]:
        """List the notes of the table, and give what reads their sounds.

        Args:
            sample_rate: wanted, Hz.
            samples: what is kept of each note.
        """
        root = self.folder()
        notes = read_table(root)
        paths = tuple(note.name for note in notes)
        return notes, RecordedNotes(sounds_folder(root), paths, sample_rate, samples)

    def recipe(self, memory: Path) -> dict[str, Any]:
        """Give what determines the sounds; `memory` remembers hashes of files."""
        return {
            "root": content_hash(sounds_folder(self.folder()), memory),
            "libsndfile": soundfile.__libsndfile_version__,
            "soxr": importlib.metadata.version("soxr"),
        }

    def resolved(self) -> dict[str, Any]:
        """Give the folder as a full path; what has no effect is null."""
        return {"root": str(self.folder()), "soundfonts": None}


@dataclass(frozen=True)
class Played:
    """The pitches of some instruments, played by soundfonts.

    Args:
        soundfonts: paths or known names; each plays every note.
        instruments: name, General MIDI program and range of each.
        velocities: MIDI velocity by dynamics.
        held_seconds: how long a key is held.
        effects: the synthesiser's reverberation and chorus.
    """

    soundfonts: tuple[str, ...]
    instruments: Sequence[Mapping[str, Any]]
    velocities: Mapping[str, int]
    held_seconds: float
    effects: bool

    def fonts(self) -> list[Path]:
        """Find the soundfonts.

        Raises:
            UserError: none is named, or one is not here.
        """
        if not self.soundfonts:
            raise UserError("data.soundfonts is empty: name at least one, such as TimGM6mb")
        return [find_soundfont(name) for name in self.soundfonts]

    def check(self, sample_rate: int) -> None:
        """Refuse a missing library, soundfont or program.

        Raises:
            UserError: one of those; the message says how to get it.
        """
        fluid.functions()
        check_sample_rate(sample_rate)
        for font in self.fonts():
            check_programs(font, [entry.program for entry in instruments(self.instruments)])

    def listed(self, sample_rate: int, samples: int) -> tuple[list[Note], Maker]:
        """List the notes, of each soundfont after another, and give what plays them.

        Args:
            sample_rate: wanted, Hz.
            samples: what is kept of each note.
        """
        notes, played = soundfont_notes(instruments(self.instruments), self.velocities)
        fonts = self.fonts()
        with_font = tuple((font, *how) for font in fonts for how in played)
        maker = RenderedNotes(with_font, sample_rate, samples, self.held_seconds, self.effects)
        return notes * len(fonts), maker

    def recipe(self, memory: Path) -> dict[str, Any]:
        """Give what determines the sounds; `memory` remembers hashes of files."""
        return {
            "instruments": [dict(entry) for entry in self.instruments],
            "velocities": dict(self.velocities),
            "held_seconds": self.held_seconds,
            "effects": self.effects,
            "soundfonts": [content_hash(font, memory) for font in self.fonts()],
            "fluidsynth": fluid.version(),
        }

    def resolved(self) -> dict[str, Any]:
        """Give the soundfonts as full paths; what has no effect is null."""
        return {"root": None, "soundfonts": [str(font) for font in self.fonts()]}
