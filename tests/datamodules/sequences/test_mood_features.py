import csv

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from src.datamodules.sequences.label_pictures import draw_values
from src.errors import UserError
from tests.datamodules.sequences.feature_folders import (
    AXES,
    built,
    clip,
    mood_folder,
    mood_values,
    write_array,
)


@pytest.fixture
def root(tmp_path):
    mood_folder(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def mood(tmp_path, root):
    def make(**changes):
        return built("mood_features", tmp_path / "cache", **{"root": str(root), **changes})

    return make


def used(data):
    with (data.folder / "manifest.csv").open() as file:
        return list(csv.DictReader(file))


def test_without_labels_of_test_the_parts_are_drawn_from_train(mood, capsys):
    data = mood()
    data.prepare_data()
    assert data.n_items == {"train": 28, "val": 6, "test": 6}
    assert {row["path"].split("/")[1] for row in used(data)} == {"train"}
    assert len({row["path"] for row in used(data)}) == 40
    assert (
        "multitask_dataset/test has no labels; val and test are drawn from train" in capsys.readouterr().err
    )
    other = mood(seed=2)
    other.prepare_data()
    assert used(other) != used(data)


def test_labels_of_test_make_it_the_test_part(mood, root):
    mood_folder(root, labelled_test=True)
    data = mood()
    data.prepare_data()
    assert data.n_items == {"train": 34, "val": 6, "test": 4}
    assert {row["path"].split("/")[1] for row in used(data) if row["split"] == "test"} == {"test"}


def test_a_table_of_test_with_names_only_is_no_label(mood, root):
    (root / "multitask_dataset" / "test_labels.txt").write_text("Id\n5000\n5001\n")
    data = mood()
    data.prepare_data()
    assert data.n_items == {"train": 28, "val": 6, "test": 6}


@pytest.mark.parametrize("axes", [list(AXES), ["energy"], ["danceability", "valence"]])
def test_targets_are_those_of_the_table(mood, root, axes):
    data = mood(axes=axes)
    data.prepare_data()
    assert data.classes == tuple(axes)
    assert data.target == "regression"
    values = mood_values(root / "multitask_dataset")
    columns = [AXES.index(axis) for axis in axes]
    for split in ("train", "val", "test"):
        rows = [row for row in used(data) if row["split"] == split]
        wanted = np.array([values[row["group"]] for row in rows], np.float32)[:, columns]
        found = data.arrays(split)[1]
        assert found.dtype == np.float32
        assert np.array_equal(found, wanted)
        assert [row["labels"] for row in rows] == [
            "|".join(f"{axis}={number:g}" for axis, number in zip(axes, of_row, strict=True))
            for of_row in wanted
        ]


def test_a_batch_is_padded(mood):
    data = mood(features="mel")
    data.prepare_data()
    x, y, lengths = next(iter(data.val_dataloader()))
    assert x.shape == (4, 1, 128, int(lengths.max()))
    assert (y.shape, y.dtype) == ((4, 3), torch.float32)
    assert all(not item[..., length:].any() for item, length in zip(x, lengths, strict=True))


def test_the_axes_share_one_build_but_are_data_of_their_own(mood, root):
    one, other = mood(axes=["valence"]), mood(axes=["energy"])
    assert one.store.folder == other.store.folder
    assert one.signature != other.signature
    table = root / "multitask_dataset" / "train_labels.txt"
    text = table.read_text().splitlines()
    table.write_text("\n".join([text[0], "0,0.5,0.5,0.5", *text[2:]]))
    assert mood(axes=["valence"]).signature != one.signature


def test_values_that_are_no_numbers_from_0_to_1_are_left_out(mood, root):
    place = root / "multitask_dataset"
    lines = (place / "train_labels.txt").read_text().splitlines()
    lines[1:4] = ["0,1.5,0.5,0.5", "1,0.5,,0.5", "2,0.5,0.5,loud"]
    (place / "train_labels.txt").write_text("\n".join([*lines, "99,0.1,0.2,0.3"]))
    write_array(place / "train" / "98.fused.full.npy", clip(98))
    data = mood(max_bad=0.2)
    data.prepare_data()
    assert {path.rpartition("/")[2]: reason for path, reason in data.left_out()} == {
        "0.fused.full.npy.gz": "has valence '1.5', which is not a number from 0 to 1",
        "1.fused.full.npy.gz": "has no energy",
        "2.fused.full.npy.gz": "has danceability 'loud', which is not a number from 0 to 1",
        "98.fused.full.npy": "has no label in train_labels.txt",
        "99": "has a label in train_labels.txt, but does not exist",
    }
    with pytest.raises(UserError, match="5 of 42 files cannot be used"):
        mood().prepare_data()
    assert len(mood(axes=["energy"], max_bad=0.2).options.axes) == 1


def test_an_axis_that_is_not_asked_for_may_be_wrong(mood, root):
    table = root / "multitask_dataset" / "train_labels.txt"
    lines = table.read_text().splitlines()
    lines[1] = "0,,0.5,0.5"
    table.write_text("\n".join(lines))
    data = mood(axes=["energy", "danceability"], max_bad=0.0)
    data.prepare_data()
    assert data.left_out() == []


@pytest.mark.parametrize("axes", [[], ["arousal"], ["energy", "energy"], "energy", None])
def test_other_axes_are_refused(mood, axes):
    with pytest.raises(UserError, match="of valence, energy, danceability"):
        mood(axes=axes)


def test_beats_lie_in_a_folder_of_their_own_and_a_missing_root_is_said(mood, root):
    mood_folder(root, beat=True)
    data = mood(beat_sync=True)
    data.prepare_data()
    assert {row["path"].split("/")[0] for row in used(data)} == {"multitask_dataset_beat"}
    with pytest.raises(UserError, match=r"kaggle.com/datasets/geoparslp.*multitask_dataset_beat.*data.root"):
        mood(root=None).check()


def test_the_contact_sheet_names_numbers_and_draws_them(mood, tmp_path):
    data = mood()
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    names = {path.name for path in (tmp_path / "sheet").iterdir()}
    assert "values.png" in names
    items = [name.split("_") for name in names if name != "values.png"]
    assert 3 <= len(items) <= 9
    for axis, column in zip(AXES, data.arrays("train")[1].T, strict=True):
        said = [float(part.removeprefix(axis)) for item in items for part in item if part.startswith(axis)]
        assert (min(said), max(said)) == pytest.approx((column.min(), column.max()), abs=1e-4)


def test_the_picture_of_the_numbers_has_a_histogram_an_axis_and_part(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    values = {"train": np.array([[0.1, 0.9], [0.12, 0.5]]), "test": np.array([[0.5, 1.0]])}
    draw_values(values, ("valence", "energy"), tmp_path / "values.png")
    assert [axes.get_xlabel() for axes in drawn[0].axes] == ["valence", "energy"]
    assert [text.get_text() for text in drawn[0].axes[0].get_legend().get_texts()] == ["train", "test"]
    train = drawn[0].axes[0].patches[0].get_xy()
    assert train[:, 1].max() == pytest.approx(1 / 0.05)  # both in one of 20 bins


def test_the_generated_clips_say_their_numbers(mood, root):
    data = mood()
    data.prepare_data()
    x, y, lengths = next(iter(data.train_dataloader()))
    mel = x[:, 0, :126].float().sum(-1) / lengths[:, None]
    thirds = (mel.reshape(4, 3, 42).mean(-1) + 80) / 60
    assert torch.allclose(thirds, y, atol=0.01)
