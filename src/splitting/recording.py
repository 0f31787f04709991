"""One file of a data set of recordings, and what is known of it before it is heard."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A sound file and its labels.

    Attributes:
        path: relative to the data set's root, with `/`.
        labels: names of its classes; a single one where targets are multi-class.
        group: what must not be split: its song, piece, source.
        split: `train`, `val` or `test` where the data set fixes it; `None` is divided by group.
        problem: why it cannot be used, as far as names and label files tell; empty if it can.
    """

    path: str
    labels: tuple[str, ...]
    group: str
    split: str | None = None
    problem: str = ""
