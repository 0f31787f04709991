"""Descriptions of published data sets: source, size, licence, citation, and how much of them is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.errors import UserError


@dataclass(frozen=True)
class Part:
    """A part of a published data set.

    Attributes:
        name: such as its folder.
        found: number of its files that are there.
        published: number of its files in all.
    """

    name: str
    found: int
    published: int

    def __str__(self) -> str:
        return f"{self.found:,} of {self.published:,} in {self.name}"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A published data set.

    Attributes:
        name: as its authors call it.
        url: where to get it.
        size: of the download, with its unit.
        licence: its name, and in short what it forbids.
        citation: authors, title, venue, year.
        layout: what the folder must contain.
        mirdata: name of mirdata's loader that downloads it, or `None`.
    """

    name: str
    url: str
    size: str
    licence: str
    citation: str
    layout: str
    mirdata: str | None = None

    def missing(self, root: Path | None) -> UserError:
        """Return an error that says how to get the data.

        Args:
            root: the folder where they were expected, or `None` where none is configured.
        """
        reason = "data.root is not set" if root is None else f"{root} does not exist"
        mode = " (mode=prepare downloads it)" if self.mirdata else ""
        return UserError(
            f"{self.name}: {reason}; get it from {self.url} ({self.size}, {self.licence}){mode}, unpack it into "
            f"a folder that holds {self.layout}, and give that folder as data.root=FOLDER"
        )

    def check_complete(self, parts: Sequence[Part], root: Path, remedy: str = "") -> None:
        """Check that all files that were published are there.

        Args:
            parts: of the data set.
            root: the folder that was searched.
            remedy: what else can be done, followed by a comma.

        Raises:
            UserError: files are missing; the message says of which parts, and how to get or do without them.
        """
        missing = [str(part) for part in parts if part.found < part.published]
        if missing:
            raise UserError(
                f"{self.name}: {root} has {', '.join(missing)}; get the others from {self.url}, {remedy}or use what is "
                "there with data.incomplete=true"
            )
