"""The interface of tasks: everything that training, testing and predicting need to know of a kind of items."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from src.audio.folders import audio_files, say_others
from src.datamodules.base import DataModule
from src.errors import UserError
from src.losses.base import Loss
from src.metrics.measuring import Measured
from src.models.learner import Answers, Learner
from src.pictures import draw_tables


@dataclass
class Trained:
    """A loaded checkpoint, in evaluation mode on the CPU.

    Attributes:
        learner: with its weights, statistics and threshold.
        description: `config`, `classes`, `target`, `item_shape` and other results of `describe`.
        path: of the checkpoint.
        data: class of the data module that it was trained on.
    """

    learner: Learner
    description: dict[str, Any]
    path: Path
    data: type[DataModule]

    @property
    def config(self) -> dict[str, Any]:
        """The frozen configuration that it was trained with."""
        return dict(self.description["config"])


@dataclass(frozen=True)
class Finished:
    """A trial that has been trained and measured.

    Attributes:
        config: frozen.
        learner: with the weights of the best checkpoint.
        data: set up.
        samples: folder for files to look at or listen to.
        answers: to the items of the test split.
        test: metrics of these answers.
    """

    config: Mapping[str, Any]
    learner: Learner
    data: DataModule
    samples: Path
    answers: Answers
    test: Measured


@dataclass(frozen=True)
class Findings:
    """Results of a task that are added to `metrics.json`.

    Attributes:
        test: further metrics on the test split.
        baselines: the same metrics of baselines, by their names.
        entries: further top-level keys.
    """

    test: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    entries: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Windows:
    """The windows of one file, as inputs of a network.

    Attributes:
        starts_s, ends_s: of each window, seconds.
        silent: bool (windows,); no class is present in these, whatever the network answers.
        batches: arguments of `Learner.predict`, window after window.
    """

    starts_s: Sequence[float]
    ends_s: Sequence[float]
    silent: NDArray[np.bool_]
    batches: Iterator[tuple[Tensor, ...]]


class Reader(Protocol):
    """Turns a file into windows."""

    def __call__(self, file: Path) -> Windows:
        """Read a file.

        Raises:
            UserError: it can't be read, or is empty.
        """


@dataclass(frozen=True)
class Prediction:
    """A network's answers to one file.

    Attributes:
        file: as the user gave it.
        starts_s, ends_s: of each window, seconds.
        probabilities: (windows, C), 0 to 1, or numbers.
        present: bool (windows, C), which classes are present; `None` for regression.
    """

    file: Path
    starts_s: Sequence[float]
    ends_s: Sequence[float]
    probabilities: NDArray[np.float64]
    present: NDArray[np.bool_] | None


class Task(ABC):
    """One kind of items.

    Attributes:
        name: the value of the attribute `inputs` of its data modules.
        statistics: arguments of its learner that are computed on the training split, in the order of
            `DataModule.statistics`; buffers of the learner have the same names.
        must_agree: options of the data in which checkpoints that are averaged must agree.
        groups: groups of the configuration that no other task reads.
        columns: of `predictions.csv`.
    """

    name: ClassVar[str]
    statistics: ClassVar[tuple[str, ...]] = ()
    must_agree: ClassVar[tuple[str, ...]] = ()
    groups: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ("file", "start_s", "end_s", "instrument", "probability", "present")

    @abstractmethod
    def network_arguments(self, n_columns: int, item_shape: Sequence[int]) -> dict[str, int]:
        """Return arguments for networks that depend on the data; a network is given those that its constructor names.

        Args:
            n_columns: of the logits.
            item_shape: see `DataModule`.
        """

    @abstractmethod
    def learner(
        self, network: nn.Module, loss: Loss, description: Mapping[str, Any], **options: Any
    ) -> Learner:
        """Build the learner of a network and a loss.

        Args:
            network: with any weights.
            loss: prepared.
            description: stored in checkpoints; see `src.configuration.build.describe`.
            options: see `Learner`; and a tensor for each name in `statistics`.
        """

    @abstractmethod
    def reader(self, trained: Trained) -> Reader:
        """Return a reader of files for a checkpoint.

        Raises:
            UserError: it can't be used on files; the message says what to do instead.
        """

    def check(self, config: Mapping[str, Any], data: DataModule) -> None:  # noqa: B027
        """Refuse a configuration that doesn't fit this kind of items, before any work.

        Args:
            config: of a trial, nearly frozen.
            data: checked, not yet built.

        Raises:
            UserError: the message names the remedy.
        """

    def check_generates(self, trained: Trained) -> None:
        """Refuse a checkpoint that makes no music.

        Raises:
            UserError: always, where a task says nothing else.
        """
        raise UserError(
            f"{trained.path}: mode=generate makes music; this checkpoint classifies: use mode=predict."
        )

    def shape_options(self, item_shape: Sequence[int]) -> dict[str, Any]:
        """Return options of the data that lead to items of this shape, for messages."""
        return {}

    def further_metrics(self, learner: Learner, data: DataModule) -> dict[str, float]:
        """Return test metrics that can't be computed from outputs and targets alone.

        Args:
            learner: trained.
            data: set up.
        """
        return {}

    def finish(self, finished: Finished) -> Findings:
        """Return results of a finished trial that belong in `metrics.json`; an error here fails the trial."""
        return Findings()

    def write_samples(self, finished: Finished) -> None:
        """Write samples of a finished trial, here pictures of tables among its metrics; an error here fails nothing.

        It is called once `metrics.json` is written.
        """
        draw_tables(finished.test.metrics, finished.samples, finished.test.intervals)

    def files(self, source: Path) -> list[Path]:
        """Return the files to read: a file itself, or the readable files of a folder.

        Raises:
            UserError: there are none.
        """
        files = audio_files(source)
        if source.is_dir():
            say_others("predict", source)
        return files

    def rows(self, prediction: Prediction, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `predictions.csv` for a file: one for each window and column.

        Args:
            prediction: of the file.
            names: of the C columns.
        """
        for window, (start, end) in enumerate(zip(prediction.starts_s, prediction.ends_s, strict=True)):
            for column, name in enumerate(names):
                present = "" if prediction.present is None else int(prediction.present[window, column])
                probability = f"{prediction.probabilities[window, column]:.6f}"
                yield prediction.file, f"{start:.3f}", f"{end:.3f}", name, probability, present


TASKS: dict[str, Task] = {}
"""The registered tasks by name."""


def register(task: type[Task]) -> type[Task]:
    """Register a task by its name; a class decorator."""
    TASKS[task.name] = task()
    return task
