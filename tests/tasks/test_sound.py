"""Files in windows: which, how long, and what lies in them."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from src.configuration.targets import find_task
from src.errors import UserError
from src.tasks.sound import BATCH, Sound, SoundReader, window_seconds

RATE = 1000


class Whole:
    """Takes windows of a second as they are."""

    sample_rate, channels, seconds = RATE, 1, 1.0

    def __call__(self, windows: Sound) -> tuple[Tensor, ...]:
        return (torch.from_numpy(windows),)


def file_of(sound: np.ndarray, folder: Path) -> Path:
    soundfile.write(folder / "sound.wav", sound, RATE, subtype="FLOAT")
    return folder / "sound.wav"


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [(400, [0.0]), (1000, [0.0]), (1001, [0.0, 0.5]), (1500, [0.0, 0.5]), (2600, [0.0, 0.5, 1.0, 1.5, 2.0])],
)
def test_windows_overlap_by_half_and_reach_the_end(tmp_path: Path, samples: int, starts: list[float]) -> None:
    sound = noise(samples)
    windows = SoundReader(Whole(), repeats=False)(file_of(sound, tmp_path))
    assert windows.starts_s == starts
    assert windows.ends_s == [min(start + 1, samples / RATE) for start in starts]
    [(batch,)] = windows.batches
    padded = np.pad(sound, (0, RATE))
    for window, start in zip(batch, starts, strict=True):
        first = round(start * RATE)
        np.testing.assert_array_equal(window[0], padded[first : first + RATE])


def test_windows_come_in_batches(tmp_path: Path) -> None:
    windows = SoundReader(Whole(), repeats=False)(file_of(noise(20 * RATE), tmp_path))
    sizes = [len(batch) for (batch,) in windows.batches]
    assert sizes == [BATCH, len(windows.starts_s) - BATCH]


def test_a_long_sound_is_cut_like_a_whole_one(tmp_path: Path) -> None:
    sound = noise(50 * RATE + 300)
    windows = SoundReader(Whole(), repeats=False)(file_of(sound, tmp_path))
    assert windows.starts_s == [number / 2 for number in range(100)]
    assert windows.ends_s[-1] == 50.3
    read = np.concatenate([batch[:, 0] for (batch,) in windows.batches])
    padded = np.pad(sound, (0, RATE))
    np.testing.assert_array_equal(read, [padded[first : first + RATE] for first in range(0, 50_000, 500)])


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    peaks = []
    for seconds in (100, 1000):
        file = file_of(noise(seconds * RATE), tmp_path)
        tracemalloc.start()
        for _ in SoundReader(Whole(), repeats=False)(file).batches:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_short_sound_is_repeated_where_items_sound_throughout(tmp_path: Path) -> None:
    sound = noise(300)
    windows = SoundReader(Whole(), repeats=True)(file_of(sound, tmp_path))
    [(batch,)] = windows.batches
    np.testing.assert_array_equal(batch[0, 0], np.resize(sound, RATE))
    assert windows.ends_s == [0.3]


def test_silent_windows_are_marked(tmp_path: Path) -> None:
    sound = np.concatenate([noise(RATE), np.full(2 * RATE, 1e-5, np.float32), noise(RATE)])
    windows = SoundReader(Whole(), repeats=False)(file_of(sound, tmp_path))
    silent = [start for start, is_silent in zip(windows.starts_s, windows.silent, strict=True) if is_silent]
    assert silent == [1.0, 1.5, 2.0]


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("text")
    with pytest.raises(UserError, match="cannot be read as a sound file"):
        SoundReader(Whole(), repeats=False)(tmp_path / "text.wav")


def test_channels_that_cancel_are_not_called_silent(tmp_path: Path) -> None:
    sound = np.stack([noise(2 * RATE), -noise(2 * RATE)], axis=1)
    with pytest.raises(UserError, match=r"sound\.wav has no sound in mono: its channels cancel each other"):
        SoundReader(Whole(), repeats=False)(file_of(sound, tmp_path))


def test_files_of_a_folder_that_are_no_sound_files_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.OPUS", "b.m4a", "notes.txt", "._a.OPUS"):
        (tmp_path / name).touch()
    assert find_task("spectrograms").files(tmp_path) == [tmp_path / "a.OPUS", tmp_path / "b.m4a"]
    said = f"predict: 1 of the files in {tmp_path} are no sound files and are passed over: notes.txt\n"
    assert capsys.readouterr().err == said
    assert find_task("spectrograms").files(tmp_path / "b.m4a") == [tmp_path / "b.m4a"]
    assert capsys.readouterr().err == ""


def test_the_length_of_items_is_an_option_of_the_data() -> None:
    assert window_seconds({"clip_seconds": 3}) == 3.0
    assert window_seconds({"clip_seconds": None, "window_seconds": 2.5}) == 2.5
    assert window_seconds({"root": "x"}) is None
