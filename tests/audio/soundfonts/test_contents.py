"""What soundfonts hold, against FluidSynth and against files written by hand."""

import struct
from pathlib import Path

import pytest

from src.audio import fluid
from src.audio.soundfonts.contents import check_programs, presets, sounds_of
from src.audio.soundfonts.installed import find_soundfont
from src.errors import UserError
from tests.audio.soundfonts.index_only import soundfont


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


def test_sounds_of_presets():
    """TimGM6mb's violin has eight recordings; Polyphone shows the same eight."""
    found = sounds_of(find_soundfont("TimGM6mb"), [(0, 40), (0, 8), (77, 3)])
    assert set(found) == {(0, 40), (0, 8)}
    assert len(found[0, 40]) == 8
    assert {sound.name.rstrip("\0") for sound in found[0, 40]} >= {"Violin Eb5", "Violin Eb6", "Violin C5"}
    assert all(
        len(sound.samples) > 800 and abs(sound.samples.astype(int)).max() > 20000 for sound in found[0, 40]
    )


def test_compressed_sounds_cannot_be_compared(tmp_path: Path):
    data = bytearray(find_soundfont("TimGM6mb").read_bytes())
    headers = data.find(b"shdr")
    size = struct.unpack_from("<I", data, headers + 4)[0]
    for start in range(headers + 8, headers + 8 + size - 46, 46):
        struct.pack_into("<H", data, start + 44, 0x11)
    (tmp_path / "small.sf3").write_bytes(data)
    with pytest.raises(UserError, match=r"small\.sf3 is compressed"):
        sounds_of(tmp_path / "small.sf3", [(0, 0)])
