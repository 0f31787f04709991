"""Checkpoints are complete at any time, and a trial goes on from the latest one that can be read."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.demos.boring_classes import BoringModel

from src.configuration.atomic_checkpoints import AtomicCheckpointIO, checkpoint_to_resume, forget_unneeded
from src.configuration.build_trainer import build_trainer

WEIGHTS = {"bias": torch.ones(1)}


def saved(folder: Path, epochs: int) -> AtomicCheckpointIO:
    io = AtomicCheckpointIO()
    for epoch in range(epochs):
        io.save_checkpoint({"epoch": epoch, "state_dict": WEIGHTS}, folder / "last.ckpt")
    return io


def epoch_of(path: Path | None) -> int:
    assert path is not None
    return int(torch.load(path, weights_only=True)["epoch"])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_a_write_that_ends_half_way_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    io = saved(tmp_path, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def half(_: object, file: Any) -> None:
        file.write(b"half")
        raise error

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(type(error)):
        io.save_checkpoint({"epoch": 2}, tmp_path / "last.ckpt")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_killed_writer_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    io = saved(tmp_path, 1)
    child = os.fork()
    if not child:
        monkeypatch.setattr(os, "fsync", lambda _: os._exit(9))
        io.save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert epoch_of(checkpoint_to_resume(tmp_path)) == 0
    forget_unneeded(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


class Stop(BaseException):
    pass


def in_another_thread(number: int) -> None:
    thread = threading.Thread(target=signal.raise_signal, args=[number])
    thread.start()
    thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
@pytest.mark.parametrize("send", [signal.raise_signal, in_another_thread])
def test_a_signal_waits_until_the_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, send: Callable[[int], None], number: signal.Signals
) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stop

    save = torch.save

    def save_under_a_signal(checkpoint: object, file: Any) -> None:
        send(number)
        save(checkpoint, file)

    monkeypatch.setattr(torch, "save", save_under_a_signal)
    before = signal.signal(number, stop)
    try:
        with pytest.raises(Stop):
            saved(tmp_path, 1)
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
    assert epoch_of(tmp_path / "last.ckpt") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_thread_writes_checkpoints_too(tmp_path: Path) -> None:
    """Python lets the main thread alone replace handlers of signals."""
    thread = threading.Thread(target=saved, args=[tmp_path, 1])
    thread.start()
    thread.join()
    assert epoch_of(tmp_path / "last.ckpt") == 0


def no_links(*_: object) -> None:
    raise OSError("Operation not supported")


@pytest.mark.parametrize("link", [os.link, no_links])
def test_the_checkpoint_before_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: Callable[..., None]
) -> None:
    monkeypatch.setattr(os, "link", link)
    saved(tmp_path, 3)
    assert epoch_of(tmp_path / "last.ckpt") == 2
    assert epoch_of(tmp_path / "before_last.ckpt") == 1


def test_of_other_checkpoints_none_is_kept(tmp_path: Path) -> None:
    for epoch in range(2):
        AtomicCheckpointIO().save_checkpoint({"epoch": epoch}, tmp_path / "best.ckpt")
    assert [path.name for path in tmp_path.iterdir()] == ["best.ckpt"]


def test_a_trial_goes_on_from_the_latest_that_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkpoint_to_resume(tmp_path) is None
    saved(tmp_path, 3)
    assert epoch_of(checkpoint_to_resume(tmp_path)) == 2
    assert capsys.readouterr().err == ""
    truncate(tmp_path / "last.ckpt")
    assert epoch_of(checkpoint_to_resume(tmp_path)) == 1
    assert capsys.readouterr().err.endswith("cannot be read; the trial goes on from before_last.ckpt\n")
    (tmp_path / "before_last.ckpt").write_bytes(b"")
    assert checkpoint_to_resume(tmp_path) is None
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("last.ckpt and before_last.ckpt cannot be read; the trial starts again")


def test_a_trial_does_not_go_on_from_weights_that_are_not_finite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    io = saved(tmp_path, 1)
    io.save_checkpoint(
        {"epoch": 1, "state_dict": {"bias": torch.tensor([torch.nan])}}, tmp_path / "last.ckpt"
    )
    assert epoch_of(checkpoint_to_resume(tmp_path)) == 0
    assert capsys.readouterr().err.endswith(
        "last.ckpt cannot be read; the trial goes on from before_last.ckpt\n"
    )


@pytest.mark.parametrize(
    "weights",
    [{}, {"bias": torch.ones(2)}, {"bias": torch.ones(1, dtype=int)}, {**WEIGHTS, "more": torch.ones(1)}],
)
def test_a_trial_does_not_go_on_from_weights_of_another_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], weights: dict[str, torch.Tensor]
) -> None:
    io = saved(tmp_path, 1)
    io.save_checkpoint({"epoch": 1, "state_dict": weights}, tmp_path / "last.ckpt")
    assert epoch_of(checkpoint_to_resume(tmp_path, WEIGHTS)) == 0
    assert capsys.readouterr().err.endswith(
        "last.ckpt cannot be read; the trial goes on from before_last.ckpt\n"
    )


def naming(best: Path) -> dict[str, Any]:
    """What Lightning stores of a callback that keeps the best."""
    paths = dict.fromkeys(("best_model_path", "kth_best_model_path"), str(best))
    state = {**paths, "last_model_path": "", "dirpath": str(best.parent), "best_k_models": {str(best): 0.5}}
    return {
        "epoch": 1,
        "state_dict": WEIGHTS,
        "callbacks": {"ModelCheckpoint{}": state, "EarlyStopping{}": {"wait_count": 0}},
    }


def test_a_checkpoint_names_those_in_the_folder_that_it_lies_in(tmp_path: Path) -> None:
    io, here = AtomicCheckpointIO(), tmp_path / "here"
    here.mkdir()
    (tmp_path / "link").symlink_to(here)
    for best in ("best.ckpt", "of f1/0.5.ckpt"):
        elsewhere = naming(Path("/elsewhere/checkpoints") / best)
        elsewhere["callbacks"]["ModelCheckpoint{}"]["dirpath"] = "/elsewhere/checkpoints"
        expected = naming(here / best)
        expected["callbacks"]["ModelCheckpoint{}"]["dirpath"] = str(here)
        io.save_checkpoint(elsewhere, here / "last.ckpt")
        assert io.load_checkpoint(tmp_path / "link" / "last.ckpt") == expected


def test_no_trial_goes_on_without_the_best_weights_that_its_checkpoint_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = tmp_path / "best.ckpt"
    best.touch()
    for _ in range(2):
        AtomicCheckpointIO().save_checkpoint(naming(Path("/elsewhere/best.ckpt")), tmp_path / "last.ckpt")
    assert epoch_of(checkpoint_to_resume(tmp_path)) == 1
    best.unlink()
    assert checkpoint_to_resume(tmp_path) is None
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"{best} is gone; the trial starts again"
    best.touch()
    assert checkpoint_to_resume(tmp_path) is None, "a new training has other best weights"


def test_a_trainer_needs_no_room_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    for name in ("mkstemp", "NamedTemporaryFile", "TemporaryFile", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, none)
    config = {
        "trainer": {
            "_target_": "lightning.pytorch.Trainer",
            "accelerator": "cpu",
            "max_epochs": 2,
            "limit_train_batches": 1,
        },
        "callbacks": {
            "last": {
                "_target_": "lightning.pytorch.callbacks.ModelCheckpoint",
                "filename": "last",
                "enable_version_counter": False,
            }
        },
    }
    trainer: lightning.Trainer = build_trainer(config, tmp_path, [], [])
    trainer.fit(BoringModel())
    assert epoch_of(tmp_path / "checkpoints" / "last.ckpt") == 1
    assert epoch_of(tmp_path / "checkpoints" / "before_last.ckpt") == 0
