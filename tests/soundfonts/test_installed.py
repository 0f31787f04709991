import subprocess
import sys
from pathlib import Path

import pytest

from src.errors import UserError
from src.soundfonts.installed import SYSTEM_FOLDERS, find_soundfont, installed_soundfonts
from tests.soundfonts.index_only import soundfont


def test_default_soundfont_is_found_without_importing_its_package():
    code = (
        "import sys; from src.soundfonts.installed import find_soundfont; print(find_soundfont('TimGM6mb'));"
        "assert 'pretty_midi' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert Path(done.stdout.strip()).name == "TimGM6mb.sf2"


def test_names_and_paths(tmp_path: Path, monkeypatch):
    file = soundfont(tmp_path / "Odd Name.sf2", [(0, 5)])
    monkeypatch.setattr("src.soundfonts.installed.SYSTEM_FOLDERS", (str(tmp_path),))
    assert find_soundfont(file) == file
    assert find_soundfont("odd name") == file
    assert set(installed_soundfonts()) == {"TimGM6mb", "Odd Name"}


def test_missing_soundfont_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("src.soundfonts.installed.SYSTEM_FOLDERS", ())
    with pytest.raises(UserError, match=r"apt install fluid-soundfont-gm.*TimGM6mb"):
        find_soundfont("FluidR3_GM")
    with pytest.raises(UserError, match=r"path of an \.sf2"):
        find_soundfont("no/such.sf2")
    assert SYSTEM_FOLDERS
