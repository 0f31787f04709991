import pytest

from src.datamodules.recordings.chmusic import CLASSES
from src.errors import UserError
from tests.datamodules.of_yaml import of_yaml
from tests.datamodules.sounds import noise, write


@pytest.fixture
def root(tmp_path):
    """Three instruments, five pieces of 5 to 17 s each."""
    for instrument in (1, 2, 11):
        for piece in range(1, 6):
            seconds = 5.0 + 3 * (piece - 1)
            write(
                tmp_path / "root" / f"{instrument}.{piece}.wav", noise(seconds, seed=instrument * 10 + piece)
            )
    return tmp_path / "root"


@pytest.fixture
def chmusic(tmp_path, root):
    def make(**changes):
        return of_yaml("chmusic", tmp_path / "cache", **{"root": str(root), "incomplete": True, **changes})

    return make


def test_pieces_are_split_by_number_and_cut_into_5_s(chmusic):
    data = chmusic()
    data.prepare_data()
    data.setup("fit")
    assert len(data.classes) == 11
    found = {(item.labels[0], item.group, item.split) for item in data._plan.recordings}
    assert {("erhu", "1.1", "train"), ("pipa", "2.4", "val"), ("sheng", "11.5", "test")} <= found
    assert data.summary()["recordings"] == {"train": 9, "val": 3, "test": 3}
    # 5, 8 and 11 s: a rest of half a window is padded
    assert data.n_items["train"] == 3 * (1 + 2 + 2)
    assert data.counts("val").tolist() == [3] * 3
    x, y, counts = next(iter(data.test_dataloader()))
    assert (x.shape, y.tolist(), counts.tolist()) == ((3, 1, 8, 101), [0], [3])
    assert CLASSES[data.arrays("test")[1][-1]] == "sheng"


def test_pieces_of_no_part_are_left_alone(chmusic):
    data = chmusic(pieces={"train": [1], "val": [2], "test": [3]})
    assert {item.group.split(".")[1] for item in data.recordings()} == {"1", "2", "3"}


def test_unknown_instruments_and_other_files(chmusic, root):
    write(root / "12.1.wav", noise(5.0))
    write(root / "readme.wav", noise(5.0))
    write(root / ".Trash" / "1.1.wav", noise(5.0))
    data = chmusic()
    data.check()
    assert [item.path for item in data.recordings()].count("1.1.wav") == 1
    assert len(data.recordings()) == 16
    problems = [item for item in chmusic().recordings() if item.problem]
    assert [(item.path, item.problem) for item in problems] == [
        ("12.1.wav", "has the number 12, but instruments have 1..11")
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        {"train": [1, 2], "val": [2], "test": [3]},
        {"train": [1], "val": [2]},
        {"train": [1], "val": [2], "test": [6]},
    ],
)
def test_impossible_splits_are_refused(chmusic, pieces):
    with pytest.raises(UserError, match=r"data\.pieces"):
        chmusic(pieces=pieces)


def test_a_missing_or_empty_folder_names_the_remedy(chmusic, tmp_path):
    with pytest.raises(UserError, match="github"):
        chmusic(root=None).check()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"1\.1\.wav"):
        chmusic(root=str(tmp_path / "empty")).check()


def test_missing_pieces_are_an_error(chmusic, root):
    says = r"ChMusic: .* has 15 of 55 in the chosen pieces; get the others from .*, or use .* data\.incomplete=true"
    with pytest.raises(UserError, match=says):
        chmusic(incomplete=False).check()
    with pytest.raises(UserError, match="has 6 of 22 in the chosen pieces"):
        chmusic(incomplete=False, pieces={"train": [1], "val": [2], "test": []}).check()
    chmusic().check()
