"""Descriptions of published data sets: source, size, licence, citation."""

from dataclasses import dataclass
from pathlib import Path

from src.errors import UserError


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
