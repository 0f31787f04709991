import os
from pathlib import Path

import pytest

from src.errors import UserError
from src.paths import inside, is_inside, not_a_file, visible_files, visible_names


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "b.wav").touch()
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "c.wav").touch()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "disk")
    (tmp_path / "root" / "circle").symlink_to(tmp_path / "root" / "circle")
    (tmp_path / "root" / "zero.wav").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "root" / "pipe.wav")
    return tmp_path / "root"


@pytest.mark.parametrize("name", ["a/b.wav", "./a/b.wav", "linked/c.wav"])
def test_files_of_a_folder_and_of_links_in_it_are_found(root: Path, name: str) -> None:
    assert inside(root, name) == root / name
    assert is_inside(root, name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../disk/c.wav", "is absolute or has"),
        ("a/../../disk/c.wav", "is absolute or has"),
        ("/etc/passwd", "is absolute or has"),
        ("pipe.wav", "is not a regular file"),
        ("zero.wav", "is not a regular file"),
        ("a", "is not a regular file"),
        ("", "is not a regular file"),
        ("gone.wav", "does not exist"),
        ("circle", "is a link that leads nowhere"),
        ("x" * 5000, "does not exist"),
        ("a\0b", "does not exist"),
    ],
)
def test_other_names_are_refused(root: Path, name: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"^{reason}"):
        inside(root, name)
    assert not is_inside(root, name)


def test_hidden_names_and_folders_are_passed_over(tmp_path):
    root = tmp_path / ".data" / "root"  # what lies above the root does not count
    for name in ("b.wav", "a/é.wav", ".c.wav", ".Trash/d.wav", "a/.thumbs/e.wav", "a/f.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "folder.wav").mkdir()
    assert visible_files(root, "*.wav") == [Path("a/é.wav"), Path("b.wav")]
    assert visible_files(root) == [Path("a/f.txt"), Path("a/é.wav"), Path("b.wav")]


def test_linked_folders_are_entered_but_for_circles(tmp_path: Path) -> None:
    root = tmp_path / "data" / "root"
    for folder in (root / "own", tmp_path / "disk" / "deep"):
        folder.mkdir(parents=True)
        (folder / "a.wav").touch()
    (root / "class").symlink_to(tmp_path / "disk")
    (root / ".hidden").symlink_to(tmp_path / "disk")
    (root / "own" / "up").symlink_to("..")
    (root / "own" / "above").symlink_to(tmp_path / "data")
    (root / "own" / "all").symlink_to("/")
    (tmp_path / "disk" / "back").symlink_to(root)
    (tmp_path / "disk" / "deep" / "self").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "file.wav").symlink_to(root / "own" / "a.wav")
    found = [Path("class/deep/a.wav"), Path("class/file.wav"), Path("own/a.wav")]
    assert visible_files(root, "*.wav") == found
    (tmp_path / "link").symlink_to(root)
    assert visible_files(tmp_path / "link") == found


def test_two_links_to_one_folder_are_both_entered(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.wav").touch()
    (tmp_path / "b").symlink_to("a")
    assert visible_files(tmp_path) == [Path("a/1.wav"), Path("b/1.wav")]


def test_a_folder_that_is_missing_has_no_files(tmp_path: Path) -> None:
    assert visible_files(tmp_path / "gone") == []


def test_what_is_no_regular_file_is_named_but_is_no_file(root: Path) -> None:
    (root / "nowhere.wav").symlink_to("gone.wav")
    names = ["a/b.wav", "circle", "linked/c.wav", "nowhere.wav", "pipe.wav", "zero.wav"]
    assert [name.as_posix() for name in visible_names(root)] == names
    assert [name.as_posix() for name in visible_files(root)] == ["a/b.wav", "linked/c.wav"]


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="Linux has files without an end below /proc")
def test_what_the_kernel_shows_is_no_regular_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to("/proc/version")
    (tmp_path / "empty.wav").touch()
    assert not_a_file(tmp_path / "a.wav") == "is not a regular file"
    assert not_a_file(tmp_path / "empty.wav") == ""
