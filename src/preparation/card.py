"""What a person needs to know of a published data set: where it is, how large, under which licence."""

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
        licence: its name, and what it forbids in short.
        citation: authors, title, place, year.
        layout: what the folder must look like.
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
        """Give the error that says how to get the data.

        Args:
            root: where they were sought, or `None` where no folder was named.
        """
        sought = "data.root is not set" if root is None else f"{root} is not there"
        mode = " (mode=prepare downloads it)" if self.mirdata else ""
        return UserError(
            f"{self.name}: {sought}; get it from {self.url} ({self.size}, {self.licence}){mode}, unpack it into "
            f"a folder that holds {self.layout}, and give that folder as data.root=FOLDER"
        )
