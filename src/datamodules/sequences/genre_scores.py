"""Genres of music21's scores, all played by one instrument: nothing is downloaded."""

import functools
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from src.audio import fluid
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.installed import find_soundfont
from src.datamodules.contact_sheet import named
from src.datamodules.options import Soundfont
from src.datamodules.sequences.audio_maker import frames_of_clip
from src.datamodules.sequences.base import SequenceDataModule, SequenceOptions
from src.datamodules.sequences.corpus import GENRES, CorpusPiece, corpus_folder, draw_pieces
from src.datamodules.sequences.export import write_sound
from src.datamodules.sequences.score_maker import LEVEL, ScoreClips
from src.fingerprint import content_hash
from src.preparation.inputs import files_hash
from src.rules import number, seconds, some_of, whole
from src.splitting.recording import Recording

_LIBRARIES = ("music21", "librosa", "numpy", "scipy")


class GenreScores(SequenceDataModule):
    """Clips of scores of eight kinds of music, from Bach's chorales to Chinese songs.

    Of what, `src.datamodules.sequences.corpus` says. Neither timbre nor loudness, length or tempo marks tell the genre:
    see `src.datamodules.sequences.score_maker`. What is of one work, such as the movements of a mass or a quartet, or
    has one tune or title, stays on one side of the split.

    Args:
        genres: two or more keys of `src.datamodules.sequences.corpus.GENRES`.
        clips_per_genre: that many, one a piece where there are enough pieces, else as many of each as it takes, one
            after another; >= 1.
        seed: draws the pieces, and divides them.
        soundfont: path, or name of an installed one.
        program: General MIDI program, 0..127.
        bpm: beats a minute, 10..400.
        clip_seconds: length of a clip.
        options: see `SequenceOptions`; without `max_frames` all of the clip is kept, of beats 4.3 a second as
            published.

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
        """Return the frames of a clip; of beats 4.3 a second, as published."""
        return frames_of_clip(self.options.clip_seconds, beat_sync=self.beat_sync)

    def check(self) -> None:
        """Refuse a missing library, soundfont or program, and a full disk.

        Raises:
            UserError: one of those; the message says how to get it.
        """
        corpus_folder()
        fluid.functions()
        check_programs(find_soundfont(self.soundfont), [self.program])
        super().check()

    @property
    def drawn_by(self) -> tuple[str, ...]:
        """What draws the pieces, and divides them."""
        return (*super().drawn_by, "clips_per_genre")

    @property
    def remedy(self) -> str:
        """What can be done where a part has no clip."""
        return "choose a greater data.clips_per_genre, or other shares (data.split)"

    def resolved(self) -> dict[str, Any]:
        """Give the soundfont as a full path, and the number of frames that are kept."""
        return {**super().resolved(), "soundfont": str(find_soundfont(self.soundfont))}

    def items(self) -> list[Recording]:
        """List the clips of each genre.

        Raises:
            UserError: music21 is not installed.
        """
        return [
            Recording(path=_name(piece, number), labels=(genre,), group=f"{genre}: {piece.group}")
            for genre, piece, number in self._clips
        ]

    def maker(self) -> ScoreClips:
        """Give what makes the features of a clip."""
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
        """Give how clips are played, hashes of scores and soundfont, and the versions of what reads and plays them."""
        paths = sorted({piece.path for _, piece, _ in self._clips})
        return {
            "scores": files_hash(corpus_folder(), paths, self.cache_dir / "scores.json"),
            "soundfont": content_hash(find_soundfont(self.soundfont), self.cache_dir / "soundfonts.json"),
            "program": self.program,
            "bpm": self.bpm,
            "clip_seconds": self.clip_seconds,
            "fluidsynth": fluid.version(),
            "versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        }

    def write_item(self, number: int, stem: Path) -> None:
        """Write the picture, the sound and the notes of a clip.

        Args:
            number: in the list of all.
            stem: path without suffix.
        """
        super().write_item(number, stem)
        make = self.maker()
        write_sound(stem, make.sound(number))
        make.midi(number).save(named(stem, ".mid"))

    @functools.cached_property
    def _clips(self) -> list[tuple[str, CorpusPiece, int]]:
        """Genre, piece and number of each clip."""
        folder, most = corpus_folder(), self.clips_per_genre
        drawn = {genre: draw_pieces(folder, genre, most, self.seed) for genre in self.classes}
        return [
            (genre, piece, number)
            for genre, pieces in drawn.items()
            for place, piece in enumerate(pieces)
            for number in range(most // len(pieces) + (place < most % len(pieces)))
        ]


def _name(piece: CorpusPiece, number: int) -> str:
    tune = f" tune {piece.tune}" if piece.tune else ""
    return f"{piece.path}{tune} clip {number + 1}"
