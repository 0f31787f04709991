import os

import pytest

from src.fingerprint import files_hash

NAMES = ["a/é [1].txt", "b.txt"]


@pytest.fixture
def root(tmp_path):
    for name in NAMES:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "root"


def test_contents_and_names_count_and_nothing_else(root, tmp_path):
    memory = tmp_path / "memory.json"
    before = files_hash(root, NAMES, memory)
    (root / "c.txt").write_text("another")
    assert files_hash(root, NAMES, memory) == before
    root.rename(tmp_path / "moved")
    assert files_hash(tmp_path / "moved", NAMES, memory) == before
    (tmp_path / "moved" / "b.txt").rename(tmp_path / "moved" / "d.txt")
    assert files_hash(tmp_path / "moved", [NAMES[0], "d.txt"], memory) != before
    (tmp_path / "moved" / "b.txt").write_text("B.txt")
    assert files_hash(tmp_path / "moved", NAMES, memory) != before


def test_unchanged_files_are_read_once(root, tmp_path, monkeypatch):
    before = files_hash(root, NAMES, tmp_path / "memory.json")
    monkeypatch.setattr("src.fingerprint.content_hash", lambda path: pytest.fail("read again"))
    assert files_hash(root, NAMES, tmp_path / "memory.json") == before


def test_a_file_that_has_kept_its_size_and_its_time_of_modification_is_read_again(root, tmp_path):
    before, kept = files_hash(root, NAMES, tmp_path / "memory.json"), (root / "b.txt").stat()
    (root / "b.txt").write_text("B.txt")
    os.utime(root / "b.txt", ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert files_hash(root, NAMES, tmp_path / "memory.json") != before


def test_a_damaged_memory_is_made_again(root, tmp_path):
    before = files_hash(root, NAMES, tmp_path / "memory.json")
    (tmp_path / "memory.json").write_text("{")
    assert files_hash(root, NAMES, tmp_path / "memory.json") == before
