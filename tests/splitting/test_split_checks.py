import pytest

from src.errors import UserError
from src.splitting.checks import check_classes, check_filled, check_groups
from src.splitting.recording import Recording


def recording(number: int, split: str | None = None, label: str = "a") -> Recording:
    return Recording(path=f"{number}.wav", labels=(label,), group=str(number), split=split)


def test_an_empty_split_is_one_line():
    files = [recording(1, "train"), recording(2, "test"), recording(3, "test")]
    with pytest.raises(
        UserError, match=r"^x: the val split has no recording \(train has 1, val has 0, test has 2"
    ):
        check_filled("x", files, "more are needed")


def test_a_class_without_training_is_one_line():
    files = [recording(1, "train"), recording(2, "test", "b"), recording(3, "val", "c")]
    check_classes("x", files, ["a"])
    with pytest.raises(
        UserError,
        match=r"^x: the train split has no recording of b, c; give more files, or leave the class out$",
    ):
        check_classes("x", files, ["a", "b", "c"])


def test_a_group_in_two_splits_is_one_line():
    files = [recording(1, "train"), recording(2, "train"), recording(3, "test")]
    check_groups("x", files, ["s", "s", "t"])
    with pytest.raises(
        UserError, match=r"^x: 2\.wav is in train and 3\.wav in test.* group t; correct the column group"
    ):
        check_groups("x", files, ["s", "t", "t"])
