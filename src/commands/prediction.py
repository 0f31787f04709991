"""`mode=predict`: which instrument sounds when, or which genre it is, in any sound file, from a checkpoint alone."""

import csv
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from src.audio.files import SILENCE, audio_files, read_audio
from src.commands.checkpoint import Trained, checkpoint_paths, load_all
from src.commands.listening import listener
from src.commands.sharing import default_checkpoint
from src.errors import UserError
from src.libraries import settle
from src.models.classifier import Classifier
from src.pictures import timeline

BATCH = 32
COLUMNS = ("file", "start_s", "end_s", "instrument", "probability", "present")


@dataclass
class Prediction:
    """What was heard in one file.

    Args:
        file: as it was given.
        starts_s, ends_s: of each window, seconds.
        probabilities: (windows, classes), 0 to 1.
    """

    file: Path
    starts_s: list[float]
    ends_s: list[float]
    probabilities: NDArray[np.float64]


class Predictor:
    """Classifies windows as long as the clips it was trained on.

    Args:
        trained: one checkpoint, or several to average.
    """

    def __init__(self, trained: list[Trained]) -> None:
        self.classes: list[str] = trained[0].description["classes"]
        self.one_class = trained[0].description["target"] == "multiclass"
        self.numbers = trained[0].description["target"] == "regression"
        self.listen = listener(trained[0])
        self._members = [cast(Classifier, member.learner) for member in trained]
        self.threshold = float(np.mean([float(member.threshold) for member in self._members]))
        # Synthesised clips sound from beginning to end; a short note followed by silence would be nothing like them.
        data = trained[0].config["data"]
        self._repeats = "notes_per_instrument" in data or data.get("fill") == "repeat"

    def __call__(self, file: Path) -> Prediction:
        """Classify a file in windows that overlap by half; a shorter file is one window.

        A shorter file is heard again and again where the checkpoint was trained on synthesised clips or repeated notes,
        else it is padded with silence.

        Raises:
            UserError: it cannot be read, is empty or silent.
        """
        rate, seconds = self.listen.sample_rate, self.listen.seconds
        sound = np.atleast_2d(read_audio(file, rate, self.listen.channels))
        samples, length = sound.shape[1], round(seconds * rate)
        if self._repeats and 0 < samples < length:
            sound = np.tile(sound, -(-length // samples))[:, :length]
        hop = max(1, length // 2)
        starts = [start for start in range(0, samples, hop) if start == 0 or start + hop < samples]
        with torch.inference_mode():
            batches = [self._probabilities(batch) for batch in _batches(sound, starts, length)]
        end_s = samples / rate
        starts_s = [start / rate for start in starts]
        ends_s = [min(start + seconds, end_s) for start in starts_s]
        return Prediction(file, starts_s, ends_s, np.concatenate(batches).astype(np.float64))

    def present(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which classes are there, (windows, classes): all above the threshold, or the best of one-class targets.

        Of numbers there is nothing to tell.

        Args:
            probabilities: (windows, classes); nothing is there where all are 0.
        """
        if self.numbers:
            return np.zeros(probabilities.shape, bool)
        if not self.one_class:
            return probabilities > self.threshold
        best: NDArray[np.bool_] = np.eye(len(self.classes), dtype=bool)[probabilities.argmax(1)]
        return np.logical_and(best, probabilities > 0)

    def average(self, *inputs: torch.Tensor) -> torch.Tensor:
        """From what the network takes, such as spectrograms, to the mean of all checkpoints' probabilities (B, C)."""
        return torch.stack([member.predict(*inputs) for member in self._members]).mean(0)

    def _probabilities(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Nothing sounds in a silent window, whatever its noise looks like when it is scaled to its maximum."""
        probabilities: NDArray[np.float32] = self.average(*self.listen(windows)).numpy()
        silent = np.abs(windows).max((1, 2)) < SILENCE
        return np.where(silent[:, None], np.float32(0), probabilities)


def predict(config: dict[str, Any]) -> int:
    """Write `predictions.csv`, and a picture of the timeline of each file.

    Returns:
        0, or 1 where a file was skipped; every other file is in the table.

    Raises:
        UserError: no checkpoint, no input, or no sound file in it.
    """
    settle()
    trained = load_all(checkpoint_paths(default_checkpoint(config["checkpoint"])))
    predictor = Predictor(trained)
    if not config["input"]:
        raise UserError("input= is missing: name a sound file (wav, flac, mp3, ogg) or a folder of them.")
    source = Path(str(config["input"])).expanduser()
    files = audio_files(source)
    folder = Path(config["outputs"]) / "predicted" / source.resolve().name
    folder.mkdir(parents=True, exist_ok=True)
    done, skipped, unnamed = 0, 0, 0
    with _Table(folder / "predictions.csv", predictor) as table:
        for file in files:
            try:
                prediction = predictor(file)
            except UserError as error:
                print(f"skipped: {error}", file=sys.stderr)
                skipped += 1
                continue
            table.add(prediction)
            _draw(prediction, predictor, source, folder)
            done += 1
            unnamed += not (predictor.numbers or predictor.present(prediction.probabilities).any())
    names = ", ".join(str(member.path) for member in trained)
    print(f"{done} classified by {names}, {skipped} skipped: {folder}/predictions.csv")
    if unnamed:
        print(f"In {unnamed} nothing is likelier than the threshold; the table has the probabilities.")
    return 1 if skipped else 0


class _Table:
    """The CSV table, moved into place when it is whole."""

    def __init__(self, path: Path, predictor: Predictor) -> None:
        self._path, self._predictor = path, predictor
        self._partial = path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> "_Table":
        self._file = self._partial.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)
        return self

    def add(self, prediction: Prediction) -> None:
        """Write a row for each window and class."""
        present = self._predictor.present(prediction.probabilities)
        windows = zip(prediction.starts_s, prediction.ends_s, prediction.probabilities, present, strict=True)
        for start, end, *window in windows:
            for name, probability, is_present in zip(self._predictor.classes, *window, strict=True):
                times = f"{start:.3f}", f"{end:.3f}"
                there = "" if self._predictor.numbers else int(is_present)
                row = (prediction.file, *times, name, f"{probability:.6f}", there)
                self._writer.writerow(row)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink()


def _batches(sound: NDArray[np.float32], starts: list[int], length: int) -> Iterator[NDArray[np.float32]]:
    """Cut (channels, samples) into windows (B, channels, length), zeros past the end."""
    for first in range(0, len(starts), BATCH):
        windows = np.zeros((len(starts[first : first + BATCH]), len(sound), length), np.float32)
        for window, start in zip(windows, starts[first : first + BATCH], strict=True):
            part = sound[:, start : start + length]
            window[:, : part.shape[1]] = part
        yield windows


def _draw(prediction: Prediction, predictor: Predictor, source: Path, folder: Path) -> None:
    relative = prediction.file.relative_to(source) if source.is_dir() else Path(prediction.file.name)
    path = folder / relative.with_name(f"{relative.name}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    timeline(prediction.probabilities, prediction.starts_s, prediction.ends_s[-1], predictor.classes, path)
