"""Which keys conf/ has, and which choices bring them."""

from src.configuration.known_keys import choices_with, known_keys
from tests.conftest import CONF


def test_known_keys_are_those_of_conf():
    keys = known_keys(CONF)
    assert {"optimizer", "optimizer.lr", "seed", "data.n_clips.train", "trainer.max_epochs"} <= keys
    assert {"checkpoint", "overfit_batches", "generation.pieces", "data.level_db", "class_map.piano"} <= keys
    assert not any("_target_" in key or "defaults" in key for key in keys)


def test_a_key_is_found_in_the_choices_that_have_it_or_include_it():
    assert choices_with("loss.gamma", CONF) == {"loss": ["focal"]}
    assert choices_with("data.note_seconds", CONF) == {"data": ["mixtures", "tinysol"]}
    assert choices_with("checkpoint", CONF) == {"mode": ["generate", "predict", "test"]}
    rolls = ["chorales", "midi_folder", "poly_music"]
    assert choices_with("generation.pieces", CONF) == {"data": rolls, "mode": ["generate"]}


def test_a_group_below_another_is_found_where_it_can_be_chosen():
    assert choices_with("data/synth_stems/unseen", CONF) == {"data": ["synth_stems"]}
    assert choices_with("mode/test/class_map", CONF) == {"mode": ["test"]}


def test_what_is_nowhere_is_not_found():
    assert choices_with("loss.gama", CONF) == {}
