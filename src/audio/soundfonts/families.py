"""Soundfonts that share recordings: a model that is trained on one and tested on the other has heard it before."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.audio.soundfonts import contents
from src.audio.soundfonts.contents import StoredSound, sounds_of
from src.errors import UserError
from src.fingerprint import code_hash, content_hash, read_json, value_hash, write_json

_WINDOW = 24  # samples; two recordings have no 24 in a row alike
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a sound, where windows are sought that say something
_STEPS, _STEP = 10, 40
_LEAST_LEVEL, _LEAST_VALUES = 100, 12  # quiet or plain windows are alike by chance


@dataclass(frozen=True)
class Player:
    """What plays a class in a soundfont.

    Args:
        name: of the class.
        presets: (bank, program) pairs.
    """

    name: str
    presets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Shared:
    """A recording that lies in two soundfonts.

    Args:
        player: the class that it plays in the first.
        sound: its name there.
    """

    player: str
    sound: str


def shared_sounds(one: Path, its: Sequence[Player], other: Path, others: Sequence[Player]) -> list[Shared]:
    """Find the recordings of one soundfont that another holds too, sample by sample.

    Five windows of each sound are sought in all sounds of the other, and the other way round. What was made
    louder, resampled or compressed before it was copied is not found.

    Args:
        one: an `.sf2` file.
        its: what plays the classes there; only these presets' sounds are compared.
        other: another.
        others: likewise.

    Returns:
        Each class and sound of `one` once.

    Raises:
        UserError: a file is no soundfont, or compressed.
    """
    here = [(name, sound) for name, sounds in _sounds(one, its).items() for sound in sounds]
    there = [sound for sounds in _sounds(other, others).values() for sound in sounds]
    ours = [sound for _, sound in here]
    found = [here[number] for number in _held(ours, there)]
    copied = [there[number] for number in _held(there, ours)]
    found += [each for each in here if copied and _held(copied, [each[1]])]
    return sorted(
        {Shared(name, sound.name.rstrip("\0")) for name, sound in found}, key=lambda it: (it.player, it.sound)
    )


class Families:
    """Says which soundfonts share what, and remembers it.

    Args:
        memory: a JSON file.
        hashes: a JSON file with the hashes of contents.
    """

    def __init__(self, memory: Path, hashes: Path) -> None:
        self._memory, self._hashes = memory, hashes

    def shared(self, one: Path, its: Sequence[Player], other: Path, others: Sequence[Player]) -> list[Shared]:
        """See `shared_sounds`."""
        hashes = [content_hash(path, self._hashes) for path in (one, other)]
        code = code_hash([Path(__file__), Path(contents.__file__)], Path(__file__).parent)
        key = value_hash([*hashes, _plain(its), _plain(others), code])
        known = read_json(self._memory) or {}
        if key not in known:
            known[key] = [vars(shared) for shared in shared_sounds(one, its, other, others)]
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._memory, known)
        return [Shared(**entry) for entry in known[key]]

    def check_roles(self, roles: Mapping[str, Mapping[Path, Sequence[Player]]]) -> None:
        """Refuse soundfonts of different roles that share a recording of some class.

        Args:
            roles: by role (such as `train`, `val` and `test`) what plays the classes in each soundfont.

        Raises:
            UserError: there are such; the message names them, and what to leave out.
        """
        names = list(roles)
        for position, role in enumerate(names):
            for later in names[position + 1 :]:
                for one, its in roles[role].items():
                    for other, others in roles[later].items():
                        self._check_pair(role, one, its, later, other, others)

    def _check_pair(
        self, role: str, one: Path, its: Sequence[Player], later: str, other: Path, others: Sequence[Player]
    ) -> None:
        if one == other:
            raise UserError(f"soundfont {one.stem} is in {role} and in {later}; give each part others")
        shared = self.shared(one, its, other, others)
        if shared:
            classes = sorted({each.player for each in shared})
            example = json.dumps(shared[0].sound)
            remedy = (
                f"add these classes to those that data.leave_out.{one.stem} names"
                if role == "train"
                else "take another"
            )
            raise UserError(
                f"soundfonts {one.stem} ({role}) and {other.stem} ({later}) are of one family: recordings of "
                f"{', '.join(classes)} lie in both (such as {example}); take one of them out, or {remedy}"
            )


def _plain(players: Iterable[Player]) -> list[object]:
    return [[player.name, [list(preset) for preset in player.presets]] for player in players]


def _sounds(path: Path, players: Sequence[Player]) -> dict[str, list[StoredSound]]:
    found = sounds_of(path, [preset for player in players for preset in player.presets])
    return {
        player.name: [sound for preset in player.presets for sound in found.get(preset, [])]
        for player in players
    }


def _held(sounds: Sequence[StoredSound], others: Sequence[StoredSound]) -> list[int]:
    """Give the numbers of the sounds of which a window lies in one of the others."""
    windows = [(number, window) for number, sound in enumerate(sounds) for window in _windows(sound.samples)]
    if not windows:
        return []
    owners: dict[bytes, set[int]] = {}
    for number, window in windows:
        owners.setdefault(window.tobytes(), set()).add(number)
    begins = _Beginnings(np.stack([window for _, window in windows]))
    found: set[int] = set()
    for other in others:
        for start in begins(other.samples):
            found |= owners.get(other.samples[start : start + _WINDOW].tobytes(), set())
    return sorted(found)


class _Beginnings:
    """Finds where one of many windows may begin, by a table of what their first samples are: one pass for all.

    Args:
        windows: int16 (n, _WINDOW).
    """

    _CHECKED = 4

    def __init__(self, windows: np.ndarray) -> None:
        self._tables = np.zeros((self._CHECKED, 1 << 16), bool)
        for place, table in enumerate(self._tables):
            table[windows[:, place].view(np.uint16)] = True

    def __call__(self, samples: np.ndarray) -> list[int]:
        """Give the positions in int16 (n,)."""
        values = np.ascontiguousarray(samples).view(np.uint16)
        last = max(len(values) - _WINDOW + 1, 0)
        starts = np.flatnonzero(self._tables[0][values[:last]])
        for place in range(1, self._CHECKED):
            starts = starts[self._tables[place][values[starts + place]]]
        positions: list[int] = starts.tolist()
        return positions


def _windows(samples: np.ndarray) -> list[np.ndarray]:
    """Give windows of a sound that are loud and varied enough to tell it from others."""
    windows = []
    for place in _PLACES:
        start = int(place * max(len(samples) - _WINDOW, 0))
        for step in range(_STEPS):
            window = samples[start + step * _STEP :][:_WINDOW]
            if len(window) == _WINDOW and _telling(window):
                windows.append(window)
                break
    return windows


def _telling(window: np.ndarray) -> bool:
    loud = int(np.abs(window.astype(np.int32)).max()) > _LEAST_LEVEL
    return loud and len(np.unique(window)) > _LEAST_VALUES
