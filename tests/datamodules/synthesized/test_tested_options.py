"""What a test of a checkpoint may change of the data that it was trained on."""

from pathlib import Path

import pytest

from src.datamodules.synthesized.synth_instruments import SynthInstruments
from src.datamodules.synthesized.synth_stems import SynthStems
from src.errors import UserError

BEST = Path("best.ckpt")
TRAINED = {"soundfonts": ["a", "b"], "leave_out": {"a": ["oboe"]}, "heard": False, "test_soundfonts": ["c"]}


def test_other_soundfonts_of_validation_and_test_can_be_chosen() -> None:
    assert SynthStems.changed_in_test(["unheard=opl3"], BEST) == ["val_soundfonts", "test_soundfonts"]
    assert SynthStems.changed_in_test(["data.test_soundfonts=[d]", "seed=2"], BEST) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("variation=none", "variation= is how training stems vary"),
        ("data.soundfonts=[d]", r"data\.soundfonts is what best\.ckpt"),
        ("++data.leave_out.a=[]", r"data\.leave_out is what best\.ckpt"),
    ],
)
def test_what_training_used_cannot(typed: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        SynthStems.changed_in_test(["seed=2", typed], BEST)


@pytest.mark.parametrize(
    ("trained", "typed", "kept"),
    [(False, False, False), (True, False, True), (False, True, True), (False, "no", "no")],
)
def test_what_training_used_stays(trained: bool, typed: object, kept: object) -> None:
    own = {**TRAINED, "heard": trained}
    tested = {"soundfonts": ["d"], "test_soundfonts": ["e"], "heard": typed}
    expected = {"soundfonts": ["a", "b"], "leave_out": {"a": ["oboe"]}, "heard": kept}
    assert SynthStems.kept_in_test(own, tested) == expected


def test_plain_clips_keep_nothing() -> None:
    assert SynthInstruments.changed_in_test(["data.soundfonts=[d]"], BEST) == []
    assert SynthInstruments.kept_in_test(TRAINED, TRAINED) == {}
