import csv
import json

import mido
import numpy as np
import pretty_midi
import pytest
import torch

from src.audio.roll import key_name
from src.datamodules.rolls.base import RollDataModule
from src.errors import UserError
from tests.datamodules.groups_contract import check_groups
from tests.datamodules.rolls import slow_rolls

SPLIT = {"val": 0.2, "test": 0.2}


class Numbers(RollDataModule):
    """The pieces of `slow_rolls`, two of each group; or with a split of their own, one piece in two parts."""

    name = "numbers"

    def __init__(self, folder, *, own: bool = False, **options):
        defaults = {
            "cache_dir": folder / "cache",
            "batch_size": 4,
            "shuffle_seed": 1,
            "workers": 1,
            "lowest_note": 60,
            "n_notes": slow_rolls.N_NOTES,
            "seed": None if own else 1,
            "split": None if own else SPLIT,
            "n_steps": 8,
            "crop": None,
            "onsets": False,
        }
        super().__init__(**{**defaults, **options})
        self.own, self.diary = own, folder / "diary"

    def check(self):
        pass

    def maker(self):
        return OwnMaker() if self.own else slow_rolls.SlowMaker(self.diary, left_out=(3,))

    def piece_ids(self):
        return slow_rolls.PIECE_IDS

    def rolls_recipe(self):
        return {"own": self.own}


class OwnMaker:
    def __call__(self, piece_id):
        number = int(piece_id)
        made = slow_rolls.piece(5 if number == 19 else number)
        split = "train" if number < 14 else "val" if number < 17 else "test"
        return type(made)(
            name=piece_id, group=piece_id, sounding=made.sounding, onsets=made.onsets, split=split
        )


@pytest.fixture
def numbers(tmp_path):
    def ready(**options):
        data = Numbers(tmp_path, **options)
        data.prepare_data()
        data.setup("fit")
        return data

    return ready


def original(name: str):
    return slow_rolls.piece(int(name.split()[-1]))


def test_arrays_are_the_pieces_one_after_another(numbers):
    data = numbers()
    for split in ("train", "val", "test"):
        columns, lengths = data.arrays(split)
        pieces = [original(name) for name in data.names(split)]
        assert lengths.tolist() == [len(piece.sounding) for piece in pieces]
        np.testing.assert_array_equal(columns, np.concatenate([piece.sounding for piece in pieces]))
        assert columns.dtype == bool


def test_onsets_stand_beside_the_sounding_keys(numbers):
    data = numbers(onsets=True)
    columns, _ = data.arrays("val")
    pieces = [original(name) for name in data.names("val")]
    np.testing.assert_array_equal(
        columns, np.concatenate([np.hstack([p.sounding, p.onsets]) for p in pieces])
    )
    assert data.classes[12:14] == ("C4 onset", "C#4 onset")
    assert data.item_shape == (24,)


def test_crop_takes_the_beginning_of_each_piece(numbers):
    data = numbers(crop=5)
    columns, lengths = data.arrays("train")
    assert set(lengths.tolist()) == {5}
    np.testing.assert_array_equal(columns[:5], original(data.names("train")[0]).sounding[:5])
    assert max(batch.shape[1] for batch, _ in data.test_dataloader()) == 5


def test_evaluation_gives_the_pieces_whole_and_in_order(numbers):
    data = numbers()
    columns, lengths = data.arrays("test")
    rolls, found = next(iter(data.test_dataloader()))
    assert found.tolist() == lengths.tolist()
    inside = torch.arange(rolls.shape[1]) < found[:, None]
    np.testing.assert_array_equal(rolls[inside], columns)


def test_training_gives_windows_of_steps_and_one(numbers):
    data = numbers()
    for rolls, lengths in data.train_dataloader():
        assert rolls.shape == (4, 9, 12)
        assert rolls.dtype == torch.uint8
        assert lengths.tolist() == [9] * 4


def test_items_are_known_after_setup(tmp_path, numbers):
    assert Numbers(tmp_path).n_items == {}
    data = numbers()
    assert data.n_items == {"train": 11, "val": 4, "test": 4}
    assert len(data.names("val")) == 4


def test_setup_before_building_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="mode=prepare"):
        Numbers(tmp_path).setup("fit")


def test_another_division_crop_or_window_builds_nothing(numbers, tmp_path):
    first = numbers()
    made = (tmp_path / "diary").read_text()
    second = numbers(seed=2, crop=4, n_steps=None, onsets=True)
    assert (tmp_path / "diary").read_text() == made
    assert first.names("test") != second.names("test")
    assert first.signature != second.signature


def test_signature_does_not_depend_on_how_training_is_cut(tmp_path):
    assert Numbers(tmp_path).signature == Numbers(tmp_path, n_steps=None, batch_size=2).signature


def test_groups_on_two_sides_are_refused(numbers, monkeypatch):
    monkeypatch.setattr(
        "src.datamodules.rolls.base.group_shuffle_split",
        lambda groups, *_: np.array((["train", "val", "test"] * len(groups))[: len(groups)]),
    )
    with pytest.raises(UserError, match=r"share \d+ group"):
        numbers()


