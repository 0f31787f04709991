from pathlib import Path

import matplotlib.image
import mido
import numpy as np
import pytest
import soundfile

from src.generation.composing import Piece
from src.generation.writing import write_pieces
from tests.generation.tiny_music import generation, tunes


@pytest.fixture
def data(tmp_path):
    return tunes(tmp_path)


def scale(name="a tune"):
    """Three keys, one after another: one before the generated part, two in it."""
    sounding = np.zeros((8, 12), bool)
    sounding[:2, 0] = sounding[2:6, 4] = sounding[6:, 7] = True
    return Piece(name, sounding[:2], sounding[2:], sounding[2:])


def notes(path):
    """(note, start, end) in quarter notes, from the messages themselves."""
    file, found = mido.MidiFile(path), []
    for track in file.tracks:
        now, struck = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                struck[message.note] = now
            elif message.type in ("note_on", "note_off"):
                found.append((message.note, struck.pop(message.note), now))
    return sorted(
        (note, start / file.ticks_per_beat, end / file.ticks_per_beat) for note, start, end in found
    )


def test_midi_has_the_notes_of_beginning_and_generated_part(data, tmp_path):
    files = write_pieces([scale()], tmp_path / "out", data, generation(bpm=90, program=5))
    assert notes(files[0]) == [(60, 0, 0.5), (64, 0.5, 1.5), (67, 1.5, 2)]
    messages = [message for track in mido.MidiFile(files[0]).tracks for message in track]
    assert [m.program for m in messages if m.type == "program_change"] == [5]
    assert [mido.tempo2bpm(m.tempo) for m in messages if m.type == "set_tempo"] == pytest.approx([90])


def test_onset_columns_strike_again(tmp_path):
    data = tunes(tmp_path, onsets=True)
    columns = np.zeros((4, 24), bool)
    columns[:, 2] = columns[[0, 2], 14] = True
    files = write_pieces([Piece("a", columns[:0], columns, columns)], tmp_path / "out", data, generation())
    assert notes(files[0]) == [(62, 0, 0.5), (62, 0.5, 1)]


def test_sound_is_heard_and_picture_opens(data, tmp_path):
    stem = write_pieces([scale()], tmp_path / "out", data, generation(bpm=120))[0].with_suffix("")
    sound, rate = soundfile.read(stem.with_suffix(".wav"))
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.01)
    assert len(sound) / rate > 1
    assert matplotlib.image.imread(stem.with_suffix(".png")).ndim == 3


@pytest.mark.parametrize(
    "name",
    [
        "Étude (No. 3) [live].mid",
        "../../up/and away",
        "/absolute",
        'a\\b:c*d?e"f<g>h|i\nj\0k',
        "$x_1^{$",
        "",
        "..",
        "x" * 300,
        "夜想曲" * 60,
        "𝒜" * 100,
        "\udcff undecodable",
    ],
)
def test_names_are_safe_file_names(data, tmp_path, name):
    folder = tmp_path / "out"
    write_pieces([scale(name)], folder, data, generation(), prefix="epoch_1000")
    files = list(folder.iterdir())
    assert sorted(file.suffix for file in files) == [".mid", ".png", ".wav"]
    assert all(len(file.name.encode()) <= 255 for file in files)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "cache"}


def test_letters_of_a_name_stay(data, tmp_path):
    files = write_pieces([scale("Étude in C+, op_3")], tmp_path / "out", data, generation())
    assert [file.name for file in files] == ["piece_1_Étude-in-C+--op_3.mid"]


def test_pieces_of_one_name_have_files_of_their_own(data, tmp_path):
    files = write_pieces([scale()] * 3, tmp_path / "out", data, generation())
    assert len(set(files)) == 3
    assert all(isinstance(file, Path) and file.is_file() for file in files)
