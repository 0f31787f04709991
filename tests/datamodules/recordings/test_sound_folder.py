import os

import numpy as np
import pytest

from src.errors import UserError
from tests.datamodules.of_yaml import of_yaml
from tests.datamodules.recordings.sources.films import write_media
from tests.datamodules.sounds import noise, tone, write

FORMATS = ("wav", "flac", "mp3", "ogg", "WAV")


@pytest.fixture
def root(tmp_path):
    """Two classes of ten files each, in all formats, with names that want quoting."""
    for place, label in enumerate(("gong", "ér hú, [二胡]")):
        for number in range(10):
            suffix = FORMATS[number % len(FORMATS)]
            path = tmp_path / "root" / label / f"sub, {number % 2}" / f"é [{number}] #1.{suffix}"
            write(path, noise(1.0 + number % 4, 16000, 1 + number % 2, 10 * place + number), 16000)
    (tmp_path / "root" / "notes.txt").write_text("no sound")
    return tmp_path / "root"


@pytest.fixture
def folder(tmp_path, root):
    def make(**changes):
        return of_yaml("folder", tmp_path / "cache", **{"root": str(root), **changes})

    return make


def ready(data):
    data.prepare_data()
    data.setup("fit")
    return data


def test_folders_are_classes(folder):
    data = ready(folder())
    assert data.classes == ("gong", "ér hú, [二胡]")
    assert data.target == "multiclass"
    assert data.resolved()["target"] == "multiclass"
    recordings = data.summary()["recordings"]
    assert recordings == {"train": 14, "val": 3, "test": 3}
    for item in data._plan.recordings:
        assert item.labels == (item.path.split("/")[0],)
    _, targets = data.arrays("train")
    assert set(targets) == {0, 1}


def test_a_file_outside_the_classes_is_left_out(folder, root):
    write(root / "loose.wav", noise(1.0))
    data = ready(folder(max_bad=0.1))
    assert data.left_out() == [("loose.wav", "lies in no class's folder")]


def test_classes_may_be_links_to_another_disk(folder, root, tmp_path):
    (tmp_path / "disk").mkdir()
    for label in ("gong", "ér hú, [二胡]"):
        (root / label).rename(tmp_path / "disk" / label)
        (root / label).symlink_to(tmp_path / "disk" / label)
    data = ready(folder())
    assert data.classes == ("gong", "ér hú, [二胡]")
    assert data.summary()["recordings"] == {"train": 14, "val": 3, "test": 3}


def test_what_is_no_regular_file_is_left_out_with_the_reason(folder, root):
    os.mkfifo(root / "gong" / "pipe.wav")
    (root / "gong" / "link.wav").symlink_to("gone")
    (root / "loose.wav").symlink_to("gone")
    data = ready(folder(max_bad=0.2))
    assert data.left_out() == [
        ("gong/link.wav", "is a link that leads nowhere"),
        ("gong/pipe.wav", "is not a regular file"),
        ("loose.wav", "lies in no class's folder"),
    ]


def test_a_root_that_is_a_file_is_called_one(folder, root):
    with pytest.raises(
        UserError, match=r"notes\.txt is a file: name a folder of sound files, data\.root=FOLDER"
    ):
        folder(root=str(root / "notes.txt")).check()


def test_a_pipe_that_a_table_names_is_left_out_with_the_reason(folder, root):
    os.mkfifo(root / "pipe.wav")
    label_table(root, ["path,label", *(f'"{name}",{"ab"[n % 2]}' for n, name in enumerate(names(root)))])
    data = ready(folder(table="labels.csv", max_bad=0.1))
    assert data.left_out() == [("pipe.wav", "is not a regular file")]


def test_hidden_folders_are_no_classes(folder, root):
    for name in (".Trash/x.wav", "gong/.cache/y.wav", "gong/._z.wav"):
        write(root / name, noise(1.0))
    data = folder()
    assert data.classes == ("gong", "ér hú, [二胡]")
    assert len(data.recordings()) == 20


