import numpy as np
import pytest

from src.errors import UserError
from src.splitting.assigning import division
from src.splitting.recording import Recording

SPLITS = ("train", "train", "val", "test", "test")


def divided(digests, splits=SPLITS, published=False, shares=None, classes=("a",)):
    files = [
        Recording(path=f"{number}.wav", labels=("a",), group=str(number), split=split)
        for number, split in enumerate(splits)
    ]
    return division(
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
def test_a_sound_in_two_parts_of_own_data_is_refused(digests, names):
    with pytest.raises(UserError, match=f"^x: {names} are the same sound; give both the same split"):
        divided(digests)


def test_sounds_in_two_parts_of_a_published_split_are_counted_and_said(capsys):
    found = divided([1, 1, 1, 1, 5], published=True)
    assert found.shared_sounds == {"val": 1, "test": 1}
    found.say_shared_sounds("x")
    assert (
        capsys.readouterr().err
        == "x: the sounds of 1 of val and 1 of test are in a part before theirs, too\n"
    )


def test_sounds_twice_in_one_part_are_nothing_to_say(capsys):
    found = divided([1, 1, 3, 4, 4])
    assert found.shared_sounds == {"val": 0, "test": 0}
    found.say_shared_sounds("x")
    assert capsys.readouterr().err == ""


def test_what_is_divided_is_compared_with_what_is_fixed():
    splits = (*[None] * 8, "test", "test")
    assert divided([*range(8), 8, 8], splits, shares={"val": 0.2}).shared_sounds == {"val": 0, "test": 0}
    with pytest.raises(UserError, match=r"7\.wav in (train|val) and 8\.wav in test are the same sound"):
        divided([*range(8), 7, 8], splits, shares={"val": 0.2})


def test_a_published_data_set_may_lack_classes_and_own_data_may_not():
    divided(range(5), published=True, classes=("a", "b"))
    with pytest.raises(UserError, match="no recording of b is left for train"):
        divided(range(5), classes=("a", "b"))