def test_a_published_split_is_kept_and_what_it_shares_is_said(numbers, capsys):
    data = numbers(own=True)
    assert data.n_items == {"train": 14, "val": 3, "test": 3}
    assert data.summary()["shared_with_train"] == {"val": 0, "test": 1}
    assert "0 of val, 1 of test" in capsys.readouterr().err


def test_an_empty_published_part_is_refused(numbers, monkeypatch):
    monkeypatch.setattr(slow_rolls, "PIECE_IDS", slow_rolls.PIECE_IDS[:15])
    with pytest.raises(UserError, match="has no piece"):
        numbers(own=True)


def test_summary_counts_and_is_plain_json(numbers):
    data = numbers()
    summary = data.summary()
    assert json.loads(json.dumps(summary))["items"] == data.n_items
    columns, lengths = data.arrays("train")
    assert summary["frames"]["train"] == len(columns) == lengths.sum()
    assert summary["density"]["train"] == pytest.approx(columns.mean())
    assert summary["groups"]["train"] == len({original(name).group for name in data.names("train")})
    assert [name for name, _ in summary["left_out"]] == ["3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "data.n_steps=0"),
        ({"n_steps": 1.5}, "data.n_steps=1.5"),
        ({"crop": 1}, "data.crop=1"),
        ({"seed": -1}, "data.seed=-1"),
        ({"split": {"val": 0.5, "test": 0.5}}, "data.split"),
        ({"split": {"val": 0.2}}, "data.split"),
        ({"split": {"val": 0.2, "test": 0}}, "data.split"),
        ({"split": {"val": 0.2, "test": "a"}}, "data.split"),
        ({"workers": 0}, "workers"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        Numbers(tmp_path, **options)


def test_names_of_keys():
    assert [key_name(note) for note in (0, 21, 60, 61, 108, 127)] == ["C-1", "A0", "C4", "C#4", "C8", "G9"]
    for note in range(128):
        assert pretty_midi.note_name_to_number(key_name(note)) == note


def test_contact_sheet_has_pieces_of_each_part_and_lists_of_all(numbers, tmp_path):
    data = numbers()
    sheet = tmp_path / "sheet"
    data.contact_sheet(sheet)
    for split in ("train", "val", "test"):
        stems = {file.stem for file in sheet.glob(f"{split}_*.mid")}
        assert 1 <= len(stems) <= 3
        assert stems == {file.stem for file in sheet.glob(f"{split}_*.png")}
        assert stems == {file.stem for file in sheet.glob(f"{split}_*.wav")}
    rows = list(csv.DictReader((sheet / "pieces.csv").open()))
    assert sorted(row["name"] for row in rows) == sorted(f"piece {n}" for n in range(20) if n != 3)
    assert float(rows[0]["density"]) == pytest.approx(original(rows[0]["name"]).sounding.mean(), abs=1e-4)
    assert "piece 3 is broken" in (sheet / "left_out.csv").read_text()


def test_contact_sheet_of_names_that_are_not_utf8(numbers, tmp_path, monkeypatch):
    data = numbers()
    names = {split: [f"{name}\udcff" for name in data.names(split)] for split in ("train", "val", "test")}
    monkeypatch.setattr(data, "names", names.get)
    data.contact_sheet(tmp_path / "sheet")
    listed = (tmp_path / "sheet" / "pieces.csv").read_bytes()
    assert listed.count(b"\xff,") == sum(map(len, names.values()))


def test_contact_sheet_midi_has_the_notes(numbers, tmp_path):
    data = numbers()
    data.contact_sheet(tmp_path / "sheet")
    name = data.names("val")[0]
    file = mido.MidiFile(tmp_path / "sheet" / f"val_{name.replace(' ', '-')}.mid")
    starts = {m.note for track in file.tracks for m in track if m.type == "note_on" and m.velocity}
    assert starts == {60 + key for key in np.flatnonzero(original(name).sounding.any(0))}


def test_contact_sheet_without_a_synthesiser_has_no_sound_and_says_so(numbers, tmp_path, monkeypatch, capsys):
    def missing(_):
        raise UserError("there is no FluidSynth")

    monkeypatch.setattr("src.audio.roll_files.Synthesizer", missing)
    numbers().contact_sheet(tmp_path / "sheet")
    assert "no FluidSynth" in capsys.readouterr().err
    assert list((tmp_path / "sheet").glob("*.mid"))
    assert not list((tmp_path / "sheet").glob("*.wav"))


def test_groups_are_those_of_the_split_in_the_order_of_the_loaders(numbers):
    data = numbers()
    groups = check_groups(data, {split: data.n_items[split] for split in ("val", "test")})
    named = data.group_names("test")
    assert named == [original(name).group for name in data.names("test")]
    assert len(set(zip(named, groups["test"].tolist(), strict=True))) == len(set(named)) < len(named)
    lengths = torch.cat([lengths for _, lengths in data.test_dataloader()])
    assert lengths.tolist() == [len(original(name).sounding) for name in data.names("test")]


def test_what_is_evaluated_does_not_depend_on_how_training_is_cut(tmp_path):
    usual = Numbers(tmp_path).evaluation_signature
    assert Numbers(tmp_path, n_steps=None, batch_size=2).evaluation_signature == usual
    for change in ({"seed": 2}, {"crop": 9}, {"own": True}):
        assert Numbers(tmp_path, **change).evaluation_signature != usual, change
