"""What soundfonts hold, against FluidSynth and against files written by hand."""

import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from src.audio import fluid
from src.audio.soundfonts.contents import check_programs, presets, sounds_of
from src.audio.soundfonts.installed import find_soundfont
from src.errors import UserError
from tests.audio.soundfonts.index_only import soundfont
from tests.audio.soundfonts.tiny_fonts import write_font


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


def refusal(path: Path) -> str:
    """What is said of a soundfont; empty where it is read."""
    try:
        presets(path)
        sounds_of(path, [(0, 5), (0, 40)])
    except UserError as error:
        return str(error)
    return ""


def test_a_mutated_index_is_one_line(tmp_path: Path):
    whole = write_font(tmp_path / "whole.sf2", [5, 40], seed=1).read_bytes()
    path, rng, said = tmp_path / "mutated.sf2", np.random.default_rng(0), Counter()
    for _ in range(600):
        content = bytearray(whole)
        for position in rng.integers(whole.index(b"pdta"), len(whole), 3):
            content[position] = rng.choice([0, 1, 127, 255])
        path.write_bytes(content)
        said[refusal(path)] += 1
    assert said.keys() == {
        "",
        f"{path} is damaged: its index leads out of the file; get it again",
        f"{path} is no soundfont; give an .sf2 or .sf3 file",
        "mutated.sf2 is compressed, so its sounds cannot be compared with those of other soundfonts; give the .sf2 "
        "file that it was made from",
    }
