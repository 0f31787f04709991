"""Finds recordings that several soundfonts share: a model trained on one must not be tested on the other."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np

from src.audio.soundfonts import contents
from src.audio.soundfonts.contents import StoredSound, sounds_of
from src.errors import UserError
from src.fingerprint import code_hash, content_hash, read_json, value_hash, write_json

_WINDOW = 24  # samples; different recordings have no 24 samples in a row in common
_PLACES = (
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
)  # fractions of a sound's length, from which a distinctive window is sought
_STEPS, _STEP = 10, 40
_LEAST_LEVEL, _LEAST_VALUES = 100, 12  # quiet or simple windows agree by chance


@dataclass(frozen=True)
class ClassPresets:
    """The presets of a soundfont that play a class.

    Args:
        name: of the class.
        presets: (bank, program) pairs.
    """

    name: str
    presets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SharedRecording:
    """A recording that two soundfonts contain.

    Args:
        label: the class that plays it in the first soundfont.
        sound: its name in the first soundfont.
    """

    label: str
    sound: str


def shared_recordings(
    first: Path, first_presets: Sequence[ClassPresets], second: Path, second_presets: Sequence[ClassPresets]
) -> list[SharedRecording]:
    """Find the recordings of one soundfont that another one contains, too, sample by sample.

    Five windows of each sound of either soundfont are sought in all sounds of the other. Recordings that were
    amplified, resampled or compressed before they were copied are not found.

    Args:
        first: an `.sf2` file.
        first_presets: by class; only the sounds of these presets are compared.
        second: another `.sf2` file.
        second_presets: likewise.

    Returns:
        Each shared pair of class and sound of the first soundfont, once.

    Raises:
        UserError: a file is no soundfont, or compressed.
    """
    labelled = [(label, sound) for label, sounds in _sounds(first, first_presets).items() for sound in sounds]
    own = [sound for _, sound in labelled]
    others = [sound for sounds in _sounds(second, second_presets).values() for sound in sounds]
    # An excerpt has windows of the whole, but not the other way round: search in both directions.
    found = [labelled[number] for number in _contained(own, others)]
    copied = [others[number] for number in _contained(others, own)]
    found += [(label, sound) for label, sound in labelled if copied and _contained(copied, [sound])]
    return sorted(
        {SharedRecording(label, sound.name.rstrip("\0")) for label, sound in found},
        key=lambda recording: (recording.label, recording.sound),
    )


class Families:
    """Groups soundfonts into families, those that share recordings; comparisons are cached.

    Args:
        memory: a JSON file, the cache.
        hashes: a JSON file that caches the hashes of the soundfonts' contents.
    """

    def __init__(self, memory: Path, hashes: Path) -> None:
        self._memory, self._hashes = memory, hashes

    def shared(
        self,
        first: Path,
        first_presets: Sequence[ClassPresets],
        second: Path,
        second_presets: Sequence[ClassPresets],
    ) -> list[SharedRecording]:
        """Return what `shared_recordings` does, from the cache where it is known."""
        hashes = [content_hash(path, self._hashes) for path in (first, second)]
        code = code_hash([Path(__file__), Path(contents.__file__)], Path(__file__).parent)
        key = value_hash([*hashes, _plain(first_presets), _plain(second_presets), code])
        known = read_json(self._memory) or {}
        if key not in known:
            found = shared_recordings(first, first_presets, second, second_presets)
            known[key] = [vars(recording) for recording in found]
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._memory, known)
        return [SharedRecording(**entry) for entry in known[key]]

    def family(
        self, font: Path, presets: Sequence[ClassPresets], others: Mapping[Path, Sequence[ClassPresets]]
    ) -> dict[Path, list[SharedRecording]]:
        """Return which of some soundfonts share recordings with one, and which recordings; not the soundfont itself.

        Args:
            font: an `.sf2` file.
            presets: by class, as for `shared_recordings`.
            others: the presets of each other soundfont.
        """
        found = {other: self.shared(font, presets, other, others[other]) for other in others if other != font}
        return {other: shared for other, shared in found.items() if shared}

    def check_splits(self, splits: Mapping[str, Mapping[Path, Sequence[ClassPresets]]]) -> None:
        """Refuse soundfonts of different splits that share a recording of some class.

        Args:
            splits: by split, the presets of each soundfont that play the classes.

        Raises:
            UserError: two soundfonts do; the message names them, and what to leave out.
        """
        for (split, fonts), (other_split, other_fonts) in combinations(splits.items(), 2):
            for (font, presets), (other_font, other_presets) in product(fonts.items(), other_fonts.items()):
                if font == other_font:
                    raise UserError(
                        f"soundfont {font.stem} is in {split} and in {other_split}; give each split its own"
                    )
                shared = self.shared(font, presets, other_font, other_presets)
                if shared:
                    raise _same_family(split, font, other_split, other_font, shared)


def _same_family(
    split: str, font: Path, other_split: str, other_font: Path, shared: Sequence[SharedRecording]
) -> UserError:
    classes = sorted({recording.label for recording in shared})
    example = json.dumps(shared[0].sound)
    remedy = (
        f"add these classes to data.leave_out.{font.stem}" if split == "train" else "choose another soundfont"
    )
    return UserError(
        f"soundfonts {font.stem} ({split}) and {other_font.stem} ({other_split}) are of one family: they share "
        f"recordings of {', '.join(classes)} (such as {example}); leave one of them out, or {remedy}"
    )


def _plain(classes: Iterable[ClassPresets]) -> list[object]:
    return [[each.name, [list(preset) for preset in each.presets]] for each in classes]


def _sounds(path: Path, classes: Sequence[ClassPresets]) -> dict[str, list[StoredSound]]:
    found = sounds_of(path, [preset for each in classes for preset in each.presets])
    return {
        each.name: [sound for preset in each.presets for sound in found.get(preset, [])] for each in classes
    }


def _contained(sounds: Sequence[StoredSound], others: Sequence[StoredSound]) -> list[int]:
    """Return the indices of the sounds of which a window occurs in one of the others."""
    windows = [(number, window) for number, sound in enumerate(sounds) for window in _windows(sound.samples)]
    if not windows:
        return []
    owners: dict[bytes, set[int]] = {}
    for number, window in windows:
        owners.setdefault(window.tobytes(), set()).add(number)
    candidates = _Candidates(np.stack([window for _, window in windows]))
    found: set[int] = set()
    for other in others:
        for start in candidates(other.samples):
            found |= owners.get(other.samples[start : start + _WINDOW].tobytes(), set())
    return sorted(found)


class _Candidates:
    """Finds positions where one of many windows may begin, by a table of their first samples: one pass for all.

    Args:
        windows: int16 (n, _WINDOW).
    """

    _CHECKED = 4

    def __init__(self, windows: np.ndarray) -> None:
        self._tables = np.zeros((self._CHECKED, 1 << 16), bool)
        for place, table in enumerate(self._tables):
            table[windows[:, place].view(np.uint16)] = True

    def __call__(self, samples: np.ndarray) -> list[int]:
        """Return the positions in samples, int16 (n,)."""
        values = np.ascontiguousarray(samples).view(np.uint16)
        last = max(len(values) - _WINDOW + 1, 0)
        starts = np.flatnonzero(self._tables[0][values[:last]])
        for place in range(1, self._CHECKED):
            starts = starts[self._tables[place][values[starts + place]]]
        positions: list[int] = starts.tolist()
        return positions


def _windows(samples: np.ndarray) -> list[np.ndarray]:
    """Return windows of a sound that are loud and varied enough to identify it."""
    windows = []
    for place in _PLACES:
        start = int(place * max(len(samples) - _WINDOW, 0))
        for step in range(_STEPS):
            window = samples[start + step * _STEP :][:_WINDOW]
            if len(window) == _WINDOW and _distinctive(window):
                windows.append(window)
                break
    return windows


def _distinctive(window: np.ndarray) -> bool:
    loud = int(np.abs(window.astype(np.int32)).max()) > _LEAST_LEVEL
    return loud and len(np.unique(window)) > _LEAST_VALUES
