import json
import os
import re
import zlib

import pytest

from src.datamodules.recordings.nsynth import FAMILIES
from src.errors import UserError
from tests.datamodules.of_yaml import of_yaml
from tests.datamodules.sounds import noise, write

INSTRUMENTS = {
    "nsynth-train": ("bass_synthetic_033", "organ_electronic_001"),
    "nsynth-valid": ("bass_acoustic_000", "organ_electronic_104"),
    "nsynth-test": ("bass_acoustic_000", "organ_electronic_104"),
}


@pytest.fixture
def root(tmp_path):
    """Notes as the archives have them; those of the test part are louder than those of the valid part."""
    for number, (folder, instruments) in enumerate(INSTRUMENTS.items()):
        examples = {}
        for instrument in instruments:
            for pitch in range(60, 70 if folder == "nsynth-train" else 62):
                for velocity in (25 + number, 50 + number):
                    name = f"{instrument}-{pitch:03d}-{velocity:03d}"
                    examples[name] = {
                        "note_str": name, "instrument_str": instrument, "pitch": pitch, "velocity": velocity,
                        "instrument_family_str": instrument.split("_")[0], "qualities": [0, 1], "sample_rate": 16000,
                    }  # fmt: skip
                    sound = noise(4.0, 16000, 1, zlib.crc32(name.encode()))
                    write(tmp_path / "root" / folder / "audio" / f"{name}.wav", sound, 16000)
        (tmp_path / "root" / folder / "examples.json").write_text(json.dumps(examples))
    return tmp_path / "root"


@pytest.fixture
def nsynth(tmp_path, root):
    def make(**changes):
        return of_yaml("nsynth", tmp_path / "cache", **{"root": str(root), "incomplete": True, **changes})

    return make


def ready(data):
    data.check()
    data.prepare_data()
    data.setup("fit")
    return data


def test_families_are_told_in_the_published_split(nsynth):
    data = ready(nsynth())
    assert data.classes == FAMILIES
    assert data.n_items == {"train": 40, "val": 8, "test": 8}
    _, targets = data.arrays("test")
    assert {FAMILIES[target] for target in targets} == {"bass", "organ"}
    x, y = next(iter(data.val_dataloader()))
    assert (x.shape, y.shape) == ((4, 1, 8, 81), (4,))


def test_instruments_are_told_where_notes_are_divided(nsynth):
    data = ready(nsynth(label="instrument", split_by="note", split={"val": 0.2, "test": 0.2}))
    assert data.classes == INSTRUMENTS["nsynth-train"]
    assert data.n_items == {"train": 24, "val": 8, "test": 8}
    sides = {}
    for item in data._plan.recordings:
        pitch = item.path.rpartition("/")[2].rsplit("-", 1)[0]
        sides.setdefault(pitch, set()).add(item.split)
    assert all(len(side) == 1 for side in sides.values())  # both velocities of a note


def test_instruments_in_the_published_split_are_refused(nsynth):
    with pytest.raises(UserError, match=r"data\.split_by=note"):
        nsynth(label="instrument")


def test_a_note_without_sound_is_named(nsynth, root):
    (root / "nsynth-train" / "audio" / "bass_synthetic_033-060-025.wav").unlink()
    data = ready(nsynth(max_bad=0.05))
    assert data.left_out() == [("nsynth-train/audio/bass_synthetic_033-060-025.wav", "does not exist")]


NOTE = {"instrument_family_str": "bass", "instrument_str": "bass_synthetic_033", "pitch": 60}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([NOTE], "it holds no notes by name"),
        ({"a": NOTE, "b": {key: value for key, value in NOTE.items() if key != "pitch"}}, "b has no "),
        ({"b": {**NOTE, "instrument_family_str": None}}, "b has no "),
        (
            {"b": {"pitch": 60, "instrument_str": "x"}},
            "b has no instrument_family_str, instrument_str, pitch",
        ),
        ({"b": 3}, "b has no "),
    ],
)
def test_a_table_of_something_else_is_named(nsynth, root, content, says):
    (root / "nsynth-train" / "examples.json").write_text(json.dumps(content))
    for label in ("family", "instrument"):
        with pytest.raises(
            UserError, match=rf"nsynth-train/examples\.json is damaged \({says}.*get it again"
        ):
            nsynth(label=label, split_by="note").recordings()


def test_what_is_missing_or_damaged_is_named(nsynth, root, tmp_path):
    with pytest.raises(UserError, match="magenta"):
        nsynth(root=str(tmp_path / "gone")).check()
    (root / "nsynth-valid" / "examples.json").unlink()
    with pytest.raises(UserError, match=r"nsynth-valid/examples\.json does not exist"):
        nsynth().check()
    nsynth(split_by="note").check()
    (root / "nsynth-train" / "examples.json").write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        nsynth(split_by="note").recordings()


def test_a_name_that_leads_out_of_the_folder_is_not_read(nsynth, root, tmp_path):
    table = root / "nsynth-valid" / "examples.json"
    notes = json.loads(table.read_text())
    write(tmp_path / "private.wav", noise(4.0, 16000), 16000)
    named = {
        "../../../private": "is absolute or has '..'",
        "x" * 300: "does not exist",
        "pipe": "is not a regular file",
    }
    os.mkfifo(root / "nsynth-valid" / "audio" / "pipe.wav")
    table.write_text(json.dumps({**notes, **dict.fromkeys(named, next(iter(notes.values())))}))
    data = nsynth(max_bad=0.5)
    data.prepare_data()
    reasons = dict(data.left_out())
    assert len(reasons) == 3
    for name, reason in named.items():
        assert reasons[f"nsynth-valid/audio/{name}.wav"].startswith(reason)


def test_a_folder_linked_from_elsewhere_is_used(nsynth, root, tmp_path):
    (root / "nsynth-train" / "audio").rename(tmp_path / "other disk")
    (root / "nsynth-train" / "audio").symlink_to(tmp_path / "other disk")
    assert ready(nsynth()).n_items == {"train": 40, "val": 8, "test": 8}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ('{"b": ' + "9" * 5000 + "}", "a number has thousands of digits"),
        (
            '{"a\\ud800": {"pitch": 1, "instrument_family_str": "x", "instrument_str": "x"}}',
            r"a\\ud800 has no ",
        ),
        ('{"a": {"pitch": 1, "instrument_family_str": "\\udfff", "instrument_str": "x"}}', "a has no "),
    ],
)
def test_json_that_python_does_not_read_is_one_line(nsynth, root, text, says):
    (root / "nsynth-train" / "examples.json").write_text(text)
    with pytest.raises(UserError) as error:
        nsynth(label="family", split_by="note").recordings()
    assert re.search(rf"examples\.json is damaged \({says}.*; get it again$", str(error.value))
    assert str(error.value).isprintable()


def test_missing_notes_are_an_error(nsynth):
    says = (
        r"NSynth: .* has \d+ of 289,205 in nsynth-train, \d+ of 12,678 in nsynth-valid, \d+ of 4,096 in nsynth-test; "
        r"get the others from .* or use what is there with data\.incomplete=true"
    )
    with pytest.raises(UserError, match=says):
        nsynth(incomplete=False).prepare_data()
    with pytest.raises(UserError, match=r"has \d+ of 289,205 in nsynth-train; get"):
        nsynth(incomplete=False, split_by="note").prepare_data()
