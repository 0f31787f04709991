import numpy as np

from src.splitting.duplicates import duplicates_across_splits, with_duplicates_grouped
from src.splitting.recording import Recording


def recordings(*splits):
    return [
        Recording(path=f"{number}.wav", labels=("a",), group=str(number), split=split)
        for number, split in enumerate(splits)
    ]


def test_what_is_to_be_divided_gets_with_duplicates_grouped():
    files = recordings(None, "test", None, None, None)
    grouped = with_duplicates_grouped(files, np.array([7, 7, 8, 7, 8], np.uint64))
    assert [item.group for item in grouped] == ["0", "1", "2", "0", "2"]
    assert with_duplicates_grouped(files[1:2], np.array([7], np.uint64)) == files[1:2]


def test_sounds_are_sought_in_the_splits_before():
    files = recordings("test", "val", "train", "train", "val", "test")
    found = duplicates_across_splits(files, np.array([1, 1, 1, 2, 3, 3], np.uint64))
    assert found == {"val": [(files[2], files[1])], "test": [(files[2], files[0]), (files[4], files[5])]}


def test_recordings_with_splits_keep_their_groups():
    files = recordings("train", "val", "test")
    assert with_duplicates_grouped(files, np.array([7, 7, 7], np.uint64)) == files
