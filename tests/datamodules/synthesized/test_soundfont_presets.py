"""What stems are known by, which options are refused, and which soundfonts may play which part."""

import shutil
from pathlib import Path

import pytest

from src.errors import UserError
from src.options import roles
from src.sweep.identity import signature
from tests.audio.soundfonts.tiny_fonts import tone, write_font
from tests.datamodules.conftest import FEATURES
from tests.datamodules.synthesized.tiny_stems import (
    CLASSES,
    PIANO,
    PLAIN,
    PROGRAMS,
    VARIED,
    VIOLIN,
    played,
)


def test_soundfonts_seen_in_training_are_allowed_and_said(stems, fonts):
    seen = {"soundfonts": [str(fonts["full"]), str(fonts["test"])]}
    with pytest.raises(UserError, match="soundfont test is in train and in test"):
        stems(**seen).check()
    data = stems(**seen, seen=True)
    data.check()
    assert data.summary()["seen"] is True
    assert data.summary()["soundfonts"] == {"train": ["full", "test"], "val": ["val"], "test": ["test"]}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"n_stems": 15},
        {"n_clips": {"val": 10, "test": 7}},
        {"effects": False},
        {"variation": VARIED | {"relatives": 0.5}},
        {"variation": VARIED | {"velocity": [30, 121]}},
        {"classes": [{**CLASSES[0], "relatives": [[0, 1]]}, *CLASSES[1:]]},
        {"leave_out": {"part": ["violin"]}},
    ],
)
def test_signature_covers_what_determines_the_stems(stems, change):
    assert stems(**change).signature != stems().signature


@pytest.mark.parametrize(
    "change",
    [
        {"level_db": 0.0}, {"equaliser_db": 1.0}, {"n_mixtures": 9},
        {"shuffle_seed": 3}, {"workers": 2}, {"batch_size": 3},
    ],
)  # fmt: skip
def test_signature_leaves_out_how_they_are_mixed(stems, change):
    assert stems(**change).signature == stems().signature


def test_signature_covers_which_font_plays_which_class(stems):
    """Both have a piano and a violin, one each, in this order."""
    one = stems(leave_out={"full": ["violin", "trumpet"], "part": ["piano"]})
    other = stems(leave_out={"full": ["violin", "trumpet", "piano"]})
    assert [label for label, _ in played(one)] == [label for label, _ in played(other)] == [PIANO, VIOLIN]
    assert one.signature != other.signature


def test_checking_does_not_change_the_signature(stems):
    checked = stems()
    checked.check()
    assert checked.signature == stems().signature


@pytest.mark.parametrize("key", ["soundfonts", "val_soundfonts", "test_soundfonts"])
def test_signature_and_identity_cover_fonts_by_content(stems, options, tmp_path, key):
    """Also once checked; where they lie does not count."""

    def counted(fonts: list[str]) -> tuple[str, str]:
        data = stems(**{key: fonts})
        data.check()
        of_keys = {f"data.{name}": of_name for name, of_name in roles(type(data)).items()}
        config = {"data": {**options, key: fonts, "cache_dir": ""} | data.resolved()}
        return data.signature, signature(config, of_keys)

    usual = counted(options[key])
    moved = Path(shutil.copy(options[key][0], tmp_path / Path(options[key][0]).name))
    assert counted([str(moved), *options[key][1:]]) == usual
    write_font(moved, PROGRAMS, seed=77) if key != "soundfonts" else write_font(
        moved, [*PROGRAMS, 1, 2], seed=77, moved={2: (8, 0)}
    )
    for before, now in zip(usual, counted([str(moved), *options[key][1:]]), strict=True):
        assert before != now


