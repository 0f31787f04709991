"""Fetches soundfonts from packages of Debian and npm by the machine's own package managers.

Nothing is installed: packages are downloaded into a temporary folder, what is wanted of them is unpacked there, and the
soundfont is copied or made from that.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from src.audio.soundfonts.catalogue import PACKAGES, Package, find_in, plain_package
from src.errors import UserError
from src.messages import say

_TIMEOUT_S = 1800
_LARGEST = 2_000_000_000  # bytes that a package may unpack to; the largest soundfont has 0.5 GB
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
                package,
                tool,
                package_name,
                Path(temporary) / str(number) / plain_package(package_name),
            )
        partial = Path(temporary) / target.name
        found = sha256_of(Path(temporary))
        package.extract(Path(temporary), partial)
        _check(name, package, found)
        partial.replace(target)
    return target


def _unpack(package: Package, tool: str, name: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    if package.manager == "apt":
        _run([tool, "download", "-q", name], folder, name)
        _run(
            ["dpkg-deb", "--fsys-tarfile", find_in(folder, "*.deb").name],
            folder,
            name,
            folder / "contents.tar",
        )
        archive = folder / "contents.tar"
    else:
        _run([tool, "pack", "--loglevel=error", name], folder, name)
        archive = find_in(folder, "*.tgz")
    archives = list(folder.iterdir())
    try:
        _take(archive, package.wanted, folder, name)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"package {name} was damaged in the download; try again") from error
    for downloaded in archives:
        downloaded.unlink()


def _take(archive: Path, wanted: Sequence[str], folder: Path, name: str) -> None:
    """Write each wanted regular file of an archive as `<its folder>/<its name>` below a folder, and nothing else."""
    size = 0
    with tarfile.open(archive, "r|*") as members:
        for member in members:
            path = PurePosixPath(member.name.lstrip("/"))
            if not member.isreg() or ".." in path.parts or not any(path.match(pattern) for pattern in wanted):
                continue
            size += member.size
            if size > _LARGEST:
                raise UserError(
                    f"package {name} unpacks to more than {_LARGEST / 1e9:.0f} GB: it is not the one that was meant; "
                    "get the file elsewhere and give its path"
                )
            target, content = folder.joinpath(*path.parts[-2:]), members.extractfile(member)
            assert content is not None  # it is a regular file
            target.parent.mkdir(exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)


def _check(name: str, package: Package, found: str) -> None:
    """Compare what was unpacked with what the documentation's figures were measured with.

    apt checks signatures and npm checks hashes of the packages themselves. A version that npm names never changes, but
    another release of Debian may have another version of a package.

    Raises:
        UserError: npm's package has other files.
    """
    if found == package.sha256:
        return
    told = f"soundfont {name} is not the one that figures in docs/ were measured with (SHA-256 {found[:12]}…)"
    if package.manager == "npm":
        raise UserError(
            f"{told}, although npm has the same version; get the file elsewhere and give its path"
        )
    say(f"{told}; {', '.join(package.names)} has another version here")


def sha256_of(folder: Path) -> str:
    """Return the hash of the files in a folder, see `Package.sha256`; names are relative to their package."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    hashes = {name.partition("/")[2]: _sha256(path) for name, path in files.items()}
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    lines = sorted(f"{digest}  {name}\n" for name, digest in hashes.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(command: list[str], folder: Path, name: str, output: Path = Path(os.devnull)) -> None:
    try:
        with output.open("wb") as file:
            subprocess.run(
                command,
                cwd=folder,
                check=True,
                stdout=file,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                timeout=_TIMEOUT_S,
            )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise UserError(
            f"package {name} could not be downloaded: {said[-1] if said else error}; is there a network? "
            "(with apt: `apt-get update` first)"
        ) from error
