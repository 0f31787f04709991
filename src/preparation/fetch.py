"""Downloads published data sets with mirdata (Bittner et al. 2019), which verifies checksums."""

import importlib
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.messages import say
from src.preparation.card import Card


def fetch(card: Card, root: Path | None) -> None:
    """Download a data set that mirdata knows, unless its folder exists.

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