def test_fonts_are_resolved_to_paths(stems, fonts, monkeypatch):
    monkeypatch.chdir(fonts["val"].parent)
    relative = stems(
        val_soundfonts=["val.sf2"], soundfonts=["full.sf2"], test_soundfonts=["test.sf2"]
    ).resolved()
    assert relative == {
        "soundfonts": [str(fonts["full"])],
        "val_soundfonts": [str(fonts["val"])],
        "test_soundfonts": [str(fonts["test"])],
        "leave_out": {},
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": FEATURES | {"scaling": "db"}}, "choose db_max"),
        ({"features": FEATURES | {"scaling": "z_norm"}}, "choose db_max"),
        *(({"variation": PLAIN | {name: share}}, f"variation.{name}=.* from 0 to 1")
          for name in ("relatives", "transpose", "stretch", "generators") for share in (-0.1, 1.1)),
        ({"variation": PLAIN | {"velocity": [30]}}, "variation.velocity"),
        ({"variation": PLAIN | {"velocity": [0, 90]}}, "variation.velocity"),
        ({"variation": PLAIN | {"velocity": [90, 30]}}, "variation.velocity"),
        ({"leave_out": {"full": ["cello"]}}, r"leave_out\.full: cello is not one of the classes piano, violin"),
        ({"classes": [{**CLASSES[0], "relatives": [[0]]}, *CLASSES[1:]]}, "piano: relatives"),
        ({"classes": [{**CLASSES[0], "relatives": [[0, "a"]]}, *CLASSES[1:]]}, "piano: relatives"),
        ({"n_stems": 0}, "n_stems"),
        ({"n_mixtures": 0}, "n_mixtures"),
        ({"n_clips": {"val": 9}}, r"n_clips\.test"),
        ({"n_clips": {"train": 9, "val": 9, "test": 9}}, r"n_clips\.train: .*n_stems and data\.n_mixtures"),
        *(({"seen": seen}, f"seen={seen}: choose true or false") for seen in ("no", None, 0)),
        ({"level_db": 41.0}, "level_db"),
        ({"equaliser_db": -1.0}, "equaliser_db"),
        ({"soundfonts": []}, "one or several soundfonts"),
        ({"val_soundfonts": []}, r"val_soundfonts=\[\]: choose one or several"),
        ({"max_instruments": 4}, r"choose 1\.\.3"),
    ],
)  # fmt: skip
def test_impossible_options_are_refused(stems, change, says):
    with pytest.raises(UserError, match=says):
        stems(**change)


def test_a_class_that_no_font_plays_is_refused(stems, fonts):
    with pytest.raises(UserError, match=r"data\.soundfonts: none plays trumpet"):
        stems(soundfonts=[str(fonts["part"])]).check()
    with pytest.raises(UserError, match=r"none plays piano;"):
        stems(leave_out={"full": ["piano"], "part": ["piano"]}).check()


@pytest.mark.parametrize("key", ["val_soundfonts", "test_soundfonts"])
def test_a_font_that_judges_has_every_class(stems, fonts, key):
    with pytest.raises(UserError, match=r"part\.sf2 has no program 56"):
        stems(soundfonts=[str(fonts["full"])], **{key: [str(fonts["part"])]}).check()


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"soundfonts": "full", "val_soundfonts": "full"}, "full is in train and in val"),
        ({"soundfonts": "full", "test_soundfonts": "full"}, "full is in train and in test"),
        ({"val_soundfonts": "test"}, "test is in val and in test"),
        ({"soundfonts": "kin"}, r"kin \(train\) and test \(test\).* violin .*leave_out\.kin"),
        ({"val_soundfonts": "kin"}, r"kin \(val\) and test \(test\).* violin "),
    ],
)
def test_a_font_in_two_parts_is_refused(stems, fonts, roles, says):
    with pytest.raises(UserError, match=says):
        stems(**{key: [str(fonts[name])] for key, name in roles.items()}).check()


def test_no_font_for_test_means_the_training_fonts_and_is_refused(stems, fonts):
    with pytest.raises(UserError, match="full is in train and in test"):
        stems(soundfonts=[str(fonts["full"])], test_soundfonts=None).check()


def test_leaving_out_what_is_shared_helps(stems, fonts):
    both = [str(fonts["full"]), str(fonts["kin"])]
    with pytest.raises(UserError, match="violin"):
        stems(soundfonts=both).check()
    data = stems(soundfonts=both, leave_out={"kin": ["violin"]})
    data.check()
    assert (VIOLIN, "kin") not in played(data)
    assert (PIANO, "kin") in played(data)


def test_a_relative_that_is_shared_is_refused(stems, fonts, tmp_path):
    cousin = write_font(tmp_path / "cousin.sf2", [*PROGRAMS, 41], seed=6, copied=(41, tone(3040)))
    with pytest.raises(UserError, match=r"cousin \(train\) and val \(val\).* violin "):
        stems(soundfonts=[str(cousin)]).check()
    stems(soundfonts=[str(cousin)], classes=[CLASSES[0], {**CLASSES[1], "relatives": []}, CLASSES[2]]).check()
