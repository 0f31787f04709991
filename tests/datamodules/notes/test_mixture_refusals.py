"""What is refused of mixtures, before work where that is possible, and what is left out."""

import pytest

from src.errors import UserError
from tests.datamodules.notes.single_notes import mixtures, ready
from tests.datamodules.notes.tiny_notes import write_notes


def test_an_instrument_that_a_part_lacks_is_named(tmp_path):
    few = [
        {"name": "Flute", "program": 73, "low": 60, "high": 69},
        {"name": "Oboe", "program": 68, "low": 60, "high": 62},
    ]
    data = mixtures(tmp_path, instruments=few)
    data.check()
    with pytest.raises(
        UserError, match=r"folds \[.*\] \((val|test)\) have no note of Oboe; .*data\.split"
    ) as error:
        data.prepare_data()
    assert "\n" not in str(error.value)


def test_recordings_that_cannot_be_used_are_left_out(tmp_path, capsys):
    rows = write_notes(tmp_path / "root")
    (tmp_path / "root" / "audio" / rows[0]["Path"]).write_bytes(b"")
    with pytest.raises(
        UserError, match=r"1 of 30 notes cannot be used, more than 1%: .*Fl-ord-60\.wav is empty"
    ):
        ready(mixtures(tmp_path, source="recordings", root=str(tmp_path / "root")))
    data = ready(mixtures(tmp_path / "again", source="recordings", root=str(tmp_path / "root"), max_bad=0.05))
    assert sum(data.summary()["notes"].values()) == 29
    assert "1 of 30 notes cannot be used and are left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_mixtures": {"train": 0, "val": 1, "test": 1}}, r"data\.n_mixtures\.train=0"),
        ({"n_mixtures": {"train": 1, "val": 1}}, r"data\.n_mixtures\.test=None"),
        ({"gain_db": [0.0]}, r"\[low, high\]"),
        ({"gain_db": [0.0, 61.0]}, "-60 to 60"),
        ({"n_sources": 0}, "n_sources"),
        ({"source": "tape"}, "recordings or soundfont"),
        ({"folds": "none"}, "own or pitch"),
        ({"seed": -1}, r"data\.seed=-1"),
        ({"loaders": -1}, r"data\.loaders=-1"),
        ({"loaders": "all"}, r"data\.loaders=all"),
        ({"clip_seconds": 0.0}, "above 0"),
        ({"max_bad": 1.5}, "max_bad"),
        ({"features": {"n_mel": 16}}, "n_mel"),
        ({"workers": 0}, "workers"),
    ],
)
def test_impossible_options_are_refused(tmp_path, changes, says):
    with pytest.raises(UserError, match=says):
        mixtures(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_sources": 4}, r"n_sources=4, but there are 3 instruments; .*distinct=false"),
        ({"soundfonts": []}, "one or several soundfonts"),
        ({"soundfonts": ["none.sf2"]}, r"none\.sf2 is not installed"),
        ({"instruments": []}, "at least one"),
        ({"features": {"sample_rate": 4000}}, "8000"),
        ({"source": "recordings"}, r"TinySOL: data\.root is not set; get it from https://zenodo\.org"),
        ({"source": "recordings", "root": "/none/here"}, "TinySOL: /none/here does not exist; get it from"),
    ],
)
def test_check_refuses_before_work(tmp_path, changes, says):
    with pytest.raises(UserError, match=says) as error:
        mixtures(tmp_path, **changes).check()
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("cache/notes-*"))


def test_more_notes_than_instruments_need_repeats(tmp_path):
    mixtures(tmp_path, n_sources=4, distinct=False).check()


@pytest.mark.parametrize("shifts", [[], [13.0]])
def test_shifts_out_of_range_are_refused(tmp_path, shifts):
    with pytest.raises(UserError, match=r"data\.shifts"):
        mixtures(tmp_path, shifts=shifts)
