"""Published data sets: source, size, licence, citation, how much of them is there, and how the rest is downloaded."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.messages import say
from src.paths import no_folder


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
        reason = "data.root is not set" if root is None else no_folder(root)
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


def fetch(card: Card, root: Path | None) -> None:
    """Download a data set that mirdata (Bittner et al. 2019) knows, unless its folder exists; it verifies checksums.

    The data are downloaded into a folder beside it, which is renamed when it is complete.

    Args:
        card: of the data set.
        root: its folder; `None`: nothing is done.

    Raises:
        UserError: mirdata is not installed, or the download failed.
    """
    if card.mirdata is None or root is None or root.exists():
        return
    try:
        mirdata: Any = importlib.import_module("mirdata")
    except ImportError as error:
        raise UserError(
            f"{root} does not exist, and without mirdata {card.name} cannot be downloaded: "
            f"pip install 'polysweep[download]', or get it from {card.url}"
        ) from error
    partial = root.with_name(f".{root.name}.partial")
    say(f"{card.name}: downloading {card.size} ({card.licence}) to {root}")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        mirdata.initialize(card.mirdata, data_home=str(partial)).download(cleanup=True)
        partial.replace(root)
    except Exception as error:  # mirdata does not wrap errors of sockets, servers, archives and disks
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"{card.name} could not be downloaded to {root}: {reason[0]}; try again, or get it from {card.url}"
        ) from error
