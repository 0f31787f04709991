import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from slow_building import N_ITEMS, SlowMaker, cache, diary

from src.errors import UserError
from src.preparation.builder import Builder

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("slow_building.py")


def build(folder: Path, workers: int = 1, **maker) -> None:
    cache(folder / "data").prepare(Builder(SlowMaker(folder / "diary", **maker), workers, "numbers"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "data").glob("*.npy")}


def check(folder: Path) -> None:
    """The files hold what they should, read by plain numpy."""
    features, pieces = (np.load(folder / "data" / f"{name}.npy") for name in ("features", "pieces"))
    numbers = np.arange(N_ITEMS, dtype=np.uint64)
    np.testing.assert_array_equal(pieces, numbers * 2**50 + 1)
    np.testing.assert_array_equal(features, np.broadcast_to(numbers[:, None, None] % 2000, (N_ITEMS, 3, 5)))
    assert features.dtype == np.float16
    assert cache(folder / "data").is_complete()


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path, monkeypatch) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a build in a process group of its own."""
    started = []

    def run(seconds: float, workers: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path), str(seconds), str(workers)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("workers", [1, 2])
def test_arrays_hold_every_item(tmp_path: Path, workers, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    build(tmp_path, workers)
    check(tmp_path)
    assert sorted(index for _, index in diary(tmp_path / "diary")) == list(range(N_ITEMS))
    assert len({process for process, _ in diary(tmp_path / "diary")}) == workers
    opened = cache(tmp_path / "data").files.open()
    assert not opened["features"].flags.writeable


def test_what_is_there_is_not_built_again_nor_read_again(tmp_path: Path, monkeypatch):
    build(tmp_path)
    monkeypatch.setattr("src.preparation.chunks.ChunkedArrays.checksum", lambda *_: pytest.fail("read again"))
    build(tmp_path)
    assert len(diary(tmp_path / "diary")) == N_ITEMS


def test_a_copied_folder_is_verified_and_kept(tmp_path: Path):
    build(tmp_path)
    shutil.copytree(tmp_path / "data", tmp_path / "copy" / "data")
    for file in (tmp_path / "copy" / "data").glob("*.npy"):
        os.utime(file, ns=(1, 1))
    build(tmp_path / "copy")
    check(tmp_path / "copy")
    assert not (tmp_path / "copy" / "diary").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_build_goes_on(tmp_path: Path, start, workers):
    process = start(0.004, workers)
    wait_for(lambda: (tmp_path / "data" / "chunks.jsonl").exists())
    log = tmp_path / "data" / "chunks.jsonl"
    wait_for(lambda: log.read_text().count("\n") >= 3)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in family), 5)
    recorded = log.read_text().count("\n")
    assert 3 <= recorded < 8
    assert not cache(tmp_path / "data").is_complete()

    (tmp_path / "diary").unlink()
    build(tmp_path)
    check(tmp_path)
    made = [index for _, index in diary(tmp_path / "diary")]
    assert len(made) == len(set(made))
    assert len(made) <= N_ITEMS - (recorded - 1) * 64 - 52
    build(tmp_path / "whole")
    assert contents(tmp_path) == contents(tmp_path / "whole")


def press_control_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group


@pytest.mark.parametrize("interrupt", [press_control_c, subprocess.Popen.terminate])
def test_no_process_is_left_after_an_interruption(tmp_path: Path, start, interrupt):
    process = start(0.01, 2)
    wait_for(lambda: len(diary(tmp_path / "diary")) > 10)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2
    interrupt(process)
    process.wait(10)
    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in family), 5)


def test_two_processes_build_once(tmp_path: Path, start):
    first, second = start(0.003, 1), start(0.003, 1)
    messages = first.communicate()[1] + second.communicate()[1]
    assert first.returncode == second.returncode == 0, messages
    assert messages.count("waiting") == 1
    check(tmp_path)
    assert len(diary(tmp_path / "diary")) == N_ITEMS
    assert len({process for process, _ in diary(tmp_path / "diary")}) == 1


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize(
    ("damage", "most"),
    [
        (lambda folder: flip(folder / "features.npy", -1), 52),
        (lambda folder: flip(folder / "pieces.npy", 128 + 8 * 70), 64),
        (lambda folder: flip(folder / "features.npy", 20), 0),  # the header
        (lambda folder: truncate(folder / "features.npy"), 52),
        (lambda folder: longer(folder / "features.npy"), 0),
        (lambda folder: (folder / "pieces.npy").unlink(), N_ITEMS),
        (lambda folder: (folder / "features.npy").write_bytes(b""), N_ITEMS),
        (lambda folder: (folder / "meta.json").write_text("{"), N_ITEMS),
        (lambda folder: (folder / "verified.json").unlink(), 0),
        (lambda folder: (folder / "verified.json").write_text("[]"), 0),
    ],
)
def test_damage_is_noticed_and_mended(tmp_path: Path, capsys, damage, most):
    build(tmp_path)
    whole = contents(tmp_path)
    (tmp_path / "diary").unlink()
    time.sleep(0.02)  # so that modification times differ
    damage(tmp_path / "data")
    assert not cache(tmp_path / "data").is_complete()
    build(tmp_path)
    assert contents(tmp_path) == whole
    check(tmp_path)
    assert len(diary(tmp_path / "diary")) == most
    if most:
        assert "built" in capsys.readouterr().err


def test_a_chunk_damaged_while_the_build_was_stopped_is_not_trusted(tmp_path: Path):
    build(tmp_path)
    folder = tmp_path / "data"
    checksums = json.loads((folder / "meta.json").read_text())["checksums"]
    (folder / "meta.json").unlink()
    (folder / "chunks.jsonl").write_text(
        "".join(f'[{i}, "{c}"]\n' for i, c in enumerate(checksums[:4])) + "[4, "
    )
    flip(folder / "features.npy", 128 + 30 * 64 * 2 + 5)  # in chunk 2
    (tmp_path / "diary").unlink()
    build(tmp_path)
    check(tmp_path)
    assert {index // 64 for _, index in diary(tmp_path / "diary")} == {2, 4, 5, 6, 7}


def test_a_full_disk_is_refused_before_work(tmp_path: Path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**6, 10**6, 1000))
    with pytest.raises(UserError, match="outputs=DIR"):
        build(tmp_path)
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**6, 0, 10**6))
    build(tmp_path)


def test_a_disk_that_fills_up_is_said(tmp_path: Path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src.preparation.chunks.ChunkedArrays.write_chunk", full)
    with pytest.raises(UserError, match="No space left"):
        build(tmp_path)


def test_an_error_in_a_worker_arrives_and_ends_the_others(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    with pytest.raises(RuntimeError, match="item cannot be made"):
        build(tmp_path, workers=2, seconds=0.001, fails_at=130)
    workers = {process for process, _ in diary(tmp_path / "diary")}
    wait_for(lambda: not any(psutil.pid_exists(worker) for worker in workers), 5)


def test_a_killed_worker_is_said(tmp_path: Path, start):
    process = start(0.01, 2)
    wait_for(lambda: len(diary(tmp_path / "diary")) > 10)
    os.kill(diary(tmp_path / "diary")[0][0], signal.SIGKILL)
    messages = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert "exit code -9" in messages
    assert "data.workers=1" in messages
