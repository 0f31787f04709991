"""Whatever is wrong with a checkpoint: one line that names the file and a remedy, before memory is taken for it."""

import os
import resource
import tracemalloc
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from src.commands.checkpoint import load
from src.commands.prediction import Predictor
from src.commands.sharing import SHARED
from src.configuration.checkpoint_archive import MOST_PICKLED, check_archive
from src.configuration.checkpoint_files import read_if_whole
from src.errors import UserError
from src.tasks.sound import MOST_SAMPLES
from tests.configuration.malformed import CHANGES, DATA, FEATURES, FILES, State, repacked, saved, write

REMEDIES = (
    "take a file that this project wrote.",
    "take a file that this version of the project wrote.",
    "take a best.ckpt that mode=train wrote.",
)


@pytest.mark.parametrize("name", [*CHANGES, *FILES])
def test_a_malformed_checkpoint_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "malformed.ckpt"
    says = write(name, SHARED, path)
    with pytest.raises(UserError) as refused:
        load(path)
    message = str(refused.value)
    assert message.startswith(f"checkpoint={path}: ")
    assert says in message
    assert message.endswith(REMEDIES)
    assert message.isprintable()
    assert len(message) < 500


def test_the_table_is_long_enough() -> None:
    assert len(CHANGES) + len(FILES) >= 31


def test_a_whole_checkpoint_is_loaded() -> None:
    check_archive(SHARED)
    assert load(SHARED).learner.threshold == pytest.approx(0.5, abs=0.5)


def test_repacked_as_it_is_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole.ckpt"
    path.write_bytes(repacked(SHARED.read_bytes()))
    assert load(path).description == load(SHARED).description


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("missing", "does not exist"),
        ("folder", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("link", "is a link that leads nowhere"),
    ],
)
def test_what_is_no_file(tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(UserError) as refused:
        load(tmp_path / place)
    assert str(refused.value) == (
        f"checkpoint={tmp_path / place}: it {says}; outputs/runs/*/checkpoints/ holds checkpoints."
    )


READING: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "a length that is text": ((*DATA, "clip_seconds"), "long", "ValueError: could not convert"),
    "a length of years": (
        (*DATA, "clip_seconds"),
        1e9,
        f"windows of 1e+09 s have none or more than {MOST_SAMPLES}",
    ),
    "a length that is no number": ((*DATA, "clip_seconds"), float("nan"), "windows of nan s"),
    "a frame a sample": ((*FEATURES, "hop_length"), 1, "frames, but its network takes"),
    "windows of ten minutes": ((*DATA, "clip_seconds"), 600, "frames, but its network takes"),
    "another number of bands": (
        (*FEATURES, "n_mels"),
        64,
        "features have 64 bands, but its network takes others",
    ),
}


@pytest.mark.parametrize("name", READING)
def test_sound_is_not_read_as_a_malformed_checkpoint_describes_it(tmp_path: Path, name: str) -> None:
    places, value, says = READING[name]
    state: State = torch.load(SHARED, weights_only=True)
    inner: Any = state
    for place in places[:-1]:
        inner = inner[place]
    inner[places[-1]] = value
    path = tmp_path / "malformed.ckpt"
    path.write_bytes(saved(state))
    with pytest.raises(UserError) as refused:
        Predictor([load(path)])
    message = str(refused.value)
    assert message.startswith(f"checkpoint={path}: sound cannot be read as it describes (")
    assert says in message
    assert message.endswith("; take a file that this version of the project wrote.")


def test_no_memory_is_taken_for_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ckpt"
    write("a bomb", SHARED, path)
    assert path.stat().st_size < 2**21
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    with pytest.raises(UserError):
        load(path)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 2**21
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15, "KiB"


def test_members_that_lie_in_each_other_are_refused(tmp_path: Path) -> None:
    """Two entries of the archive's directory lead to the same bytes."""
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        archive.writestr("a/data/0", bytes(10_000))
        [_, member] = archive.infolist()
        for number in range(1, 4):
            again = zipfile.ZipInfo(f"a/data/{number}")
            again.header_offset, again.CRC = member.header_offset, member.CRC
            again.file_size = again.compress_size = member.file_size
            archive.filelist.append(again)
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=f"^unfolds to more than its {path.stat().st_size} bytes$"):
        check_archive(path)


def test_a_pickle_beyond_any_description_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.ckpt"
    path.write_bytes(repacked(SHARED.read_bytes(), data_pkl=b"\x80\x02" + b"]" * MOST_PICKLED + b"."))
    with pytest.raises(UserError, match=f"^has {MOST_PICKLED + 3} bytes of other things than weights$"):
        check_archive(path)


@pytest.mark.parametrize("name", ["NaN", "no weights", "a bomb", "a truncated archive", "a shorter member"])
def test_no_trial_goes_on_from_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "last.ckpt"
    write(name, SHARED, path)
    assert read_if_whole(path) is None


def test_a_trial_goes_on_from_all_that_callbacks_and_optimizers_store(tmp_path: Path) -> None:
    state = {
        "state_dict": OrderedDict(
            weight=torch.nn.Parameter(torch.ones(2)), whole=torch.ones(1, dtype=torch.int16)
        ),
        "callbacks": {
            "a": {"score": torch.tensor(torch.inf), "size": torch.Size([1]), "dtype": torch.float32}
        },
        "lr_schedulers": [
            {"milestones": Counter([1, 2]), "device": torch.device("cpu"), "seen": {1, 2}, "raw": b"x"}
        ],
    }
    torch.save(state, tmp_path / "last.ckpt")
    read = read_if_whole(tmp_path / "last.ckpt")
    assert read is not None
    assert {key: read[key] for key in ("callbacks", "lr_schedulers")} == {
        key: state[key] for key in ("callbacks", "lr_schedulers")
    }
