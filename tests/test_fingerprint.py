import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.fingerprint import (
    DIGITS,
    changed_code,
    code_hash,
    content_hash,
    read_json,
    replacing,
    value_hash,
    write_json,
    write_text,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), PLAIN, min_size=2, max_size=5))
def test_order_of_keys_does_not_count(value):
    turned = dict(reversed(value.items()))
    assert list(turned) != list(value)
    assert value_hash(turned) == value_hash(value)


@given(PLAIN, PLAIN)
def test_different_values_hash_differently(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (value_hash(one) == value_hash(other)) == same


def test_hash_is_short_hexadecimal_and_stable():
    digest = value_hash({"lr": 1e-3})
    assert len(digest) == DIGITS
    assert int(digest, 16) >= 0
    assert digest == value_hash({"lr": 0.001})


@pytest.mark.parametrize(
    ("edited", "same"),
    [
        ('"""Another docstring."""\n\n# a comment\ndef f( x ):\n    """Doc."""\n    return x+1\n', True),
        ("def f(x):\n    return x + 2\n", False),
        ("def g(x):\n    return x + 1\n", False),
    ],
)
def test_code_hash_sees_what_runs(tmp_path, edited, same):
    before, after = tmp_path / "a" / "m.py", tmp_path / "b" / "m.py"
    for file, text in ((before, "def f(x):\n    return x + 1\n"), (after, edited)):
        file.parent.mkdir()
        file.write_text(text)
    assert (code_hash([before], before.parent) == code_hash([after], after.parent)) == same


def test_code_hash_sees_names_of_files(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    assert code_hash([tmp_path / "a.py"], tmp_path) != code_hash([tmp_path / "b.py"], tmp_path)


def test_content_hash_of_a_moved_folder_stays_and_of_a_changed_one_does_not(tmp_path):
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("1")
    (folder / "b.txt").write_text("2")
    before = content_hash(folder)
    moved = folder.rename(tmp_path / "moved")
    assert content_hash(moved) == before
    (moved / "sub" / "a.txt").write_text("3")
    changed = content_hash(moved)
    assert changed != before
    (moved / "b.txt").rename(moved / "c.txt")
    assert content_hash(moved) not in (before, changed)


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path, monkeypatch):
    file, memory = tmp_path / "font.sf2", tmp_path / "cache" / "memory.json"
    file.write_text("one")
    before = content_hash(file, memory)
    monkeypatch.setattr("src.fingerprint._file_hash", lambda _: pytest.fail("the file was read again"))
    assert content_hash(file, memory) == before


def test_content_that_changes_with_its_size_and_time_of_modification_kept_is_noticed(tmp_path):
    file, memory = tmp_path / "font.sf2", tmp_path / "cache" / "memory.json"
    file.write_text("one")
    stamp = file.stat()
    before = content_hash(file, memory)
    while file.stat().st_ctime_ns == stamp.st_ctime_ns:  # the clock of the file system is a coarse one
        file.write_text("two")
        os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert file.stat().st_mtime_ns == stamp.st_mtime_ns
    assert content_hash(file, memory) != before


def test_a_broken_memory_is_no_memory(tmp_path):
    file, memory = tmp_path / "font.sf2", tmp_path / "memory.json"
    file.write_text("one")
    memory.write_text('{"half')
    assert content_hash(file, memory) == content_hash(file)
    assert json.loads(memory.read_text())


def test_write_json_leaves_nothing_else(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"ä": 1})
    write_json(tmp_path / "new" / "a.json", {"ä": 2})
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "new" / "a.json").read_text(encoding="utf-8")) == {"ä": 2}


def test_write_json_keeps_the_old_file_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, 1)

    def full(self, *_args, **_kwargs):
        raise OSError("no space")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_json(path, 2)
    monkeypatch.undo()
    assert json.loads(path.read_text()) == 1


def test_the_files_of_a_folder_are_hashed_in_the_order_of_their_paths(tmp_path):
    names = ["a/b/c", "a/b-c", "a.b", "a-b/c", "B", "é/ü"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "to nothing").symlink_to(tmp_path / "nothing")
    text = ""
    for path in sorted(tmp_path / name for name in names):
        content = hashlib.blake2b(path.read_bytes()).hexdigest()[:32]
        text += f"{path.relative_to(tmp_path)}|{path.stat().st_size}|{content}\0"
    assert content_hash(tmp_path) == hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def test_code_outside_the_root_counts_by_its_own_name(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("x = 1")
    (tmp_path / "two" / "b.py").write_text("x = 1")

    elsewhere = tmp_path / "root"
    first = code_hash([tmp_path / "one" / "a.py"], elsewhere)
    assert first == code_hash([tmp_path / "two" / "a.py"], elsewhere)
    assert first != code_hash([tmp_path / "two" / "b.py"], elsewhere)


def test_code_that_has_changed_since_it_was_hashed(tmp_path):
    for name in ("kept", "commented", "edited", "broken"):
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    code_hash([tmp_path], tmp_path)
    assert changed_code([tmp_path]) == []
    (tmp_path / "commented.py").write_text("x = 1  # why\n")
    (tmp_path / "edited.py").write_text("x = 12\n")
    (tmp_path / "broken.py").write_text("x = (\n")
    (tmp_path / "new.py").write_text("")
    assert [path.stem for path in changed_code([tmp_path])] == ["broken", "edited", "new"]


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "status.json"
    write_text(file, "before")
    with suppress(OSError), replacing(file) as temporary:
        temporary.write_text("af")
        raise OSError("full")
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(number))
    assert file.read_text() == "before"
    write_text(file, "after")
    assert file.read_text() == "after"
    assert len(synced) == 1, "what is renamed is on the disk before"
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_names_that_are_not_utf8_are_hashed_and_written(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / name).write_text("x")
    memory = tmp_path / "memory.json"
    assert content_hash(tmp_path / "folder", memory) == content_hash(tmp_path / "folder", memory)
    assert value_hash([name]) != value_hash(["caf"])
    write_json(tmp_path / "a.json", {name: [name]})
    assert read_json(tmp_path / "a.json") == {name: [name]}


def test_json_without_end_is_damaged(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    assert read_json(tmp_path / "a.json") is None
