from collections import Counter

import numpy as np
import pytest

from src.errors import UserError
from src.splitting.assigning import assign_splits, with_drawn_splits
from src.splitting.recording import Recording

SPLITS = ("train", "train", "val", "test", "test")


def assigned(digests, splits=SPLITS, published=False, shares=None, classes=("a",)):
    files = [
        Recording(path=f"{number}.wav", labels=("a",), group=str(number), split=split)
        for number, split in enumerate(splits)
    ]
    return assign_splits(
        "x", files, np.array(digests, np.uint64), classes=classes, shares=shares, seed=1, published=published,
        remedy="give more",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("digests", "names"),
    [
        ([1, 2, 1, 4, 5], r"0\.wav in train and 2\.wav in val"),
        ([1, 2, 3, 4, 2], r"1\.wav in train and 4\.wav in test"),
        ([1, 2, 3, 3, 5], r"2\.wav in val and 3\.wav in test"),
    ],
)
def test_a_sound_in_two_splits_of_own_data_is_refused(digests, names):
    with pytest.raises(UserError, match=f"^x: {names} are the same sound; give both the same split"):
        assigned(digests)


def test_sounds_in_two_splits_of_a_published_split_are_counted_and_said(capsys):
    found = assigned([1, 1, 1, 1, 1], published=True)
    assert found.duplicates == {"val": 1, "test": 2}
    found.say_duplicates("x")
    assert capsys.readouterr().err == (
        "x: 1 validation file duplicates audio of the training split\n"
        "x: 2 test files duplicate audio of the training or validation split\n"
    )


def test_sounds_twice_in_one_split_are_nothing_to_say(capsys):
    found = assigned([1, 1, 3, 4, 4])
    assert found.duplicates == {"val": 0, "test": 0}
    found.say_duplicates("x")
    assert capsys.readouterr().err == ""


def test_what_is_drawn_is_compared_with_what_is_fixed():
    splits = (*[None] * 8, "test", "test")
    assert assigned([*range(8), 8, 8], splits, shares={"val": 0.2}).duplicates == {"val": 0, "test": 0}
    with pytest.raises(UserError, match=r"7\.wav in (train|val) and 8\.wav in test are the same sound"):
        assigned([*range(8), 7, 8], splits, shares={"val": 0.2})


def test_a_published_data_set_may_lack_classes_and_own_data_may_not():
    assigned(range(5), published=True, classes=("a", "b"))
    with pytest.raises(UserError, match="the train split has no recording of b"):
        assigned(range(5), classes=("a", "b"))


def test_fixed_splits_are_kept_and_the_rest_is_drawn():
    files = [
        Recording(path=str(number), labels=("a",), group=str(number), split="test" if number < 5 else None)
        for number in range(25)
    ]
    splits = [item.split for item in with_drawn_splits(files, {"val": 0.25}, 1)]
    assert splits[:5] == ["test"] * 5
    assert Counter(splits[5:]) == {"train": 15, "val": 5}
