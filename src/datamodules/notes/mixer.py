"""Mixtures of single notes, each determined by its number alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from src.audio.speed import at_speed, speed
from src.datamodules.notes.makers import FULL_SCALE
from src.datamodules.notes.store import NoteStore
from src.options import Options
from src.rules import Rule, each, flag, number, one_of, pair, whole

LEVELS = ("recorded", "equal")
_DRAWS = 4  # for each source: which note, where it is cut, its gain, its speed


_SOURCES = each(whole(1))
N_SOURCES = Rule(
    "one or several whole numbers from 1",
    lambda key, value: (whole(1).read(key, value),) if isinstance(value, int) else _SOURCES.read(key, value),
)
GAIN_DB = pair(number(-60, 60, of="a number of dB"))
DETUNE = number(0, 12, of="a number of semitones")


class MixtureOptions(Options):
    """How notes are mixed.

    Args:
        n_sources: number of notes; where there are several numbers, each mixture draws one.
        distinct: whether no instrument occurs twice. Else notes are drawn from all with equal probability, and the
            label is the set of their instruments.
        samples: length of a mixture. A random excerpt of a longer note is taken, a shorter note is followed by silence.
        level: `recorded`, or `equal`: every note has the same root mean square.
        gain_db: lowest and highest gain of a note, dB, drawn uniformly.
        detune: greatest number of semitones by which a note is transposed, up or down, by changing its speed.

    Raises:
        UserError: an option lies outside its range.
    """

    group = "data"

    n_sources: Annotated[tuple[int, ...], N_SOURCES]
    distinct: Annotated[bool, flag]
    samples: int
    level: Annotated[str, one_of(*LEVELS)]
    gain_db: Annotated[tuple[float, float], GAIN_DB]
    detune: Annotated[float, DETUNE]


@dataclass(frozen=True)
class Source:
    """One note of a mixture.

    Args:
        note: its number in the store.
        position: where the excerpt of a longer note begins, 0 (at its beginning) to 1 (as late as possible).
        gain: factor of the amplitude.
        speed: of playback; 1 is as recorded, 2 an octave higher.
    """

    note: int
    position: float
    gain: float
    speed: float


class Mixer:
    """Makes mixtures; it pickles, so worker processes can use it.

    Mixture i depends only on seed, stream and i: all draws come from a counter-based generator (Philox; Salmon et
    al. 2011) whose key is the seed and whose counter is stream and i. Every draw has a fixed position in the sequence,
    so that, for instance, another range of gains does not change which notes are drawn.

    Args:
        store: the sounds.
        classes: the numbers of the notes that may be drawn, by class.
        options: how they are mixed.
        seed: >= 0.
        stream: >= 0, one for each split; mixtures of two streams are independent.
    """

    def __init__(
        self, store: NoteStore, classes: Sequence[np.ndarray], options: MixtureOptions, seed: int, stream: int
    ) -> None:
        self._store, self._classes, self._options = store, tuple(classes), options
        self._seed, self._stream = seed, stream
        self._class_of = {int(note): label for label, notes in enumerate(classes) for note in notes}
        self._all = np.concatenate(self._classes)
        self._opened: tuple[np.ndarray, np.ndarray] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": None}

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Make mixtures.

        Args:
            indices: int64 (B,), their numbers.

        Returns:
            Sounds, float32 (B, samples), and labels, uint8 (B, C).
        """
        sounds = np.zeros((len(indices), self._options.samples), np.float32)
        labels = np.zeros((len(indices), len(self._classes)), np.uint8)
        for row, index in enumerate(indices):
            sources = self.draw(int(index))
            for source in sources:
                self._add(source, sounds[row])
                labels[row, self._class_of[source.note]] = 1
            sounds[row] /= len(sources)
        return sounds, labels

    def marks(self, indices: np.ndarray) -> np.ndarray:
        """Return the labels of mixtures, uint8 (B, C), without making their sounds."""
        labels = np.zeros((len(indices), len(self._classes)), np.uint8)
        for row, index in enumerate(indices):
            labels[row, [self._class_of[source.note] for source in self.draw(int(index))]] = 1
        return labels

    def numbers(self, indices: np.ndarray) -> np.ndarray:
        """Return the numbers of the notes of mixtures, int64 (B, M), padded with −1 where there are fewer than M."""
        numbers = np.full((len(indices), max(self._options.n_sources)), -1, np.int64)
        for row, index in zip(numbers, indices, strict=True):
            drawn = [source.note for source in self.draw(int(index))]
            row[: len(drawn)] = drawn
        return numbers

    def draw(self, index: int) -> list[Source]:
        """Draw the notes of mixture `index`."""
        options, n_classes = self._options, len(self._classes)
        max_sources = max(options.n_sources)
        generator = np.random.Generator(
            np.random.Philox(key=[self._seed, 0], counter=[0, 0, self._stream, index])
        )
        # All draws are made at once, for the most sources that there may be, so that each keeps its position.
        draws = generator.random(1 + n_classes + _DRAWS * max_sources)
        n_sources = options.n_sources[int(draws[0] * len(options.n_sources))]
        order = draws[1 : 1 + n_classes].argsort()
        per_source = draws[1 + n_classes :].reshape(max_sources, _DRAWS)
        return [
            self._source(self._classes[order[number]] if options.distinct else self._all, per_source[number])
            for number in range(n_sources)
        ]

    def _source(self, notes: np.ndarray, draws: np.ndarray) -> Source:
        choice, position, gain, detune = draws.tolist()
        low, high = self._options.gain_db
        return Source(
            note=int(notes[int(choice * len(notes))]),
            position=position,
            gain=10 ** ((low + gain * (high - low)) / 20),
            speed=speed(self._options.detune * (2 * detune - 1)),
        )

    def _add(self, source: Source, mixture: np.ndarray) -> None:
        """Add a note to a mixture (samples,)."""
        sound, length = self._sounds
        # Played faster, more of the note is needed; two samples more for the interpolation at the end.
        wanted = math.ceil(len(mixture) * source.speed) + 2
        start = int(source.position * max(length[source.note] - wanted, 0))
        excerpt = sound[source.note, start : min(start + wanted, length[source.note])].astype(np.float32)
        excerpt = at_speed(excerpt, source.speed)[: len(mixture)]
        scale = source.gain / FULL_SCALE
        if self._options.level == "equal":
            # A root mean square of 0.1; the excerpt is in units of 16-bit samples, so 1.0 guards against silence.
            scale = 0.1 * source.gain / max(float(np.sqrt(np.square(excerpt).mean())), 1.0)
        mixture[: len(excerpt)] += excerpt * np.float32(scale)

    @property
    def _sounds(self) -> tuple[np.ndarray, np.ndarray]:
        if self._opened is None:
            opened = self._store.open()
            self._opened = opened["sound"], np.array(opened["length"])
        return self._opened
