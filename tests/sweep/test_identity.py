import re
import shutil
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import UserError
from src.fingerprint import Memory, content_hash, files_hash
from src.options import Role
from src.paths import ROOT
from src.sweep.identity import code, have_changed, inputs, known_contents
from src.sweep.identity import signature as signature_of

CONFIG = {
    "mode": "train",
    "seed": 1,
    "batch_size": 32,
    "outputs": "outputs",
    "data": {"n_clips": {"train": 10}, "soundfonts": [], "workers": 2, "classes": [{"name": "a", "low": 1}]},
    "optimizer": {"_target_": "torch.optim.Adam", "lr": 1e-3, "betas": [0.9, 0.999]},
    "callbacks": {"early_stopping": {"patience": 5}, "progress_bar": {"_target_": "x"}},
    "logger": {"wandb": {"mode": "auto"}},
    "trainer": {"max_epochs": 2},
    "timeout": None,
}
ROLES = {
    "outputs": frozenset({Role.PATH, Role.NO_EFFECT}),
    "logger": frozenset({Role.NO_EFFECT}),
    "callbacks.progress_bar": frozenset({Role.NO_EFFECT}),
    "data.workers": frozenset({Role.NO_EFFECT}),
    "data.root": frozenset({Role.PATH, Role.INPUT}),
    "data.soundfonts": frozenset({Role.PATHS, Role.INPUT}),
    "init_from": frozenset({Role.INPUT}),
    "checkpoint": frozenset({Role.PATHS}),
}


def signature(config):
    return signature_of(config, ROLES)


def changed(key, value):
    config = deepcopy(CONFIG)
    *groups, last = key.split(".")
    inner = config
    for group in groups:
        inner = inner.setdefault(group, {})
    inner[last] = value
    return signature(config)


def test_signature_is_a_short_name():
    assert re.fullmatch("[0-9a-f]{12}", signature(CONFIG))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 2),
        ("optimizer.lr", 0.0011),
        ("optimizer.betas", [0.9, 0.99]),
        ("optimizer._target_", "torch.optim.AdamW"),
        ("callbacks.early_stopping.patience", 6),
        ("callbacks.ema", {"decay": 0.9}),
        ("trainer.max_epochs", 3),
        ("data.classes", [{"name": "a", "low": 2}]),
        ("data.new_key", None),
        ("model", {}),
        ("checkpoint", "a.ckpt"),
    ],
)
def test_what_can_change_the_result_counts(key, value):
    assert changed(key, value) != signature(CONFIG)


@pytest.mark.parametrize(
    "key", ["outputs", "logger", "logger.wandb.mode", "callbacks.progress_bar._target_", "data.workers"]
)
def test_what_cannot_change_the_result_does_not_count(key):
    assert changed(key, "something else") == signature(CONFIG)


@pytest.mark.parametrize("key", ["loggers", "outputs_again", "callbacks.progress_bar_2"])
def test_only_whole_keys_are_ignored(key):
    assert changed(key, "new") != signature(CONFIG)


@given(st.integers(-(2**52), 2**52))
def test_one_and_one_point_zero_are_the_same_setting(number):
    assert changed("optimizer.lr", number) == changed("optimizer.lr", float(number))
    assert changed("optimizer.betas", [number]) == changed("optimizer.betas", [float(number)])


def test_true_is_not_one():
    assert changed("trainer.flag", True) != changed("trainer.flag", 1)


@given(st.permutations(list(CONFIG)))
def test_order_of_keys_does_not_count(order):
    assert signature({key: CONFIG[key] for key in order}) == signature(CONFIG)


@pytest.mark.parametrize("key", ["data.root", "data.soundfonts", "init_from"])
def test_inputs_count_by_their_content(tmp_path, key):
    folder = tmp_path / "here" / "data"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"1")
    value = [str(folder)] if key == "data.soundfonts" else str(folder)
    before = changed(key, value)
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved)
    there = [str(moved)] if key == "data.soundfonts" else str(moved)
    assert changed(key, there) == before
    (moved / "a.bin").write_bytes(b"2")
    assert changed(key, there) != before
    assert changed(key, None) != before


def test_a_missing_input_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such file or folder; check the path"):
        changed("data.root", str(tmp_path / "nothing"))


def test_code_is_a_fingerprint_that_stays():
    assert code() == code()
    assert re.fullmatch("[0-9a-f]{12}", code())


def test_all_inputs_are_read_again_where_that_is_wanted(tmp_path):
    cache, file = tmp_path / "cache", tmp_path / "a.bin"
    file.write_bytes(b"1")
    content_hash(file, cache / Memory.CONTENTS)
    files_hash(tmp_path, ["a.bin"], cache / Memory.LISTS)
    assert known_contents(tmp_path, "same_code") == cache / "content_hashes.json"
    assert len([*cache.iterdir()]) == 2
    assert known_contents(tmp_path, "verify") == cache / "content_hashes.json"
    assert not [*cache.iterdir()]


def test_every_hash_of_inputs_is_remembered_where_verifying_forgets_it():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'cache_dir / "(\w+\.json)"', text)}
    assert named == {"shared_sounds.json"}, "name it in src.fingerprint.Memory"


def test_inputs_are_what_counts_by_content():
    config = {"data": {"root": "a", "soundfonts": ["b", "c"], "x": 1}, "init_from": None, "outputs": "d"}
    assert inputs(config, ROLES) == ["a", "b", "c"]
    assert inputs(config, {key: roles | {Role.NO_EFFECT} for key, roles in ROLES.items()}) == []


def test_inputs_have_changed_where_a_file_was_edited_or_is_gone(tmp_path, monkeypatch):
    memory, folder = tmp_path / "memory.json", tmp_path / "data"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"1")
    contents = {}
    signature_of({"data": {"root": str(folder)}}, ROLES, memory, contents)
    with monkeypatch.context() as patched:
        patched.setattr("src.fingerprint._file_hash", lambda path: pytest.fail("read again"))
        assert not have_changed(contents, memory)
    (folder / "a.bin").write_bytes(b"2")
    assert have_changed(contents, memory)
    (folder / "a.bin").write_bytes(b"1")
    assert not have_changed(contents, memory)
    shutil.rmtree(folder)
    assert have_changed(contents, memory)
