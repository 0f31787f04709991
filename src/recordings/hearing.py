"""The files of a data set, each heard once: what they are, and which cannot be used."""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from src.errors import UserError
from src.fingerprint import code_hash, value_hash
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache, say
from src.preparation.chunks import ChunkedArrays
from src.preparation.inputs import files_hash
from src.preparation.sources import ROOT, sources
from src.recordings.lists import write_left_out
from src.recordings.recording import Recording
from src.recordings.survey import ARRAYS, PROBLEMS, Surveyor

_NAMED = 10  # files that are named on the terminal; left_out.csv has all


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
    def cache(self) -> ArrayCache:
        """The arrays of `src.recordings.survey.ARRAYS` on disk."""
        paths = [recording.path for recording in self.listed]
        code = code_hash(sources(Surveyor.__module__), ROOT)
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
            self._say_left_out()
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
        left_out = self.left_out()
        if len(left_out) <= most * len(self.listed):
            return
        named = "; ".join(f"{path} {reason}" for path, reason in left_out[:_NAMED])
        more = f"; {self.cache.folder}/left_out.csv has all" if len(left_out) > _NAMED else ""
        raise UserError(
            f"{self.name}: {len(left_out)} of {len(self.listed)} files cannot be used: {named}{more}; mend them or "
            f"get them again, or allow a greater share than data.max_bad={most:g}"
        )

    @functools.cached_property
    def _reasons(self) -> list[str]:
        pairs = zip(self.listed, self.arrays["problem"], strict=True)
        return [recording.problem or PROBLEMS[problem] for recording, problem in pairs]

    def _say_left_out(self) -> None:
        left_out = self.left_out()
        for path, reason in left_out[:_NAMED]:
            say(f"{self.name}: left out: {path} {reason}")
        if left_out:
            say(f"{self.name}: {len(left_out)} of {len(self.listed)} files are left out; see left_out.csv")

    def _say_converted(self, sample_rate: int, channels: int) -> None:
        _, heard = self.used()
        kinds = Counter(zip(heard["rate"].tolist(), heard["channels"].tolist(), strict=True))
        if len(kinds) > 1:
            found = ", ".join(
                f"{count} of {rate} Hz and {n} channel(s)" for (rate, n), count in kinds.items()
            )
            say(f"{self.name}: {found}; all become {sample_rate} Hz and {channels} channel(s)")
