import struct
import subprocess
import sys
from pathlib import Path

import pytest

from src.audio import fluid
from src.audio.soundfonts import SYSTEM_FOLDERS, check_programs, find_soundfont, installed_soundfonts, presets
from src.errors import UserError


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def soundfont(path: Path, programs: list[tuple[int, int]]) -> Path:
    """A file with the index of a soundfont and no sound."""
    records = [struct.pack("<20sHHHIII", b"x", program, bank, 0, 0, 0, 0) for bank, program in programs]
    headers = chunk(b"phdr", b"".join([*records, struct.pack("<20sHHHIII", b"EOP", 0, 0, 0, 0, 0, 0)]))
    info, sound = (
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"odd")),
        chunk(b"LIST", b"sdta" + chunk(b"smpl", b"\0" * 7)),
    )
    path.write_bytes(chunk(b"RIFF", b"sfbk" + info + sound + chunk(b"LIST", b"pdta" + headers)))
    return path


def test_default_soundfont_is_found_without_importing_its_package():
    code = (
        "import sys; from src.audio.soundfonts import find_soundfont; print(find_soundfont('TimGM6mb'));"
        "assert 'pretty_midi' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert Path(done.stdout.strip()).name == "TimGM6mb.sf2"


def test_index_agrees_with_fluidsynth():
    font = find_soundfont("TimGM6mb")
    api = fluid.functions()
    settings = api.new_fluid_settings()
    synth = api.new_fluid_synth(settings)
    loaded = api.synth_get_sfont_by_id(synth, api.synth_sfload(synth, str(font).encode(), 0))
    theirs = {(bank, n) for bank in range(129) for n in range(128) if api.sfont_get_preset(loaded, bank, n)}
    api.delete_fluid_synth(synth)
    api.delete_fluid_settings(settings)
    assert presets(font) == theirs


def test_names_and_paths(tmp_path: Path, monkeypatch):
    file = soundfont(tmp_path / "Odd Name.sf2", [(0, 5)])
    monkeypatch.setattr("src.audio.soundfonts.SYSTEM_FOLDERS", (str(tmp_path),))
    assert find_soundfont(file) == file
    assert find_soundfont("odd name") == file
    assert set(installed_soundfonts()) == {"TimGM6mb", "Odd Name"}


def test_missing_soundfont_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.SYSTEM_FOLDERS", ())
    with pytest.raises(UserError, match=r"apt install fluid-soundfont-gm.*TimGM6mb"):
        find_soundfont("FluidR3_GM")
    with pytest.raises(UserError, match=r"path of an \.sf2"):
        find_soundfont("no/such.sf2")
    assert SYSTEM_FOLDERS


def test_missing_programs_are_named(tmp_path: Path):
    font = soundfont(tmp_path / "few.sf2", [(0, 5), (8, 40), (128, 0)])
    check_programs(font, [5])
    with pytest.raises(UserError, match=r"few\.sf2 has no program 40 \(Violin\), 56 \(Trumpet\)"):
        check_programs(font, [56, 5, 40])


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"no soundfont at all", b"RIFF\0\0\0\0WAVEfmt ", b"RIFF\0\0\0\0sfbkLIST"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    (tmp_path / "x.sf2").write_bytes(content)
    with pytest.raises(UserError, match="no soundfont"):
        presets(tmp_path / "x.sf2")
