"""What a test of a checkpoint may change of the data that it was trained on."""

from pathlib import Path
from typing import Any

import pytest

from src.commands.tested_data import data_config
from src.datamodules.base import DataModule
from src.datamodules.rolls.chorales import Chorales
from src.datamodules.synthesized.synth_instruments import SynthInstruments
from src.datamodules.synthesized.synth_stems import SynthStems
from src.errors import UserError
from src.tasks.base import Trained

STEMS = "src.datamodules.synthesized.synth_stems.SynthStems"
OWN = {
    "_target_": STEMS,
    "soundfonts": ["a", "b"],
    "leave_out": {"a": ["oboe"]},
    "seen": False,
    "val_soundfonts": ["v"],
    "test_soundfonts": ["c"],
    "variation": {"stretch": 0.5},
    "n_clips": {"val": 2, "test": 3},
}
UNSEEN = {"soundfonts": ["c", "d"], "val_soundfonts": ["e"], "test_soundfonts": ["a"]}
"""What a choice of `data/synth_stems/unseen` sets."""


def data_of_test(
    data: dict[str, Any], *typed: str, trained_on: type[DataModule] = SynthStems, **own: Any
) -> Any:
    """The data of a test: the checkpoint's own, as `data` changes them, which `typed` was composed to."""
    target = f"{trained_on.__module__}.{trained_on.__name__}"
    description = {"config": {"data": {**OWN, "_target_": target, **own}, "seed": 1}}
    trained = Trained(None, description, Path("best.ckpt"), trained_on)  # type: ignore[arg-type]
    return data_config(trained, {"outputs": "o", "data": data}, ["seed=2", *typed])["data"]


def test_nothing_typed_changes_nothing() -> None:
    assert data_of_test({}) == OWN


def test_what_is_typed_of_a_mapping_is_merged() -> None:
    assert data_of_test({"n_clips": {"test": 5}}, "++data.n_clips.test=5") == OWN | {
        "n_clips": {"val": 2, "test": 5}
    }


def test_other_soundfonts_of_validation_and_test_can_be_chosen() -> None:
    """Training soundfonts stay those that the checkpoint has seen."""
    expected = OWN | {"val_soundfonts": ["e"], "test_soundfonts": ["a"]}
    assert data_of_test(UNSEEN, "+data/synth_stems/unseen=opl3") == expected


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("+data/synth_stems/variation=none", "data/synth_stems/variation"),
        ("++data.variation.stretch=0", "data.variation.stretch"),
        ("++data.soundfonts=[d]", "data.soundfonts"),
        ("++data.leave_out.a=[]", "data.leave_out.a"),
    ],
)
def test_what_training_used_cannot(typed: str, key: str) -> None:
    for data in ({}, OWN):
        with pytest.raises(
            UserError, match=rf"{key} says how training items are made, and best\.ckpt is trained"
        ):
            data_of_test(data, typed)


@pytest.mark.parametrize("group", ["unseen", "variation"])
@pytest.mark.parametrize("trained_on", [SynthInstruments, Chorales])
def test_choices_of_another_data_set_are_refused(group: str, trained_on: type[DataModule]) -> None:
    with pytest.raises(
        UserError, match=f"{group} is for checkpoints trained on data=synth_stems, .*data={trained_on.name}"
    ):
        data_of_test(UNSEEN, f"+data/synth_stems/{group}=opl3", trained_on=trained_on)


@pytest.mark.parametrize(
    ("trained", "typed", "kept"),
    [(False, False, False), (True, False, True), (False, True, True), (False, "no", "no")],
)
def test_what_training_used_stays(trained: bool, typed: object, kept: object) -> None:
    """Even where the data set is named again, with other soundfonts to train on by default."""
    named = OWN | {"soundfonts": ["d"], "leave_out": {}, "test_soundfonts": ["e"], "seen": typed}
    expected = OWN | {"test_soundfonts": ["e"], "seen": kept}
    assert data_of_test(named, "data=synth_stems", seen=trained) == expected


def test_plain_clips_keep_nothing() -> None:
    data = {"soundfonts": ["d"], "variation": {}}
    changed = data_of_test(data, "data.soundfonts=[d]", trained_on=SynthInstruments)
    assert changed["soundfonts"] == ["d"]


def test_another_data_set_replaces_that_of_the_checkpoint() -> None:
    other = {"_target_": "src.datamodules.recordings.folder.Folder", "root": "r"}
    assert data_of_test(other, "data=folder", "data.root=r") == other
