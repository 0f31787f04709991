import csv
import gzip
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from src.datamodules.sequences.label_pictures import draw_merging
from src.errors import UserError
from tests.datamodules.sequences.feature_folders import (
    GENRES,
    built,
    clip,
    genre_clip,
    genre_folder,
    write_array,
)

PUBLISHED = {
    "Rock": "Rock",
    "Psych-Rock": "Rock",
    "Indie-Rock": None,
    "Post-Rock": "Rock",
    "Psych-Folk": "Folk",
    "Folk": "Folk",
    "Metal": "Metal",
    "Punk": "Metal",
    "Post-Punk": None,
    "Trip-Hop": "Trip-Hop",
    "Pop": "Pop",
    "Electronic": "Electronic",
    "Hip-Hop": "Hip-Hop",
    "Classical": "Classical",
    "Blues": "Blues",
    "Chiptune": "Electronic",
    "Jazz": "Jazz",
    "Soundtrack": None,
    "International": None,
    "Old-Time": None,
}
CLASSES = {"Rock": "Rock", "Psych-Rock": "Rock", "Punk": "Metal", "Jazz": "Jazz"}


@pytest.fixture
def root(tmp_path):
    genre_folder(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def genre(tmp_path, root):
    def make(**changes):
        return built("genre_features", tmp_path / "cache", **{"root": str(root), **changes})

    return make


def left_out(data):
    with (data.folder / "left_out.csv").open() as file:
        return {row["path"]: row["reason"] for row in csv.DictReader(file)}


def used(data):
    with (data.folder / "manifest.csv").open() as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def test_the_merging_is_the_published_one(tmp_path):
    data = built("genre_features", tmp_path)
    assert data.merging == PUBLISHED
    assert data.classes == tuple(sorted({name for name in PUBLISHED.values() if name}))
    assert len(data.classes) == 10


def test_items_have_the_class_of_their_genre_and_the_part_of_their_folder(genre, root):
    data = genre()
    data.prepare_data()
    assert data.classes == ("Jazz", "Metal", "Rock")
    table = (root / "fma_genre_spectrograms" / "train_labels.txt").read_text().splitlines()[1:]
    wanted = {line.split(".")[0]: line.split("\t")[1] for line in table}
    rows = used(data)
    assert len(rows) == 4 * 12 + 4 * 4
    for path, row in rows.items():
        number, part = int(Path(path).name.split(".")[0]), path.split("/")[1]
        assert path.startswith("fma_genre_spectrograms/")
        assert row["split"] in (("train", "val") if part == "train" else ("test",))
        assert int(row["frames"]) == 24 + number % 3
        if part == "train":
            assert row["labels"] == CLASSES[wanted[row["group"]]]
    assert left_out(data) == {}
    assert data.statistics()[0].shape == (140,)


def test_validation_is_a_stratified_share_of_train(genre):
    data = genre(split={"val": 0.25, "test": 0.5})
    data.prepare_data()
    counts = Counter((row["split"], row["labels"]) for row in used(data).values())
    assert counts == {
        ("train", "Rock"): 18,
        ("val", "Rock"): 6,
        ("train", "Metal"): 9,
        ("val", "Metal"): 3,
        ("train", "Jazz"): 9,
        ("val", "Jazz"): 3,
        ("test", "Rock"): 8,
        ("test", "Metal"): 4,
        ("test", "Jazz"): 4,
    }
    other = genre(split={"val": 0.25, "test": 0.5}, seed=2)
    other.prepare_data()
    assert {path for path, row in used(other).items() if row["split"] == "val"} != {
        path for path, row in used(data).items() if row["split"] == "val"
    }


@pytest.mark.parametrize(("features", "rows"), [("mel", 128), ("chroma", 12), ("fused", 140)])
def test_a_batch_is_padded_and_has_the_chosen_rows(genre, root, features, rows):
    data = genre(features=features)
    data.prepare_data()
    x, y, lengths = next(iter(data.test_dataloader()))
    assert data.item_shape == (1, rows, 1293)
    assert x.shape == (4, 1, rows, int(lengths.max()))
    assert lengths.tolist() == [24 + number % 3 for number in range(1061, 1065)]
    assert y.tolist() == [data.classes.index(CLASSES[genre]) for genre in GENRES[:4]]
    chosen = {"mel": slice(128), "chroma": slice(128, 140), "fused": slice(140)}[features]
    for item, length, number in zip(x[:, 0], lengths, range(1061, 1065), strict=True):
        made = genre_clip(GENRES[number - 1061], number, int(length))[chosen]
        assert torch.equal(item[:, :length], torch.from_numpy(made.astype(np.float16)))
        assert not item[:, length:].any()


def test_the_inputs_are_chosen_from_one_build_and_beats_from_another_folder(genre, root):
    genre_folder(root, beat=True)
    assert genre(features="mel").store.folder == genre(features="chroma").store.folder
    assert genre(features="mel").signature != genre(features="chroma").signature
    beat = genre(beat_sync=True, max_bad=0.0)
    beat.prepare_data()
    assert {path.split("/")[0] for path in used(beat)} == {"fma_genre_spectrograms_beat"}
    assert {row["frames"] for row in used(beat).values()} == {"6"}
    assert beat.item_shape == (1, 140, 129)


def test_frames_beyond_the_most_are_cut(genre):
    data = genre(max_frames=10)
    data.prepare_data()
    assert data.dataset("test")[np.array([0, 1])][0].shape == (2, 1, 140, 10)


@pytest.fixture
def flawed(root):
    """Six flaws among 60 clips of train, and a label and a file alone."""
    train = root / "fma_genre_spectrograms" / "train"
    write_array(train / "1003.fused.full.npy.gz", clip(1))
    whole = gzip.compress((train / "1006.fused.full.npy").read_bytes())
    (train / "1006.fused.full.npy").unlink()
    (train / "1006.fused.full.npy.gz").write_bytes(whole[: len(whole) // 2])
    nan = clip(2)
    nan[5, 5] = np.nan
    write_array(train / "1002.fused.full.npy", nan)
    (train / "1007.fused.full.npy.gz").unlink()
    write_array(train / "1008.fused.full.npy", clip(3, rows=128))
    write_array(train / "1009.fused.full.npy", clip(4))
    write_array(train / "77.fused.full.npy", clip(5))
    write_array(train / "1011.fused.full.npy.gz", np.array([{}]), pickled=True)
    (train / "1012.fused.full.npy").write_bytes(b"")
    return {
        "1006.fused.full.npy.gz": "is damaged: gzip says 'Compressed file ended before the end-of-stream marker "
        "was reached'",
        "1002.fused.full.npy": "has 1 NaN or infinite value(s)",
        "1007.full.fused.npy": "has a label in train_labels.txt, but does not exist",
        "1008.fused.full.npy": "has the shape (128, 24) instead of (140, frames)",
        "1009.fused.full.npy": "is of the same clip as 1009.fused.full.npy.gz: keep one of them",
        "77.fused.full.npy": "has no label in train_labels.txt",
        "1011.fused.full.npy.gz": "holds pickled objects, which are not loaded",
        "1012.fused.full.npy": "is empty",
    }


def test_flawed_items_are_named_and_left_out(genre, flawed, capsys):
    data = genre(max_bad=0.2)
    data.prepare_data()
    wanted = {f"fma_genre_spectrograms/train/{name}": reason for name, reason in flawed.items()}
    assert left_out(data) == wanted
    assert not wanted.keys() & used(data).keys()
    assert sum(data.n_items.values()) == 64 + 1 - len(flawed)
    said = capsys.readouterr().err.splitlines()
    assert {f"genre_features: left out: {path} {reason}" for path, reason in wanted.items()} <= set(said)
    assert "genre_features: 8 of 65 files are left out; see left_out.csv" in said
    assert torch.isfinite(torch.cat([x.flatten() for x, _, _ in data.train_dataloader()])).all()


def test_too_many_flawed_items_are_an_error(genre, flawed):
    with pytest.raises(
        UserError, match=r"8 of 65 files cannot be used: .*1002.*; repair them .* data.max_bad=0.01"
    ):
        genre().prepare_data()


def test_a_dropped_genre_needs_no_file(genre, root):
    for path in (root / "fma_genre_spectrograms" / "train").glob("1005.*"):  # of Soundtrack
        path.unlink()
    data = genre(max_bad=0.0)
    data.prepare_data()
    assert left_out(data) == {}


def test_a_clip_of_both_parts_is_not_tested(genre, root):
    place = root / "fma_genre_spectrograms"
    write_array(place / "test" / "1001.fused.full.npy", clip(9))
    with (place / "test_labels.txt").open("a") as file:
        file.write("1001.npy\tRock\n")
    data = genre(max_bad=0.1)
    data.prepare_data()
    assert left_out(data) == {
        "fma_genre_spectrograms/test/1001.fused.full.npy": "is of a clip that is also in train"
    }


def test_without_labels_of_test_both_parts_are_drawn(genre, root, capsys):
    (root / "fma_genre_spectrograms" / "test_labels.txt").unlink()
    data = genre(split={"val": 0.25, "test": 0.25})
    data.prepare_data()
    assert data.n_items == {"train": 24, "val": 12, "test": 12}
    assert {path.split("/")[1] for path in used(data)} == {"train"}
    assert (
        "fma_genre_spectrograms/test has no labels; val and test are drawn from train"
        in capsys.readouterr().err
    )


def test_what_is_made_follows_content_and_merging(genre, root):
    before = genre()
    assert genre().signature == before.signature
    assert genre(merge={"A": ["Rock", "Psych-Rock", "Punk"], "B": ["Jazz"]}, drop=["Soundtrack"]).classes == (
        "A",
        "B",
    )
    write_array(root / "fma_genre_spectrograms" / "train" / "1002.fused.full.npy", clip(3))
    assert genre().store.folder != before.store.folder
    assert genre().signature != before.signature


def test_a_missing_root_is_said_before_any_work(tmp_path, root, genre):
    for changes in ({"root": None}, {"root": "/gone"}):
        with pytest.raises(UserError, match=r"kaggle.com/datasets/geoparslp.*data.root=FOLDER"):
            genre(**changes).check()
    with pytest.raises(
        UserError, match=r"has no folder fma_genre_spectrograms_beat; name the folder that contains"
    ):
        genre(beat_sync=True).check()
    (root / "fma_genre_spectrograms" / "train_labels.txt").write_text("Id\tGenre\n")
    with pytest.raises(UserError, match=r"has no train_labels.txt with labels"):
        genre().check()
    assert not (tmp_path / "cache").exists()


def test_an_unknown_genre_and_too_few_classes_are_errors(genre):
    with pytest.raises(UserError, match=r"train_labels.txt has the genre Soundtrack, .*Did you mean"):
        genre(drop=["Soundtracks"])
    with pytest.raises(UserError, match=r"data.merge leaves 1 class\(es\)"):
        genre(merge={"All": list(PUBLISHED)}, drop=[]).check()


def test_a_check_reads_no_file(genre, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    data = genre()
    started = time.perf_counter()
    data.check()
    assert time.perf_counter() - started < 0.5


def test_the_contact_sheet_shows_items_and_the_merging(genre, tmp_path):
    data = genre()
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    names = {path.name for path in (tmp_path / "sheet").iterdir()}
    assert {"classes.csv", "classes.png", "merging.png"} <= names
    assert {name.split("_")[1] for name in names if name.startswith("1_")} == {"Jazz", "Metal", "Rock"}


def test_the_picture_of_the_merging_has_all_genres_and_all_classes(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    draw_merging({"Rock": 3, "Punk": 2, "Post-Rock": 4, "Old-Time": 5}, PUBLISHED, tmp_path / "merging.png")
    bars = [
        {
            label.get_text(): bar.get_width()
            for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
        }
        for axes in drawn[0].axes
    ]
    assert bars == [{"Punk": 2, "Post-Rock": 4, "Rock": 3, "Old-Time": 5}, {"Metal": 2, "Rock": 7}]
    assert [axes.get_title() for axes in drawn[0].axes] == [
        "before: 14 clips of 4 genres",
        "after: 9 clips of 2 classes",
    ]


def test_without_merging_each_genre_that_is_not_dropped_is_a_class(genre):
    data = genre(merge=None, drop=["Soundtrack"])
    assert data.classes == ("Jazz", "Psych-Rock", "Punk", "Rock")
    data.prepare_data()
    assert {item.labels[0] for item in data.used_items()} == set(data.classes)


def test_a_label_that_leads_out_of_the_folder_reads_nothing(genre, root):
    secret = root.parent / "4001.npy"
    write_array(secret, clip(1))
    table = root / "fma_genre_spectrograms" / "train_labels.txt"
    table.write_text(table.read_text() + f"../../../4001.npy\tRock\n{'4002' * 100}.npy\tRock\n")
    before = genre(max_bad=0.2).store_recipe()
    write_array(secret, clip(2))
    assert genre(max_bad=0.2).store_recipe() == before
    data = genre(max_bad=0.2)
    data.prepare_data()
    assert len(left_out(data)) == 2
    assert set(left_out(data).values()) == {"has a label in train_labels.txt, but does not exist"}
