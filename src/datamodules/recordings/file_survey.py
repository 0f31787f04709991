"""A survey of the files of a data set, each decoded once: length, format, and which cannot be used."""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.audio.files import CANCELS, mixes
from src.audio.sound_file import decoders
from src.datamodules.lists import check_left_out, say_left_out, write_left_out
from src.errors import UserError
from src.fingerprint import Memory, files_hash, value_hash
from src.messages import say
from src.paths import is_inside
from src.preparation import survey
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache
from src.preparation.chunks import ChunkedArrays
from src.preparation.code import code_signature
from src.preparation.survey import ARRAYS, PROBLEMS, Surveyor
from src.splitting.recording import Recording


@dataclass(frozen=True)
class FileSurvey:
    """Length, format and problem of each listed file, stored in `<cache_dir>/<name>_survey-<hash>`.

    They depend on the files only, on no option. `left_out.csv` in that folder is written with the labels that the
    files were last prepared with.

    Args:
        name: of the data set.
        root: the folder that paths are relative to.
        listed: all recordings.
        cache_dir: the folder of prepared data.
        channels: that are wanted, 1 or 2; what is stored does not depend on it.
    """

    name: str
    root: Path
    listed: Sequence[Recording]
    cache_dir: Path
    channels: int

    @functools.cached_property
    def content(self) -> str:
        """A hash of the existing files and their names."""
        existing = [recording.path for recording in self.listed if is_inside(self.root, recording.path)]
        return files_hash(self.root, existing, self.cache_dir / Memory.LISTS)

    @functools.cached_property
    def cache(self) -> ArrayCache[ChunkedArrays]:
        """The arrays of `src.preparation.survey.ARRAYS` on disk."""
        paths = [recording.path for recording in self.listed]
        code = code_signature(survey)
        signature = value_hash({"paths": paths, "files": self.content, "code": code, **decoders()})
        folder = self.cache_dir / f"{self.name}_survey-{signature}"
        return ArrayCache(ChunkedArrays(folder, len(paths), ARRAYS), {"data": self.name, "paths": paths})

    @functools.cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays, one entry for each recording.

        Raises:
            UserError: the files have not been surveyed yet.
        """
        if not self.cache.is_complete():
            raise UserError(f"{self.name} is not built; run the command with mode=prepare")
        return self.cache.files.open()

    def prepare(self, workers: int | str, sample_rate: int) -> None:
        """Decode all files unless that is done already, and print what is new about them.

        After the survey it prints which formats are converted. It prints the files that cannot be used whenever they
        have changed: other labels can make other files unusable without a new survey.

        Args:
            workers: number of processes, or `auto`.
            sample_rate: that files are converted to, Hz.

        Raises:
            UserError: a process was killed, or the disk is full.
        """
        surveyed = self.cache.is_complete()
        if not surveyed:
            surveyor = Surveyor(self.root, tuple(recording.path for recording in self.listed))
            self.cache.prepare(Builder(surveyor, workers, f"{self.name}: decoding all files"))
        if write_left_out(self.cache.folder / "left_out.csv", self.left_out()):
            say_left_out(self.name, self.left_out(), len(self.listed))
        if not surveyed:
            self._say_converted(sample_rate)

    def left_out(self) -> list[tuple[str, str]]:
        """Return path and reason of each recording that cannot be used."""
        pairs = zip(self.listed, self._reasons, strict=True)
        return [(recording.path, reason) for recording, reason in pairs if reason]

    def used(self) -> tuple[list[Recording], dict[str, np.ndarray]]:
        """Return the recordings that can be used, and their entries of the arrays."""
        numbers = np.array([number for number, reason in enumerate(self._reasons) if not reason], np.int64)
        recordings = [self.listed[number] for number in numbers]
        return recordings, {name: values[numbers] for name, values in self.arrays.items()}

    def check_left_out(self, max_share: float) -> None:
        """Check that not too many files are left out.

        Args:
            max_share: the greatest share that may be left out, 0..1.

        Raises:
            UserError: more are left out; the message names the first ten.
        """
        table = f"{self.cache.folder}/left_out.csv"
        check_left_out(self.name, self.left_out(), len(self.listed), max_share, table)

    @functools.cached_property
    def _reasons(self) -> list[str]:
        columns = (self.arrays[name].tolist() for name in ("problem", "channels", "cancels"))
        return [
            recording.problem
            or PROBLEMS[problem]
            or (CANCELS if cancels and mixes(channels, self.channels) else "")
            for recording, problem, channels, cancels in zip(self.listed, *columns, strict=True)
        ]

    def _say_converted(self, sample_rate: int) -> None:
        _, surveyed = self.used()
        formats = Counter(zip(surveyed["rate"].tolist(), surveyed["channels"].tolist(), strict=True))
        if len(formats) > 1:
            found = ", ".join(
                f"{count} of {rate} Hz and {n_channels} channel(s)"
                for (rate, n_channels), count in formats.items()
            )
            say(f"{self.name}: {found}; all become {sample_rate} Hz and {self.channels} channel(s)")
