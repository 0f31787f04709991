import json

import numpy as np
import pytest
import soundfile

from src.datamodules.recordings.sources.clips import read_manifest
from src.errors import UserError
from tests.datamodules.of_yaml import of_yaml
from tests.datamodules.recordings.sources.films import chirps, write_media
from tests.datamodules.sounds import tone, write

PITCHES = {"gong": 300, "erhu": 900, "dizi": 1800, "pipa": 3000}


@pytest.fixture
def root(tmp_path):
    """Eight recordings of 7 s two passages each, and a film of 6.2 s."""
    entries = []
    for number in range(8):
        label = list(PITCHES)[number % 4]
        name = f"{number}/take.wav"
        write(tmp_path / "root" / name, tone(PITCHES[label] + 10 * number, 7.0, 8000, 2), 8000)
        stamps = [["0:00", "0:03"], ["0:04", 6.5]]
        entries.append({"file": name, "labels": [label], "time_stamps_to_extract": stamps})
    write_media(tmp_path / "root" / "film.mp4", chirps(6.2), video=True)
    film = {"video": "film.mp4", "labels": ["erhu", "gong"], "description": "a duet"}
    (tmp_path / "root" / "sources.json").write_text(json.dumps([*entries, film]))
    return tmp_path / "root"


@pytest.fixture
def chinese(tmp_path, root):
    def make(**changes):
        small = {"root": str(root), "window_seconds": 1.0, "stride_seconds": 1.0}
        return of_yaml("chinese", tmp_path / "cache", **{**small, **changes})

    return make


def ready(data):
    data.check()
    data.prepare_data()
    data.setup("fit")
    return data


def add(root, **entry):
    entries = json.loads((root / "sources.json").read_text())
    (root / "sources.json").write_text(json.dumps([*entries, entry]))


def test_clips_are_cut_and_become_items(chinese, root):
    data = ready(chinese())
    clips = data.folder_of_data()
    table = read_manifest(clips)
    assert len(table) == sum(data.n_items.values()) == 8 * (3 + 2) + 6
    assert data.item_shape == (2, 8, 21)
    assert {row["clip"] for row in table} >= {
        "[gong]take__0.wav",
        "[erhu]take~2__4.wav",
        "[erhu][gong]film__4.wav",
    }
    first = soundfile.read(clips / "[gong]take__3.wav", dtype="int16")[0]
    film = soundfile.read(root / "0" / "take.wav", dtype="int16")[0]
    np.testing.assert_array_equal(first, film[4 * 8000 : 5 * 8000])


def test_targets_are_the_labels(chinese):
    data = ready(chinese())
    assert data.classes == tuple(PITCHES)
    for split in ("train", "val", "test"):
        recordings = data._plan.recordings[data._plan.of_split(split)]
        _, targets = data.arrays(split)
        for recording, row in zip(recordings, targets, strict=True):
            assert {data.classes[place] for place in np.flatnonzero(row)} == set(recording.labels)
            assert recording.path.startswith("".join(f"[{label}]" for label in recording.labels))


def test_no_source_is_on_two_sides(chinese):
    data = ready(chinese())
    sides = [
        {recording.group for recording in data._plan.recordings[data._plan.of_split(split)]}
        for split in ("train", "val", "test")
    ]
    assert all(sides)
    assert sum(map(len, sides)) == len(set().union(*sides)) == 9


def test_mistakes_stop_before_work_or_are_left_out(chinese, root, capsys):
    add(root, file="gone.wav", labels=["gong"])
    add(root, file="0/take.wav", labels=["pipa"], time_stamps_to_extract=[["0:03", "0:03.5"]])
    with pytest.raises(UserError, match=r"1 problem\(s\).*on_error=skip\n  entry 10 \(gone\.wav\)"):
        chinese().check()
    data = ready(chinese(on_error="skip"))
    said = capsys.readouterr().err
    assert "left out: entry 10 (gone.wav): its path does not exist; put the file into" in said
    assert "left out: entry 11 (0/take.wav), 0:03–0:03.5: it is shorter than a window" in said
    assert data.summary()["passages"] == 18
    assert data.summary()["passages_cut"] == 17
    ready(chinese(on_error="skip"))
    assert "left out: entry" not in capsys.readouterr().err


def test_a_cut_is_named_by_the_list_the_films_and_the_windows(chinese, root):
    before = chinese().folder_of_data()
    assert chinese(seed=2).folder_of_data() == before
    entries = json.loads((root / "sources.json").read_text())
    (root / "sources.json").write_text(json.dumps([*entries[:-1], {**entries[-1], "description": "a trio"}]))
    assert chinese().folder_of_data() == before
    assert chinese(window_seconds=0.5).folder_of_data() != before
    write(root / "7" / "take.wav", tone(500, 7.0, 8000, 2), 8000)
    changed = chinese().folder_of_data()
    assert changed != before
    add(root, file="1/take.wav", labels=["gong"], time_stamps_to_extract=[[3, 4]])
    assert chinese().folder_of_data() != changed


def test_nothing_is_read_before_it_is_cut(chinese):
    with pytest.raises(UserError, match="chinese is not built; run the command with mode=prepare"):
        chinese().setup("fit")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": None}, "data.root is not set: name the folder with sources.json"),
        ({"root": "/nowhere"}, "/nowhere does not exist: name the folder"),
        ({"sources": "other.json"}, r"other\.json cannot be read"),
        ({"sources": "../sources.json"}, r"data\.sources=\.\./sources\.json: name a file in"),
        ({"classes": ["gong", "erhu"]}, "label 'dizi' is unknown; the classes are gong, erhu"),
        ({"on_error": "ignore"}, "choose stop or skip"),
    ],
)
def test_what_is_missing_is_refused_before_work(chinese, options, message):
    with pytest.raises(UserError, match=message):
        chinese(**options).check()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_seconds": 0.01}, "window_seconds=0.01: choose a number of seconds from 0.03"),
        ({"stride_seconds": 0}, "stride_seconds=0"),
        ({"classes": ["a]b"]}, "cannot name a class"),
    ],
)
def test_options_out_of_range_are_refused(chinese, options, message):
    with pytest.raises(UserError, match=message):
        chinese(**options)


def test_windows_of_30_ms(chinese):
    data = ready(chinese(window_seconds=0.03, stride_seconds=0.5))
    assert data.item_shape == (2, 8, 1)
    assert sum(data.n_items.values()) == 8 * (6 + 5) + 13