def label_table(root, lines):
    (root / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def names(root):
    return sorted(
        p.relative_to(root).as_posix() for p in root.rglob("*.*") if p.suffix not in (".txt", ".csv")
    )


def test_a_table_labels_files_several_times(folder, root):
    label_table(
        root, ["path,label", *(f'"{path}",{"a|b" if n % 2 else "a"}' for n, path in enumerate(names(root)))]
    )
    data = ready(folder(table="labels.csv"))
    assert (data.target, data.classes) == ("multilabel", ("a", "b"))
    assert np.unique(data.arrays("train")[1], axis=0).tolist() == [[1, 0], [1, 1]]
    data = folder(table="labels.csv", target="multiclass", max_bad=1.0)
    assert {item.problem for item in data._survey.listed} == {"", "has 2 label(s)"}
    assert data.signature != folder(table="labels.csv").signature


def test_a_table_of_one_label_each_can_be_multilabel(folder, root):
    label_table(root, ["path,label", *(f'"{path}",{"ab"[n % 2]}' for n, path in enumerate(names(root)))])
    assert folder(table="labels.csv").target == "multiclass"
    assert ready(folder(table="labels.csv", target="multilabel")).arrays("val")[1].shape[1] == 2


def test_the_split_and_groups_of_a_table_are_kept(folder, root):
    splits = ["train"] * 14 + ["val"] * 3 + ["test"] * 3
    rows = zip(names(root), splits, strict=True)
    label_table(
        root, ["path,label,split", *(f'"{path}",{"ab"[n % 2]},{s}' for n, (path, s) in enumerate(rows))]
    )
    data = ready(folder(table="labels.csv"))
    assert {item.path: item.split for item in data._plan.recordings} == dict(
        zip(names(root), splits, strict=True)
    )


def test_validation_is_taken_from_training(folder, root):
    splits = ["train"] * 16 + ["test"] * 4
    lines = [
        f'"{path}",{"ab"[n % 2]},{split},g{n // 2}'
        for n, (path, split) in enumerate(zip(names(root), splits, strict=True))
    ]
    label_table(root, ["path,label,split,group", *lines])
    data = ready(folder(table="labels.csv", split={"val": 0.25, "test": 0.1}))
    assert data.summary()["recordings"] == {"train": 12, "val": 4, "test": 4}
    sides = {(item.group, item.split) for item in data._plan.recordings}
    assert len(sides) == 10


def test_testing_is_taken_from_training(folder, root):
    splits = ["train"] * 16 + ["val"] * 4
    rows = zip(names(root), splits, strict=True)
    label_table(
        root, ["path,label,split", *(f'"{path}",{"ab"[n % 2]},{s}' for n, (path, s) in enumerate(rows))]
    )
    data = ready(folder(table="labels.csv", split={"val": 0.1, "test": 0.25}))
    assert data.summary()["recordings"] == {"train": 12, "val": 4, "test": 4}
    assert {item.path for item in data._plan.recordings if item.split == "val"} == set(names(root)[16:])


@pytest.mark.parametrize("validating", ["val", "train"])
def test_a_file_that_was_copied_from_training_to_test_is_refused(folder, root, validating):
    paths = names(root)
    (root / "copy.wav").write_bytes((root / paths[0]).read_bytes())
    splits = ["train"] * 14 + [validating] * 3 + ["test"] * 4
    rows = zip([*paths, "copy.wav"], splits, strict=True)
    label_table(
        root, ["path,label,split", *(f'"{path}",{"ab"[n % 2]},{s}' for n, (path, s) in enumerate(rows))]
    )
    with pytest.raises(UserError) as refused:
        folder(table="labels.csv").prepare_data()
    assert f"{paths[0]} in " in str(refused.value)
    assert "copy.wav in test are the same sound; give both the same split" in str(refused.value)


def test_a_group_in_two_parts_of_a_table_is_refused_before_work(folder, root):
    splits = ["train"] * 14 + ["val"] * 3 + ["test"] * 3
    lines = [
        f'"{path}",{"ab"[n % 2]},{split},{"song" if n in (3, 18) else ""}'
        for n, (path, split) in enumerate(zip(names(root), splits, strict=True))
    ]
    label_table(root, ["path,label,split,group", *lines])
    data = folder(table="labels.csv")
    with pytest.raises(UserError, match=r"both belong to the group song; correct the column group"):
        data.prepare_data()
    assert not data.folder.exists()


def test_tables_that_do_not_fit_are_refused(folder, root):
    with pytest.raises(UserError, match=r"data\.table=labels\.csv: .* has no such file"):
        folder(table="labels.csv")
    label_table(root, ["path,label", "gone.wav,a"])
    with pytest.raises(
        UserError, match=r"do not exist: gone\.wav and does not name existing files: gong/sub"
    ):
        folder(table="labels.csv")


def test_folders_without_classes_are_refused_before_work(folder, tmp_path):
    with pytest.raises(UserError, match=r"data\.root=FOLDER"):
        folder(root=None).check()
    with pytest.raises(UserError, match=r"gone does not exist.*data\.root=FOLDER"):
        folder(root=str(tmp_path / "gone")).check()
    write(tmp_path / "one" / "a" / "1.wav", noise(1.0))
    with pytest.raises(UserError, match="has 1 folders with sound files in it; give two classes"):
        folder(root=str(tmp_path / "one")).check()
    with pytest.raises(UserError, match="target"):
        folder(target="regression")


def test_channels_that_cancel_are_left_out_where_they_are_mixed(folder, root):
    side = tone(440, 2.0, 16000)
    write(root / "gong" / "wide.wav", np.concatenate([side, -side], axis=1), 16000)
    mono = ready(folder(channels=1, max_bad=0.1))
    assert mono.left_out() == [("gong/wide.wav", "has no sound in mono: its channels cancel each other")]
    stereo = ready(folder(channels=2, max_bad=0.1))
    assert stereo.left_out() == []
    assert stereo._survey.cache.folder == mono._survey.cache.folder


def test_every_file_is_read_or_left_out_or_counted(folder, root, capsys):
    sound = noise(1.0, 48000)
    write(root / "gong" / "a.OPUS", sound, 48000, format="OGG", subtype="OPUS")
    write(root / "gong" / "b.aiff", sound, 48000)
    write(root / "gong" / "c.AIF", sound, 48000, format="AIFF")
    write_media(root / "gong" / "d.m4a", tone(440, 1.0, 44100, 2).T)
    (root / "gong" / "e.m4a").write_bytes(b"x" * 100)
    for name in ("gong/._a.wav", "gong/.DS_Store", "__MACOSX/gong/._a.wav"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"hidden")
    data = ready(folder(max_bad=0.1))
    used = {item.path for item in data._plan.recordings}
    assert {"gong/a.OPUS", "gong/b.aiff", "gong/c.AIF", "gong/d.m4a"} <= used
    assert (len(used), data.classes) == (24, ("gong", "ér hú, [二胡]"))
    assert data.left_out() == [("gong/e.m4a", "cannot be read as a sound file")]
    line = f"folder: 1 of the files in {root} are no sound files and are passed over: notes.txt\n"
    assert line in capsys.readouterr().err
    ready(folder(max_bad=0.1))
    assert capsys.readouterr().err == ""
