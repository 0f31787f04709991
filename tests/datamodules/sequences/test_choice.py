import numpy as np
import pytest

from src.datamodules.sequences.choice import Choice
from src.errors import UserError
from src.splitting.assigning import AssignedSplits
from src.splitting.recording import Recording


class Maker:
    """Says of each item that it is broken."""

    def problem(self, index: int) -> str:
        return f"is broken at {index}"


def chosen(frames, problems, max_bad=1.0):
    """Items of which the first that can be used is to train, the next to validate, the others to test."""
    listed = [
        Recording(path=f"{number}", labels=("a",), group=f"{number}", problem=problem)
        for number, problem in enumerate(problems)
    ]

    def divide(items, digests):
        assert [item.path for item in items] == [f"{digest - 100}" for digest in digests]
        parts = ["train", "val", *["test"] * (len(items) - 2)]
        pairs = zip(items, parts, strict=True)
        return AssignedSplits([Recording(**{**vars(item), "split": part}) for item, part in pairs], {})

    arrays = {"frames": np.array(frames), "digest": np.arange(len(frames), dtype=np.uint64) + 100}
    return Choice("x", listed, arrays, Maker(), max_bad, divide)


def test_what_has_no_frame_or_a_wrong_label_is_left_out_with_its_reason():
    choice = chosen([5, 0, 7, 3, 2, 0], ["", "", "", "has no label", "", "does not exist"])
    assert choice.left_out == [("1", "is broken at 1"), ("3", "has no label"), ("5", "does not exist")]
    assert {split: numbers.tolist() for split, numbers in choice.numbers.items()} == {
        "train": [0], "val": [2], "test": [4],
    }  # fmt: skip
    assert [item.path for item in choice.items("test")] == ["4"]


def test_too_much_that_is_left_out_is_refused():
    with pytest.raises(
        UserError, match=r"x: 1 of 4 files cannot be used: 1 is broken at 1; .*data\.max_bad=0\.2"
    ):
        _ = chosen([5, 0, 7, 3], [""] * 4, max_bad=0.2).assigned
