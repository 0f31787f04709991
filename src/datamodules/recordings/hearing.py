"""The files of a data set, each heard once: what they are, and which cannot be used."""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from src.datamodules.left_out import check_left_out, say_left_out
from src.datamodules.lists import write_left_out
from src.errors import UserError
from src.fingerprint import value_hash
from src.messages import say
from src.preparation import survey
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache
from src.preparation.chunks import ChunkedArrays
from src.preparation.code import code_signature
from src.preparation.inputs import files_hash
from src.preparation.survey import ARRAYS, PROBLEMS, Surveyor
from src.splitting.recording import Recording


@dataclass(frozen=True)
class Hearing:
    """What was heard of each listed file, kept in `<cache_dir>/<name>_survey-<hash>`: it depends on no options.

    `left_out.csv` in that folder is of the last labels that the files were prepared with.

    Args:
        name: of the data set.
        root: the folder that paths are relative to.
        listed: all recordings.
        cache_dir: where prepared data lie.
    """

    name: str
    root: Path
    listed: Sequence[Recording]
    cache_dir: Path

    @functools.cached_property
    def content(self) -> str:
        """A hash of the files that are there and of their names."""
        there = [recording.path for recording in self.listed if (self.root / recording.path).is_file()]
        return files_hash(self.root, there, self.cache_dir / "recordings.json")

    @functools.cached_property
    def cache(self) -> ArrayCache[ChunkedArrays]:
        """The arrays of `src.preparation.survey.ARRAYS` on disk."""
        paths = [recording.path for recording in self.listed]
        code = code_signature(survey)
        decoder = soundfile.__libsndfile_version__
        signature = value_hash({"paths": paths, "files": self.content, "code": code, "libsndfile": decoder})
        folder = self.cache_dir / f"{self.name}_survey-{signature}"
        return ArrayCache(ChunkedArrays(folder, len(paths), ARRAYS), {"data": self.name, "paths": paths})

    @functools.cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, one entry a recording.

        Raises:
            UserError: the files have not been heard.
        """
        if not self.cache.is_complete():
            raise UserError(f"{self.name} is not built; run the command with mode=prepare")
        return self.cache.files.open()

    def prepare(self, workers: int | str, sample_rate: int, channels: int) -> None:
        """Hear all files where that is not done; say what is converted then, and what cannot be used where it is new.

        Other labels can make other files useless, without a second hearing.

        Args:
            workers: number of processes, or `auto`.
            sample_rate: wanted, in Hz.
            channels: wanted.

        Raises:
            UserError: a process was killed, or the disk is full.
        """
        known = self.cache.is_complete()
        if not known:
            surveyor = Surveyor(self.root, tuple(recording.path for recording in self.listed))
            self.cache.prepare(Builder(surveyor, workers, f"{self.name}: hearing all files"))
        if write_left_out(self.cache.folder / "left_out.csv", self.left_out()):
            say_left_out(self.name, self.left_out(), len(self.listed))
        if not known:
            self._say_converted(sample_rate, channels)

    def left_out(self) -> list[tuple[str, str]]:
        """Give path and reason of each recording that cannot be used."""
        pairs = zip(self.listed, self._reasons, strict=True)
        return [(recording.path, reason) for recording, reason in pairs if reason]

    def used(self) -> tuple[list[Recording], dict[str, np.ndarray]]:
        """Give the recordings that can be used, and their entries of the arrays."""
        numbers = np.array([number for number, reason in enumerate(self._reasons) if not reason], np.int64)
        recordings = [self.listed[number] for number in numbers]
        return recordings, {name: values[numbers] for name, values in self.arrays.items()}

    def check_left_out(self, most: float) -> None:
        """Refuse a data set of which too much cannot be used.

        Args:
            most: the greatest share that may be left out.

        Raises:
            UserError: it is more; the message names the first ten.
        """
        where = f"{self.cache.folder}/left_out.csv"
        check_left_out(self.name, self.left_out(), len(self.listed), most, where)

    @functools.cached_property
    def _reasons(self) -> list[str]:
        pairs = zip(self.listed, self.arrays["problem"], strict=True)
        return [recording.problem or PROBLEMS[problem] for recording, problem in pairs]

    def _say_converted(self, sample_rate: int, channels: int) -> None:
        _, heard = self.used()
        kinds = Counter(zip(heard["rate"].tolist(), heard["channels"].tolist(), strict=True))
        if len(kinds) > 1:
            found = ", ".join(
                f"{count} of {rate} Hz and {n} channel(s)" for (rate, n), count in kinds.items()
            )
            say(f"{self.name}: {found}; all become {sample_rate} Hz and {channels} channel(s)")
