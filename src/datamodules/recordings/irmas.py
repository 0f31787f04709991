"""IRMAS: predominant instruments in recordings of many genres."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.recordings.base import RecordingOptions, Recordings
from src.errors import UserError
from src.messages import say
from src.preparation.card import Card
from src.rules import some_of
from src.splitting.recording import Recording
from src.splitting.splits import shares

CLASSES = ("cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi")
"""Cello, clarinet, flute, acoustic and electric guitar, organ, piano, saxophone, trumpet, violin, voice."""

TRAINING = "IRMAS-TrainingData"
PARTS = (1, 2, 3)

_TAGS = re.compile(r"\[([^\[\]]*)\]")
_EXCERPT = re.compile(r"(\d+)__\d+$")  # recording, then number of the excerpt
_NUMBER = re.compile(r"-\d+$")


class Irmas(Recordings):
    """Excerpts of 3 s with one predominant instrument for training, of 5 to 20 s with one or more for the test.

    Excerpts of one recording stay together: `[gel][dru][pop_roc]0829__1.wav` belongs to recording 0829. The label of a
    test excerpt is a text file beside it with one class a line.

    Args:
        parts: of the test data, some of 1, 2 and 3; missing ones are named on stderr and left out.
        options: see `RecordingOptions`; `split` is the share of the training recordings used for validation.

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

    class Options(RecordingOptions):
        """See `Irmas`."""

        parts: Annotated[tuple[int, ...], some_of(*PARTS)]
        split: Annotated[Mapping[str, float] | None, shares(("val",))]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.parts = sorted(self.options.parts)

    def check(self) -> None:
        """Check that the folder has the training data and at least one chosen part of the test data.

        Raises:
            UserError: it has not; the message says where to get the data.
        """
        _ = self._files

    def recordings(self) -> list[Recording]:
        """Return the training excerpts, then the test excerpts of the chosen parts.

        Raises:
            UserError: the training data or all chosen parts of the test data are missing.
        """
        root, (training, testing) = self.folder_of_data(), self._files
        excerpts = [_training_excerpt(root, file) for file in training]
        return excerpts + [_test_excerpt(root, file) for file in testing]

    @functools.cached_property
    def _files(self) -> tuple[list[Path], list[Path]]:
        """The sound files of the training and of the test data."""
        root = self.folder_of_data()
        training = sorted((root / TRAINING).glob("[!.]*/[!.]*.wav"))
        if not training:
            raise UserError(f"{root} has no WAV files in {TRAINING}/<class>; get them from {self.card.url}")
        tests = {part: _part_files(root, part) for part in self.parts}
        missing = [str(part) for part, files in tests.items() if not files]
        if len(missing) == len(tests):
            raise UserError(
                f"{root}: IRMAS-TestingData-Part{missing[0]} is missing; get it from {self.card.url}"
            )
        if missing:
            say(f"irmas: part {' and '.join(missing)} of the test data is missing below {root} and left out")
        return training, [file for files in tests.values() for file in files]


def _part_files(root: Path, part: int) -> list[Path]:
    folder = root / f"IRMAS-TestingData-Part{part}"
    return sorted([*folder.glob("[!.]*.wav"), *folder.glob(f"Part{part}/[!.]*.wav")])


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
