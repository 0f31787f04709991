from dataclasses import replace
from pathlib import Path

from src.datamodules.recordings.chmusic import ChMusic
from src.datamodules.recordings.irmas import Irmas
from src.datamodules.recordings.nsynth import NSynth


def test_the_error_of_a_missing_data_set_says_all_that_is_needed():
    for card in (Irmas.card, NSynth.card, ChMusic.card):
        for root, why in ((None, "data.root is not set"), (Path("/gone"), "/gone does not exist")):
            said = str(card.missing(root))
            assert "\n" not in said
            parts = (card.name, why, card.url, card.size, card.licence, card.layout, "data.root=FOLDER")
            assert all(part in said for part in parts)
            assert ("mode=prepare downloads it" in said) == (card is Irmas.card)


def test_only_what_mirdata_knows_is_said_to_be_downloaded():
    assert "mode=prepare" not in str(replace(Irmas.card, mirdata=None).missing(None))
