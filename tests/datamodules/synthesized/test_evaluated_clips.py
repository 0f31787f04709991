"""Which clips validation and test have, whatever is trained on, and which belong together."""

import pytest

from tests.audio.soundfonts.tiny_fonts import write_font
from tests.datamodules.conftest import FEATURES
from tests.datamodules.groups_contract import check_groups
from tests.datamodules.synthesized.tiny_stems import PLAIN, PROGRAMS


def test_a_clip_is_grouped_by_its_piece(tiny):
    data = tiny()
    data.prepare_data()
    data.setup("fit")
    groups = check_groups(data, {"val": 9, "test": 7})
    maker = data.maker()
    assert groups["test"].tolist() == [int(maker.piece(79 + i)[0].digest()) >> 1 for i in range(7)]


def test_the_clips_of_stems_are_grouped_by_their_pieces(stems):
    data = stems()
    data.prepare_data()
    data.setup("fit")
    groups = check_groups(data, {"val": 9, "test": 7})
    maker = data.clip_maker()
    assert groups["val"].tolist() == [int(maker.piece(i)[0].digest()) >> 1 for i in range(9)]


@pytest.mark.parametrize(
    "change",
    [
        {"features": FEATURES | {"n_mels": 8}},
        {"features": FEATURES | {"hop_length": 128}},
        {"n_clips": {"train": 71, "val": 9, "test": 7}},
        {"batch_size": 3},
        {"shuffle_seed": 5},
    ],
)
def test_features_and_training_clips_do_not_count(tiny, change):
    assert tiny(**change).evaluation_signature == tiny().evaluation_signature


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"n_clips": {"train": 70, "val": 8, "test": 7}},
        {"n_clips": {"train": 70, "val": 9, "test": 8}},
        {"effects": False},
        {"clip_seconds": 0.6},
        {"max_instruments": 1},
    ],
)
def test_the_draw_of_pieces_counts(tiny, change):
    assert tiny(**change).evaluation_signature != tiny().evaluation_signature


@pytest.mark.parametrize("key", ["soundfonts", "test_soundfonts"])
def test_the_soundfonts_that_play_validation_and_test_count(tiny, tmp_path, key):
    font = write_font(tmp_path / "other.sf2", PROGRAMS, seed=6)
    assert tiny(**{key: [str(font)]}).evaluation_signature != tiny().evaluation_signature
    assert tiny().summary()["evaluation"] == tiny().evaluation_signature


@pytest.mark.parametrize(
    "change",
    [
        {"features": FEATURES | {"n_mels": 8}},
        {"n_stems": 15},
        {"n_mixtures": 9},
        {"variation": PLAIN},
        {"leave_out": {"part": ["violin"]}},
        {"level_db": 0.0},
    ],
)
def test_stems_do_not_count(stems, change):
    assert stems(**change).evaluation_signature == stems().evaluation_signature


def test_training_soundfonts_of_stems_do_not_count_and_others_do(stems, fonts):
    usual = stems().evaluation_signature
    assert stems(soundfonts=[str(fonts["full"])]).evaluation_signature == usual
    for change in (
        {"val_soundfonts": [str(fonts["kin"])]},
        {"test_soundfonts": [str(fonts["kin"])]},
        {"seen": True},
        {"seed": 2},
        {"n_clips": {"val": 9, "test": 8}},
    ):
        assert stems(**change).evaluation_signature != usual, change
