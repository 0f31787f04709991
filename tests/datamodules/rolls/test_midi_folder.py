import os

import mido
import numpy as np
import pretty_midi
import pytest

from src.datamodules.rolls.midi_folder import MidiFolder
from src.errors import UserError


def write_midi(path, seed: int, channel: int = 0, low: int = 48) -> None:
    """A piece of 24 random notes at multiples of a quarter of a beat."""
    rng = np.random.default_rng(seed)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=400_000)])
    for _ in range(24):
        note = int(rng.integers(low, low + 24))
        track.append(
            mido.Message("note_on", note=note, velocity=70, channel=channel, time=120 * int(rng.integers(3)))
        )
        track.append(mido.Message("note_off", note=note, channel=channel, time=120 * int(rng.integers(1, 4))))
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(type=1, ticks_per_beat=480, tracks=[track]).save(path)


@pytest.fixture
def folder(tmp_path):
    """Four composers with three files each."""
    for number in range(12):
        write_midi(tmp_path / "root" / f"composer {number // 3}" / "deeper" / f"{number}.mid", number)
    return tmp_path / "root"


@pytest.fixture
def midi(tmp_path, folder):
    def make(**options):
        defaults = {
            "cache_dir": tmp_path / "cache",
            "batch_size": 2,
            "shuffle_seed": 1,
            "root": str(folder),
            "split_by": "file",
            "seed": 1,
            "split": {"val": 0.25, "test": 0.25},
            "lowest_note": 24,
            "n_notes": 84,
            "grid": "beats",
            "rate": 4,
            "short_notes": "keep",
            "n_steps": 16,
            "crop": None,
            "onsets": False,
            "workers": 1,
        }
        return MidiFolder(**{**defaults, **options})

    return make


def ready(data):
    data.prepare_data()
    data.setup("fit")
    return data


def test_rolls_are_those_of_pretty_midi(midi, folder):
    data = ready(midi(grid="seconds", rate=10, short_notes="drop"))
    for split in ("train", "val", "test"):
        columns, lengths = data.arrays(split)
        for name, roll in zip(data.names(split), np.split(columns, np.cumsum(lengths)[:-1]), strict=True):
            reference = pretty_midi.PrettyMIDI(str(folder / name)).get_piano_roll(10, pedal_threshold=None)
            np.testing.assert_array_equal(roll, reference.T[: len(roll), 24:108] > 0)


def test_every_file_is_a_piece_named_by_its_path(midi):
    data = ready(midi())
    names = [name for split in ("train", "val", "test") for name in data.names(split)]
    assert sorted(names) == sorted(f"composer {n // 3}/deeper/{n}.mid" for n in range(12))
    assert data.n_items == {"train": 6, "val": 3, "test": 3}


def test_composers_stay_on_one_side(midi):
    data = ready(midi(split_by="composer"))
    sides = [{name.split("/")[0] for name in data.names(split)} for split in ("train", "val", "test")]
    assert sum(map(len, sides)) == 4


def test_copies_stay_on_one_side(midi, folder):
    for number in range(12):
        copy = folder / f"copy {number}.MIDI"
        copy.write_bytes((folder / f"composer {number // 3}" / "deeper" / f"{number}.mid").read_bytes())
    data = ready(midi())
    for split in ("train", "val", "test"):
        numbers = sorted(name.split(".")[0].split("/")[-1].split()[-1] for name in data.names(split))
        assert numbers[::2] == numbers[1::2]


def test_unusable_files_are_named_and_left_out(midi, folder, capsys):
    (folder / "broken.mid").write_bytes(b"MThd nonsense")
    write_midi(folder / "drums.mid", 1, channel=9)
    write_midi(folder / "low.mid", 1, low=0)
    data = ready(midi(lowest_note=36, n_notes=48))
    assert [name for name, _ in data.left_out()] == ["broken.mid", "drums.mid", "low.mid"]
    said = capsys.readouterr().err
    assert all(name in said for name in ("broken.mid", "drums.mid", "low.mid"))
    assert "MIDI numbers 36..83" in said
    assert sum(data.n_items.values()) == 12


def test_what_is_no_regular_file_is_named_and_left_out(midi, folder, capsys):
    os.mkfifo(folder / "pipe.mid")
    (folder / "link.mid").symlink_to("gone")
    data = midi()
    data.prepare_data()
    assert [name for name, _ in data.left_out()] == ["link.mid", "pipe.mid"]
    assert "pipe.mid cannot be used: it is not a regular file;" in capsys.readouterr().err


def test_nothing_but_unusable_files_is_one_error(midi, tmp_path):
    (tmp_path / "bad").mkdir()
    for name in ("a.mid", "b.mid"):
        (tmp_path / "bad" / name).write_bytes(b"")
    with pytest.raises(UserError, match=r"all 2 are left out.*a\.mid"):
        midi(root=str(tmp_path / "bad")).prepare_data()


def test_too_few_files_are_refused(midi, tmp_path):
    write_midi(tmp_path / "few" / "a.mid", 1)
    write_midi(tmp_path / "few" / "b.mid", 2)
    data = midi(root=str(tmp_path / "few"))
    data.prepare_data()
    with pytest.raises(UserError, match="2 pieces in 2 groups leave the train split empty"):
        data.setup("fit")


@pytest.mark.parametrize(
    ("root", "message"), [(None, "data.root=FOLDER"), ("/nowhere", "/nowhere"), (".", "mid")]
)
def test_a_folder_without_midi_is_refused_before_work(midi, tmp_path, monkeypatch, root, message):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(UserError, match=message):
        midi(root=root).check()


@pytest.mark.parametrize(
    "options",
    [{"split_by": "key"}, {"grid": "bars"}, {"rate": 0}, {"short_notes": "maybe"}, {"n_notes": 120}],
)
def test_options_out_of_range_are_refused(midi, options):
    with pytest.raises(UserError):
        midi(**options)


def test_signature_follows_the_files_and_nothing_else(midi, folder, tmp_path):
    before = midi().signature
    (folder / "notes.txt").write_text("not music")
    assert midi().signature == before
    folder.rename(tmp_path / "moved")
    assert midi(root=str(tmp_path / "moved")).signature == before
    write_midi(tmp_path / "moved" / "new.mid", 99)
    assert midi(root=str(tmp_path / "moved")).signature != before


def test_a_relative_folder_is_resolved(midi, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert midi(root="root").resolved() == {"root": str(folder.resolve())}
