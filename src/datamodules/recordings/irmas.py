"""IRMAS: predominant instruments in recordings of many genres."""

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.recordings.published import Published, PublishedOptions
from src.errors import UserError
from src.paths import visible_files
from src.preparation.card import Card, Part
from src.rules import some_of
from src.splitting.recording import Recording
from src.splitting.splits import shares

CLASSES = ("cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi")
"""Cello, clarinet, flute, acoustic and electric guitar, organ, piano, saxophone, trumpet, violin, voice."""

TRAINING = "IRMAS-TrainingData"
PARTS = (1, 2, 3)
PUBLISHED = {
    TRAINING: 6705,
    "IRMAS-TestingData-Part1": 807,
    "IRMAS-TestingData-Part2": 1301,
    "IRMAS-TestingData-Part3": 766,
}
"""Excerpts of the training data and of each part of the test data."""

_TAGS = re.compile(r"\[([^\[\]]*)\]")
_EXCERPT = re.compile(r"(\d+)__\d+$")  # recording, then number of the excerpt
_NUMBER = re.compile(r"-\d+$")


class Irmas(Published):
    """Excerpts of 3 s with one predominant instrument for training, of 5 to 20 s with one or more for the test.

    Excerpts of one recording stay together: `[gel][dru][pop_roc]0829__1.wav` belongs to recording 0829. The label of a
    test excerpt is a text file beside it with one class a line.

    Args:
        parts: of the test data, some of 1, 2 and 3.
        options: see `PublishedOptions`; `split` is the share of the training recordings used for validation.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "irmas"
    target = "multilabel"
    classes = CLASSES
    card = Card(
        name="IRMAS",
        url="https://zenodo.org/records/1290750",
        size="10 GB in four zip files",
        licence="CC BY-NC-SA 3.0, no commercial use",
        citation=(
            "J. J. Bosch, J. Janer, F. Fuhrmann, P. Herrera: A Comparison of Sound Segregation Techniques for "
            "Predominant Instrument Recognition in Musical Audio Signals, ISMIR 2012"
        ),
        layout="IRMAS-TrainingData and IRMAS-TestingData-Part1, -Part2 and -Part3",
        mirdata="irmas",
    )
    remedy = "choose the parts that are there with data.parts, "

    class Options(PublishedOptions):
        """See `Irmas`."""

        parts: Annotated[tuple[int, ...], some_of(*PARTS)]
        split: Annotated[Mapping[str, float] | None, shares(("val",))]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.parts = sorted(self.options.parts)

    def check(self) -> None:
        """Check that the folder has the training data and the chosen parts of the test data.

        Raises:
            UserError: it has not; the message says where to get the data.
        """
        self.recordings()

    def listed(self) -> list[Recording]:
        """Return the training excerpts, then the test excerpts of the chosen parts.

        Raises:
            UserError: the training data or all chosen parts of the test data are missing.
        """
        root, files = self.folder_of_data(), self._files
        training = [_training_excerpt(root, file) for file in files[TRAINING]]
        return training + [_test_excerpt(root, file) for part in self.parts for file in files[_folder(part)]]

    def found(self, listed: Sequence[Recording]) -> list[Part]:
        """Return how many excerpts of the training data and of each chosen part were published, and are there."""
        return [Part(folder, len(files), PUBLISHED[folder]) for folder, files in self._files.items()]

    @functools.cached_property
    def _files(self) -> dict[str, list[Path]]:
        """The sound files of the training data and of the chosen parts of the test data, by the parts' folders."""
        root = self.folder_of_data()
        training = [file for file in _sounds(root / TRAINING) if len(file.relative_to(root).parts) == 3]
        if not training:
            raise UserError(f"{root} has no WAV files in {TRAINING}/<class>; get them from {self.card.url}")
        tests = {_folder(part): _part_files(root, part) for part in self.parts}
        if not any(tests.values()):
            raise UserError(f"{root}: {_folder(self.parts[0])} is missing; get it from {self.card.url}")
        return {TRAINING: training, **tests}


def _folder(part: int) -> str:
    return f"IRMAS-TestingData-Part{part}"


def _part_files(root: Path, part: int) -> list[Path]:
    """Return the sound files of a part: of its own folder, as mirdata makes it, or of what its zip file holds."""
    places = (_folder(part), f"Part{part}", f"IRTestingData-Part{part}")
    return [file for place in places for file in _sounds(root / place)]


def _sounds(folder: Path) -> list[Path]:
    return [folder / file for file in visible_files(folder) if file.suffix.lower() == ".wav"]


def _training_excerpt(root: Path, file: Path) -> Recording:
    tags, folder = _TAGS.findall(file.stem), file.parent.name
    label = next((tag for tag in tags if tag in CLASSES), None)
    number = _EXCERPT.search(file.stem)
    group = number[1] if number else file.stem
    problem = "" if label == folder else f"is named [{label}] but lies in the folder {folder}"
    path = file.relative_to(root).as_posix()
    return Recording(path=path, labels=(label or folder,), group=f"recording {group}", problem=problem)


def _test_excerpt(root: Path, file: Path) -> Recording:
    song = _NUMBER.sub("", file.stem)
    labels, problem = _labels(file.with_suffix(".txt"))
    return Recording(
        path=file.relative_to(root).as_posix(),
        labels=labels,
        group=f"song {song}",
        split="test",
        problem=problem,
    )


def _labels(file: Path) -> tuple[tuple[str, ...], str]:
    """Return the labels of a label file in order, each once, and the problem with the file, if any."""
    if not file.is_file():
        return (), f"has no label file {file.name}"
    lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    labels = tuple(dict.fromkeys(line for line in lines if line))
    if not labels:
        return (), "has an empty label file"
    unknown = [label for label in labels if label not in CLASSES]
    return labels, f"is labelled {unknown[0]}, which is not one of the classes" if unknown else ""
