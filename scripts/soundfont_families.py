"""Say which soundfonts share recordings, in the presets that play the classes of conf/data/synth_stems.yaml.

`python scripts/soundfont_families.py [NAME or PATH …]`; without names, TimGM6mb and all that `mode=prepare` downloads.
"""

import sys
from collections import Counter
from itertools import combinations

import yaml

from src.audio.soundfonts.catalogue import PACKAGES
from src.audio.soundfonts.families import Player, shared_sounds
from src.audio.soundfonts.installed import fetch_missing, find_soundfont
from src.errors import UserError
from src.paths import CONF

CLASSES = CONF / "data" / "synth_stems.yaml"


def players() -> list[Player]:
    """Give what plays each class: its program, and its relatives."""
    classes = yaml.safe_load(CLASSES.read_text(encoding="utf-8"))["classes"]
    return [
        Player(entry["name"], ((0, entry["program"]), *map(tuple, entry["relatives"]))) for entry in classes
    ]


def main(names: list[str]) -> None:
    """Print a line for each pair that shares something."""
    fetch_missing(names)
    fonts = {name: find_soundfont(name) for name in names}
    for one, other in combinations(fonts, 2):
        shared = shared_sounds(fonts[one], players(), fonts[other], players())
        if shared:
            counts = Counter(each.player for each in shared)
            print(
                f"{one} and {other}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}"
            )


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["TimGM6mb", *PACKAGES])
    except UserError as error:
        sys.exit(str(error))
