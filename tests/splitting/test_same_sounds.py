import numpy as np

from src.splitting.recording import Recording
from src.splitting.same_sounds import one_group_a_sound, shared_sounds


def recordings(*splits):
    return [
        Recording(path=f"{number}.wav", labels=("a",), group=str(number), split=split)
        for number, split in enumerate(splits)
    ]


def test_what_is_to_be_divided_gets_one_group_a_sound():
    files = recordings(None, "test", None, None, None)
    joined = one_group_a_sound(files, np.array([7, 7, 8, 7, 8], np.uint64))
    assert [item.group for item in joined] == ["0", "1", "2", "0", "2"]
    assert one_group_a_sound(files[1:2], np.array([7], np.uint64)) == files[1:2]


def test_sounds_are_sought_in_the_parts_before():
    files = recordings("test", "val", "train", "train", "val", "test")
    found = shared_sounds(files, np.array([1, 1, 1, 2, 3, 3], np.uint64))
    assert found == {"val": [(files[2], files[1])], "test": [(files[2], files[0]), (files[4], files[5])]}
