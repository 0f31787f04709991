"""NSynth: single notes of 1,006 instruments, by family or by instrument."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.recordings.published import Published, PublishedOptions
from src.errors import UserError, one_line, wrong_json
from src.paths import inside
from src.preparation.card import Card, Part
from src.rules import one_of
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS
from src.words import is_text

FAMILIES = (
    "bass",
    "brass",
    "flute",
    "guitar",
    "keyboard",
    "mallet",
    "organ",
    "reed",
    "string",
    "synth_lead",
    "vocal",
)
FOLDERS = {"train": "nsynth-train", "val": "nsynth-valid", "test": "nsynth-test"}
PUBLISHED = {"nsynth-train": 289_205, "nsynth-valid": 12_678, "nsynth-test": 4_096}
"""Notes in each folder."""
_KEYS = ("instrument_family_str", "instrument_str", "pitch")
Note = tuple[str, str, int]
"""Family, instrument, pitch (MIDI)."""


class NSynth(Published):
    """Notes of 4 s at 16 kHz, mono.

    In the published split no instrument of `train` occurs in `val` or `test`, so only families can be recognised. To
    recognise instruments, the notes of nsynth-train are split; then all velocities of one pitch of an instrument stay
    in one split.

    Args:
        label: `family` or `instrument`.
        split_by: `own`, the published split, or `note`, a split of the notes of nsynth-train.
        split: share of each split in the notes, for `note`.
        options: see `PublishedOptions`.

    Raises:
        UserError: an option lies outside its range, or the split does not allow the label.
    """

    name = "nsynth"
    target = "multiclass"
    card = Card(
        name="NSynth",
        url="https://magenta.tensorflow.org/datasets/nsynth",
        size="25 GB",
        licence="CC BY 4.0",
        citation=(
            "J. Engel, C. Resnick, A. Roberts, S. Dieleman, D. Eck, K. Simonyan, M. Norouzi: Neural Audio Synthesis "
            "of Musical Notes with WaveNet Autoencoders, ICML 2017"
        ),
        layout="nsynth-train, nsynth-valid and nsynth-test, each with examples.json and audio",
    )

    class Options(PublishedOptions):
        """See `NSynth`."""

        label: Annotated[str, one_of("family", "instrument")]
        split_by: Annotated[str, one_of("own", "note")]

        def check(self) -> None:
            """Check that instruments are not to be recognised in the published split.

            Raises:
                UserError: they are; no instrument of its training split is in the others.
            """
            if (self.label, self.split_by) == ("instrument", "own"):
                raise UserError(
                    "data.label=instrument: no instrument of nsynth-train is in nsynth-valid or nsynth-test; split "
                    "the notes of nsynth-train with data.split_by=note"
                )

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.label, self.split_by, self.classes = self.options.label, self.options.split_by, FAMILIES
        if self.split_by == "own":
            self.seed = self.shares = None
        if self.label == "instrument" and self.root is not None and self.root.is_dir():
            notes = _notes(self._table("train"))
            self.classes = tuple(sorted({instrument for _, instrument, _ in notes.values()}))

    def check(self) -> None:
        """Check that folder and tables exist.

        Raises:
            UserError: one is missing; the message says where to get the data.
        """
        super().check()
        for split in self._splits():
            self._table(split)

    def found(self, listed: Sequence[Recording]) -> list[Part]:
        """Return how many notes of each folder that is used were published, and how many of them its table has."""
        found = Counter(item.path.partition("/")[0] for item in listed)
        folders = [FOLDERS[split] for split in self._splits()]
        return [Part(folder, found[folder], PUBLISHED[folder]) for folder in folders]

    def listed(self) -> list[Recording]:
        """Return the notes of all splits.

        Raises:
            UserError: a folder is missing.
        """
        return [
            self._recording(split, name, note)
            for split in self._splits()
            for name, note in _notes(self._table(split)).items()
        ]

    def _splits(self) -> tuple[str, ...]:
        return ("train",) if self.split_by == "note" else SPLITS

    def _table(self, split: str) -> Path:
        table = self.folder_of_data() / FOLDERS[split] / "examples.json"
        if not table.is_file():
            raise UserError(f"{table} does not exist; get NSynth (json and wav) from {self.card.url}")
        return table

    def _recording(self, split: str, name: str, note: Note) -> Recording:
        family, instrument, pitch = note
        path = f"{FOLDERS[split]}/audio/{name}.wav"
        published = self.split_by == "own"
        return Recording(
            path=path,
            labels=(family if self.label == "family" else instrument,),
            group=name if published else f"{instrument} {pitch}",
            split=split if published else None,
            problem=_problem(self.folder_of_data(), path),
        )


def _problem(root: Path, path: str) -> str:
    try:
        inside(root, path)
    except UserError as error:
        return str(error)
    return ""


def _notes(table: Path) -> dict[str, Note]:
    """Read family, instrument and pitch of each note of `examples.json`.

    Raises:
        UserError: the table is damaged.
    """
    try:
        with table.open(encoding="utf-8") as file:
            notes = json.load(file, object_hook=_kept)
    except (ValueError, RecursionError) as error:  # not UTF-8, a number too long, too deep
        raise UserError(f"{table} is damaged ({wrong_json(error)}); get it again") from error
    if not isinstance(notes, dict):
        raise UserError(f"{table} is damaged (it holds no notes by name); get it again")
    wrong = next((name for name, note in notes.items() if not (is_text(name) and _is_note(note))), None)
    if wrong is not None:
        raise UserError(f"{table} is damaged ({one_line(wrong)} has no {', '.join(_KEYS)}); get it again")
    return notes


def _kept(values: dict[str, Any]) -> Any:
    """Keep only the needed keys of a note: the whole table of 290,000 notes would fill half a gigabyte."""
    return tuple(values[key] for key in _KEYS) if values.keys() >= set(_KEYS) else values


def _is_note(note: Any) -> bool:
    if not isinstance(note, tuple) or [type(value) for value in note] != [str, str, int]:
        return False
    return is_text(note[0]) and is_text(note[1])
