"""Print how many held-out chorales have another setting of their tune in training.

`python scripts/shared_tunes.py outputs/cache/chorales_rolls-<hash>`, a folder that `mode=prepare data=chorales` leaves:
for the split that is drawn if only the opening of the soprano and near-duplicates join pieces, and for that of
`data=chorales`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from src.audio.score_files import musicxml
from src.datamodules.rolls.chorale_scores import chorale_files
from src.datamodules.rolls.piece import sketch
from src.errors import UserError
from src.paths import CONF
from src.splitting.groups import links_by_key, united
from src.splitting.near_duplicates import links_of_near_duplicates
from src.splitting.shuffled import group_shuffle_split
from src.splitting.tunes import soprano


def main(folder: Path) -> None:
    """Print a line for each way to draw the split.

    Raises:
        UserError: there are no prepared chorales.
    """
    if not (folder / "pieces.json").is_file():
        raise UserError(f"{folder} has no pieces.json; run python run.py mode=prepare data=chorales")
    pieces = json.loads((folder / "pieces.json").read_text(encoding="utf-8"))["pieces"]
    tunes = [piece["group"] for piece in pieces]
    options = yaml.safe_load((CONF / "data" / "chorales.yaml").read_text(encoding="utf-8"))
    for way, groups in (("by opening alone", _by_opening(folder, pieces)), ("by tune", tunes)):
        splits = group_shuffle_split(groups, options["split"], options["seed"])
        counts = (
            f"{_shared(tunes, splits, split)} of {(splits == split).sum()}" for split in ("val", "test")
        )
        print(
            f"split {way}, {len(set(groups))} groups: {' (val), '.join(counts)} (test) share a tune with train"
        )


def _by_opening(folder: Path, pieces: Sequence[dict[str, str]]) -> list[str]:
    """Return the groups that openings and near-duplicates make."""
    texts = {path.stem: musicxml(path) for path in chorale_files()}
    ends = np.cumsum([piece["length"] for piece in pieces])
    rolls = np.split(np.load(folder / "sounding.npy"), ends[:-1])
    digests = [piece["digest"] for piece in pieces]
    links = links_of_near_duplicates(digests, [sketch(roll) for roll in rolls])
    openings = [soprano(texts[piece["name"]]) for piece in pieces]
    return united(openings, [*links_by_key([digest] for digest in digests), *links])


def _shared(tunes: Sequence[str], splits: np.ndarray, split: str) -> int:
    """Return the number of pieces of a split whose tune is in training."""
    trained = {tune for tune, of_piece in zip(tunes, splits, strict=True) if of_piece == "train"}
    return sum(tune in trained for tune, of_piece in zip(tunes, splits, strict=True) if of_piece == split)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except UserError as error:
        sys.exit(f"error: {error}")
