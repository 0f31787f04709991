import subprocess
import sys
from pathlib import Path

import pytest

from src.audio.soundfonts.catalogue import PACKAGES
from src.audio.soundfonts.installed import (
    OWN_FOLDER_VARIABLE,
    SYSTEM_FOLDERS,
    fetch_missing,
    find_soundfont,
    installed_soundfonts,
    own_folder,
)
from src.errors import UserError
from tests.audio.soundfonts.index_only import soundfont


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch) -> Path:
    """An empty folder for what is downloaded."""
    monkeypatch.setenv(OWN_FOLDER_VARIABLE, str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def fetched(monkeypatch) -> list[tuple[str, Path]]:
    """What would have been downloaded, and where to."""
    calls: list[tuple[str, Path]] = []

    def fetch(name: str, folder: Path) -> None:
        calls.append((name, folder))
        folder.mkdir(exist_ok=True)
        soundfont(folder / f"{name}.sf2", [(0, 0)])

    monkeypatch.setattr("src.audio.soundfonts.installed.fetch_soundfont", fetch)
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", ())
    return calls


def test_default_soundfont_is_found_without_importing_its_package():
    code = (
        "import sys; from src.audio.soundfonts.installed import find_soundfont; print(find_soundfont('TimGM6mb'));"
        "assert 'pretty_midi' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert Path(done.stdout.strip()).name == "TimGM6mb.sf2"


def test_names_and_paths(tmp_path: Path, monkeypatch):
    file = soundfont(tmp_path / "Odd Name.sf2", [(0, 5)])
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", (str(tmp_path),))
    assert find_soundfont(file) == file
    assert find_soundfont("odd name") == file
    assert set(installed_soundfonts()) == {"TimGM6mb", "Odd Name"}


def test_missing_soundfont_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", ())
    with pytest.raises(UserError, match=r"apt install musescore-general-soundfont.*TimGM6mb"):
        find_soundfont("MuseScore_General")
    with pytest.raises(UserError, match=r"path of an \.sf2"):
        find_soundfont("no/such.sf2")
    assert SYSTEM_FOLDERS


@pytest.mark.parametrize("name", PACKAGES)
def test_missing_soundfont_of_a_package_is_left_to_prepare(monkeypatch, name):
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", ())
    with pytest.raises(
        UserError, match=rf"soundfont {name} is not installed: mode=prepare downloads it.*TimGM6mb"
    ):
        find_soundfont(name)


def test_own_folder(own, monkeypatch):
    assert own_folder() == own
    monkeypatch.setenv(OWN_FOLDER_VARIABLE, "~/fonts")
    assert own_folder() == Path.home() / "fonts"
    for unset in (
        lambda: monkeypatch.setenv(OWN_FOLDER_VARIABLE, ""),
        lambda: monkeypatch.delenv(OWN_FOLDER_VARIABLE),
    ):
        unset()
        assert own_folder() == Path.home() / ".local/share/soundfonts"


def test_what_was_downloaded_is_found_before_what_the_system_has(own, tmp_path, monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", (str(tmp_path),))
    soundfont(tmp_path / "FluidR3_GM.sf2", [(0, 5)])
    own.mkdir()
    file = soundfont(own / "FluidR3_GM.sf2", [(0, 5)])
    assert find_soundfont("FluidR3_GM") == file


def test_only_what_is_missing_is_fetched(own, tmp_path, monkeypatch, fetched):
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", (str(tmp_path),))
    monkeypatch.chdir(tmp_path)
    path = soundfont(tmp_path / "A320U.sf3", [(0, 5)])
    (tmp_path / "sonivox").write_bytes(path.read_bytes())  # a path, though named as a package
    fetch_missing(["TimGM6mb", "A320U", "sonivox", str(path), "no/such.sf2", "MuseScore_General"])
    assert fetched == []
    fetch_missing(["TimGM6mb", "Scratch", "FreePats", "Scratch"])
    assert fetched == [("Scratch", own), ("FreePats", own)]
    assert find_soundfont("Scratch") == own / "Scratch.sf2"


def test_where_nothing_downloads_it_the_package_is_named(monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.installed.SYSTEM_FOLDERS", ())
    with pytest.raises(UserError, match="mode=prepare downloads it"):
        find_soundfont("FluidR3_GM")
    with pytest.raises(UserError, match=r"apt's fluid-soundfont-gm.* has it; give the path of the file"):
        find_soundfont("FluidR3_GM", prepared=False)
