"""Print which soundfonts share recordings, in the presets that play the classes of conf/data/synth_stems.yaml.

`python scripts/soundfont_families.py [NAME or PATH …]`; without names, TimGM6mb and all that `mode=prepare` downloads.
"""

import sys
from collections import Counter
from itertools import combinations

import yaml

from src.audio.soundfonts.catalogue import PACKAGES
from src.audio.soundfonts.families import ClassPresets, shared_recordings
from src.audio.soundfonts.installed import fetch_missing, find_soundfont
from src.errors import UserError
from src.paths import CONF

CLASSES = CONF / "data" / "synth_stems.yaml"


def class_presets() -> list[ClassPresets]:
    """Return the presets of each class: its program, and related ones."""
    classes = yaml.safe_load(CLASSES.read_text(encoding="utf-8"))["classes"]
    return [
        ClassPresets(entry["name"], ((0, entry["program"]), *map(tuple, entry["relatives"])))
        for entry in classes
    ]


def main(names: list[str]) -> None:
    """Print a line for each pair of soundfonts that share recordings."""
    fetch_missing(names)
    fonts = {name: find_soundfont(name) for name in names}
    presets = class_presets()
    for first, second in combinations(fonts, 2):
        shared = shared_recordings(fonts[first], presets, fonts[second], presets)
        if shared:
            counts = Counter(recording.label for recording in shared)
            print(
                f"{first} and {second}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}"
            )


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["TimGM6mb", *PACKAGES])
    except UserError as error:
        sys.exit(str(error))
