"""ChMusic: pieces played by one traditional Chinese instrument each."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.recordings.published import Published, PublishedOptions
from src.errors import UserError
from src.paths import visible_files
from src.preparation.card import Card, Part
from src.rules import by_name, each, one_of
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS

CLASSES = (
    "erhu",
    "pipa",
    "sanxian",
    "dizi",
    "suona",
    "zhuiqin",
    "zhongruan",
    "liuqin",
    "guzheng",
    "yangqin",
    "sheng",
)
"""In the order of the numbers in the files' names, from 1."""

PIECES = range(1, 6)
_NAME = re.compile(r"(\d+)\.(\d+)")


class ChMusic(Published):
    """Five pieces of each of 11 instruments, `<instrument>.<piece>.wav`, split by the pieces' numbers.

    The published evaluation is of cuts of 5 s; here the outputs for all cuts of a piece are also combined.

    Args:
        pieces: numbers, 1..5, of the pieces of `train`, `val` and `test`.
        options: see `PublishedOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "chmusic"
    target = "multiclass"
    classes = CLASSES
    card = Card(
        name="ChMusic",
        url="https://github.com/HaoranWeiUTD/ChMusic",
        size="1.1 GB, 55 WAV files of 25 to 280 s",
        licence="free and publicly available, as its paper says",
        citation=(
            "X. Gong, Y. Zhu, H. Zhu, H. Wei: ChMusic: A Traditional Chinese Music Dataset for Evaluation of "
            "Instrument Recognition, 2021"
        ),
        layout="the files 1.1.wav to 11.5.wav",
    )

    class Options(PublishedOptions):
        """See `ChMusic`."""

        pieces: Annotated[Mapping[str, Sequence[int]], by_name(each(one_of(*PIECES), least=0), SPLITS)]
        seed: None = field(init=False, default=None)
        split: None = field(init=False, default=None)

        def check(self) -> None:
            """Check that each piece is in one split only.

            Raises:
                UserError: a number is chosen twice.
            """
            numbers = [number for chosen in self.pieces.values() for number in chosen]
            if len(set(numbers)) < len(numbers):
                raise UserError(f"data.pieces={self.pieces}: choose each number for one split only.")

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.pieces = {number: split for split, chosen in self.options.pieces.items() for number in chosen}

    def check(self) -> None:
        """Check that the folder exists and has the chosen pieces.

        Raises:
            UserError: it does not; the message says where to get the data.
        """
        self.recordings()

    def found(self, listed: Sequence[Recording]) -> list[Part]:
        """Return how many of the chosen pieces were published, and how many are there."""
        known = [item for item in listed if not item.problem]
        return [Part("the chosen pieces", len(known), len(CLASSES) * len(self.pieces))]

    def listed(self) -> list[Recording]:
        """Return the pieces whose numbers are in one of the splits.

        Raises:
            UserError: the folder has no piece.
        """
        listed = [self._piece(path) for path in self._files]
        return [recording for recording in listed if recording.split]

    @functools.cached_property
    def _files(self) -> list[Path]:
        root = self.folder_of_data()
        files = [path for path in visible_files(root, "*.wav") if _NAME.fullmatch(path.stem)]
        if not files:
            raise UserError(f"{root} has no file named like 1.1.wav; get ChMusic from {self.card.url}")
        return sorted(files, key=_numbers)

    def _piece(self, path: Path) -> Recording:
        instrument, piece = _numbers(path)
        known = 1 <= instrument <= len(CLASSES)
        return Recording(
            path=path.as_posix(),
            labels=(CLASSES[instrument - 1],) if known else (),
            group=f"{instrument}.{piece}",
            split=self.pieces.get(piece),
            problem="" if known else f"has the number {instrument}, but instruments have 1..{len(CLASSES)}",
        )


def _numbers(path: Path) -> tuple[int, int]:
    match = _NAME.fullmatch(path.stem)
    assert match is not None
    return int(match[1]), int(match[2])
