import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from src.errors import UserError
from tests.datamodules.rolls.slow_rolls import N_NOTES, PIECE_IDS, SlowMaker, piece, piece_ids, store

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("slow_rolls.py")


def build(folder: Path, workers: int = 1, **maker) -> None:
    store(folder / "data").prepare(SlowMaker(folder / "diary", **maker), piece_ids, workers, "rolls")


def made(folder: Path) -> list[tuple[int, int]]:
    """Process and number of each piece that was made."""
    file = folder / "diary"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(int(process), int(number)) for process, number in (line.split() for line in lines)]


def check(folder: Path, numbers=range(20)) -> None:
    """The files hold what they should, read by plain numpy."""
    expected = [piece(number) for number in numbers]
    for name in ("sounding", "onsets"):
        found = np.unpackbits(np.load(folder / "data" / f"{name}.npy"), axis=1, count=N_NOTES)
        np.testing.assert_array_equal(found, np.concatenate([getattr(p, name) for p in expected]))
    index = json.loads((folder / "data" / "pieces.json").read_text())
    assert [p["name"] for p in index["pieces"]] == [p.name for p in expected]
    assert [p["length"] for p in index["pieces"]] == [len(p.sounding) for p in expected]
    assert store(folder / "data").is_complete()
    assert not (folder / "data" / "parts").exists()


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a build in a process group of its own."""
    started = []

    def run(seconds: float, workers: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path), str(seconds), str(workers)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("workers", [1, 2])
def test_rolls_hold_every_piece_in_order(tmp_path, workers, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    build(tmp_path, workers)
    check(tmp_path)
    assert len({process for process, _ in made(tmp_path)}) == workers


def test_opened_rolls_are_read_only_and_know_where_pieces_start(tmp_path):
    build(tmp_path)
    rolls = store(tmp_path / "data").open()
    assert not rolls.sounding.flags.writeable
    assert rolls.starts[:3].tolist() == [0, 10, 21]


def test_a_broken_piece_is_named_and_left_out(tmp_path, capsys):
    build(tmp_path, left_out=(0, 7))
    check(tmp_path, [number for number in range(len(PIECE_IDS)) if number not in (0, 7)])
    assert store(tmp_path / "data").open().left_out == [
        ("0", "piece 0 is broken"),
        ("7", "piece 7 is broken"),
    ]
    assert "piece 7 is broken" in capsys.readouterr().err


def test_many_broken_pieces_are_counted(tmp_path, capsys):
    build(tmp_path, left_out=tuple(range(15)))
    lines = capsys.readouterr().err
    assert lines.count("is broken") == 10
    assert "15 of 20 pieces are left out" in lines


def test_nothing_but_broken_pieces_is_one_error(tmp_path):
    with pytest.raises(UserError, match="all 20 are left out, the first because: piece 0 is broken"):
        build(tmp_path, left_out=tuple(range(20)))


def test_what_is_there_is_not_made_again(tmp_path):
    build(tmp_path)
    build(tmp_path)
    assert len(made(tmp_path)) == len(PIECE_IDS)


def test_a_killed_build_goes_on(tmp_path, start):
    process = start(0.02, 1)
    wait_for(lambda: len(made(tmp_path)) > 5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not store(tmp_path / "data").is_complete()
    build(tmp_path)
    check(tmp_path)
    assert len(made(tmp_path)) <= len(PIECE_IDS) + 1


def test_two_processes_build_once(tmp_path, start):
    first, second = start(0.03, 1), start(0.03, 1)
    messages = first.communicate()[1] + second.communicate()[1]
    assert first.returncode == second.returncode == 0, messages
    check(tmp_path)
    assert len(made(tmp_path)) == len(PIECE_IDS)


def test_a_copied_folder_is_verified_and_kept(tmp_path):
    build(tmp_path)
    shutil.copytree(tmp_path / "data", tmp_path / "copy" / "data")
    for file in (tmp_path / "copy" / "data").iterdir():
        os.utime(file, ns=(1, 1))
    build(tmp_path / "copy")
    check(tmp_path / "copy")
    assert not made(tmp_path / "copy")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip(folder / "sounding.npy"),
        lambda folder: flip(folder / "pieces.json"),
        lambda folder: (folder / "onsets.npy").unlink(),
        lambda folder: (folder / "onsets.npy").write_bytes(b""),
        lambda folder: (folder / "meta.json").write_text("{"),
        lambda folder: (folder / "meta.json").unlink(),
    ],
)
def test_damage_is_noticed_and_built_again(tmp_path, damage):
    build(tmp_path)
    time.sleep(0.02)  # so that modification times differ
    damage(tmp_path / "data")
    with pytest.raises(UserError, match="mode=prepare"):
        store(tmp_path / "data").open()
    build(tmp_path)
    check(tmp_path)


def test_a_part_damaged_while_the_build_was_stopped_is_made_again(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr("src.datamodules.rolls.store._sorted_out", lambda parts: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(tmp_path)
    part = tmp_path / "data" / "parts" / "000003.part"
    part.write_bytes(part.read_bytes()[:-40])
    (tmp_path / "diary").unlink()
    capsys.readouterr()
    build(tmp_path)
    check(tmp_path)
    assert [number for _, number in made(tmp_path)] == [3]
    assert "19 of 20 pieces are already made; continuing from there" in capsys.readouterr().err


def test_a_build_that_was_stopped_before_the_end_makes_no_piece_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("src.datamodules.rolls.store.shutil.rmtree", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(tmp_path)
    (tmp_path / "diary").unlink()
    build(tmp_path)
    assert made(tmp_path) == []
    check(tmp_path)


@pytest.mark.parametrize("where", ["numpy.savez", "numpy.lib.format.open_memmap"])
def test_a_full_disk_is_said(tmp_path, monkeypatch, where):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(where, full)
    with pytest.raises(UserError, match=r"No space left.*outputs=DIR"):
        build(tmp_path)


def test_identical_pieces_are_one_group(tmp_path):
    def twice(piece_id: str):
        return piece(int(piece_id) % 4)

    store(tmp_path / "data").prepare(twice, piece_ids, 1, "rolls")
    groups = [p["group"] for p in store(tmp_path / "data").open().pieces]
    assert groups == [f"group {number % 4 // 2}" for number in range(len(PIECE_IDS))]
