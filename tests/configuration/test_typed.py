"""What an argument of the command line sets."""

import pytest

from src.configuration.typed import Typed, read


@pytest.mark.parametrize(
    ("argument", "typed", "root"),
    [
        ("seed=1,2", Typed("seed", "1,2", added=False), "seed"),
        ("++data.n_clips.train=3", Typed("data.n_clips.train", "3", added=True), "data"),
        ("~callbacks.best", Typed("callbacks.best", "", added=False), "callbacks"),
        ("optimizer._target_=a.B", Typed("optimizer._target_", "a.B", added=False), "optimizer"),
        ("mode/test/class_map=recorded", Typed("mode/test/class_map", "recorded", added=False), "class_map"),
        ("+data/synth_stems/unseen@data=a=b", Typed("data/synth_stems/unseen", "a=b", added=True), "data"),
    ],
)
def test_keys_and_choices_are_read(argument, typed, root):
    assert read(argument) == typed
    assert typed.root == root


@pytest.mark.parametrize("flag", ["-m", "--cfg", "--trial"])
def test_flags_set_nothing(flag):
    assert read(flag) is None


def test_what_lies_below_a_key():
    assert Typed("data.leave_out.a", "", added=False).is_below("data.leave_out")
    assert Typed("hydra/launcher", "", added=False).is_below("hydra.launcher")
    assert not Typed("data.leave_outs", "", added=False).is_below("data.leave_out")
