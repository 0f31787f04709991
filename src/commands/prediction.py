"""`mode=predict`: which instruments sound when, or which genre it is, in any sound file."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.commands.checkpoint import checkpoint_paths, load_all, refusing
from src.commands.sharing import default_checkpoint
from src.configuration.build import task_of
from src.errors import UserError, printable
from src.fingerprint import replacing
from src.libraries import configure_libraries
from src.messages import dispensable, reason, say
from src.pictures import timeline
from src.preparation.progress import Progress
from src.spreadsheets import TableWriter
from src.tasks.base import Prediction, Trained

MOST_DRAWN = 20
"""Of more files no pictures are drawn unless `pictures=true` asks for them: a picture takes a second."""


WRONG_LEVEL = "its features are not all finite numbers; write it again at another level"
WRONG_WEIGHTS = "the network's answers are not all finite numbers; take another checkpoint"


class Predictor:
    """Predicts the classes of a file, window by window.

    Args:
        trained: one checkpoint, or several to average.

    Raises:
        UserError: the checkpoints cannot be applied to files.
    """

    def __init__(self, trained: list[Trained]) -> None:
        description = trained[0].description
        self.classes: list[str] = description["classes"]
        self.one_class = description["target"] == "multiclass"
        self.numbers = description["target"] == "regression"
        self.task = task_of(description)
        with refusing(trained[0].path, "sound cannot be read as it describes"):
            self.read = self.task.reader(trained[0])
        self._members = [member.learner for member in trained]
        self.threshold = float(np.mean([float(member.threshold) for member in self._members]))

    def __call__(self, file: Path) -> Prediction:
        """Return the prediction for a file; in a silent window no class is present.

        Raises:
            UserError: it cannot be read, it is empty, or its features or the network's answers are not finite.
        """
        windows = self.read(file)
        answers: list[NDArray[np.float32]] = []
        with torch.inference_mode():
            for inputs in windows.batches:
                silent = windows.silent[sum(map(len, answers)) :][: len(inputs[0])]
                _check_finite(file, WRONG_LEVEL, *(part[~silent] for part in inputs))
                answers.append(self.average(*inputs).numpy())
        probabilities = np.where(windows.silent[:, None], 0, np.concatenate(answers)).astype(np.float64)
        _check_finite(file, WRONG_WEIGHTS, torch.from_numpy(probabilities))
        present = None if self.numbers else self.present(probabilities)
        return Prediction(file, windows.starts_s, windows.ends_s, probabilities, present)

    def present(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which classes are present, (windows, classes): all above the threshold, or only the likeliest.

        Args:
            probabilities: (windows, classes); where all of a window are 0, no class is present.
        """
        if not self.one_class:
            return probabilities > self.threshold
        best: NDArray[np.bool_] = np.eye(len(self.classes), dtype=bool)[probabilities.argmax(1)]
        return np.logical_and(best, probabilities > 0)

    def average(self, *inputs: Tensor) -> Tensor:
        """Return the mean of the probabilities of all checkpoints, (B, C).

        Args:
            inputs: what the network takes, such as spectrograms.
        """
        return torch.stack([member.predict(*inputs) for member in self._members]).mean(0)


def _check_finite(file: Path, problem: str, *tensors: Tensor) -> None:
    if not all(tensor.isfinite().all() for tensor in tensors):
        raise UserError(f"{file}: {problem}")


def predict(config: dict[str, Any]) -> int:
    """Write `predictions.csv`, and a timeline of each file as a picture; of many files only if asked for.

    Returns:
        Exit code: 0, or 1 where a file was skipped; every other file is in the table.

    Raises:
        UserError: there is no checkpoint, no input, or no sound file in the input.
    """
    configure_libraries()
    trained = load_all(checkpoint_paths(default_checkpoint(config["checkpoint"])))
    predictor = Predictor(trained)
    if not config["input"]:
        raise UserError("input= is missing: name a sound file or a folder of them.")
    source = Path(str(config["input"])).expanduser()
    files = predictor.task.files(source)
    folder = Path(config["outputs"]) / "predicted" / source.resolve().name
    folder.mkdir(parents=True, exist_ok=True)
    draws = _draws(config.get("pictures"), len(files))
    done, unnamed = 0, 0
    with _Table(folder / "predictions.csv", predictor) as table, Progress("files", len(files)) as progress:
        for file in files:
            prediction = _answer(predictor, file)
            if prediction is not None:
                table.add(prediction)
                if draws:
                    _draw(prediction, predictor, source, folder)
                done += 1
                unnamed += prediction.present is not None and not prediction.present.any()
            progress.advance(1)
    names = ", ".join(str(member.path) for member in trained)
    told = f"{done} classified by {names}, {len(files) - done} skipped: {folder}/predictions.csv"
    print(printable(told))
    if unnamed:
        print(f"In {unnamed} no class exceeds the threshold; the table has the probabilities.")
    return 0 if done == len(files) else 1


def _draws(asked: bool | None, files: int) -> bool:
    if asked is None and files > MOST_DRAWN:
        say(f"pictures of {files} files are left out; pictures=true draws them")
    return files <= MOST_DRAWN if asked is None else asked


def _answer(predictor: Predictor, file: Path) -> Prediction | None:
    """Return the prediction for a file; `None`, and a line that says why, where there is none.

    Whatever fails in one file, the others are still wanted.
    """
    try:
        return predictor(file)
    except UserError as error:
        say(f"skipped: {error}")
    except Exception as error:
        say(f"skipped: {file} ({reason(error)}); leave it out, or report this with the file")
    return None


class _Table:
    """The CSV table; it is moved into place when it is complete."""

    def __init__(self, path: Path, predictor: Predictor) -> None:
        self._path, self._predictor = path, predictor

    def __enter__(self) -> "_Table":
        with ExitStack() as stack:
            partial = stack.enter_context(replacing(self._path))
            file = stack.enter_context(
                partial.open("w", newline="", encoding="utf-8", errors="surrogateescape")
            )
            self._writer = TableWriter(file, self._predictor.task.columns)
            self._open = stack.pop_all()
        return self

    def add(self, prediction: Prediction) -> None:
        """Write the rows of a file."""
        self._writer.write(self._predictor.task.rows(prediction, self._predictor.classes))

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)


def _draw(prediction: Prediction, predictor: Predictor, source: Path, folder: Path) -> None:
    relative = prediction.file.relative_to(source) if source.is_dir() else Path(prediction.file.name)
    path = folder / relative.with_name(f"{relative.name}.png")
    with dispensable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        timeline(
            prediction.probabilities, prediction.starts_s, prediction.ends_s[-1], predictor.classes, path
        )
