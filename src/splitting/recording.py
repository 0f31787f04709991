"""One file of a data set of recordings, as file names and label files describe it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A sound file and its labels.

    Attributes:
        path: relative to the data set's root, with `/`.
        labels: names of its classes; exactly one where targets are multi-class.
        group: its song, piece or source, which must stay in one split.
        split: `train`, `val` or `test` where the data set defines it; `None`: to be drawn by group.
        problem: why it can't be used, as far as names and label files tell; empty if it can.
    """

    path: str
    labels: tuple[str, ...]
    group: str
    split: str | None = None
    problem: str = ""
