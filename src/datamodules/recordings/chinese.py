"""Chinese instruments in passages cut out of films and recordings, as a list of sources describes them."""

import functools
import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.recordings.base import RecordingOptions, Recordings
from src.datamodules.recordings.sources import cutting
from src.datamodules.recordings.sources.clips import read_manifest
from src.datamodules.recordings.sources.cutting import CutReport, cut_sources, read_report
from src.datamodules.recordings.sources.entry import Entry, check_classes
from src.datamodules.recordings.sources.film_windows import SHORTEST_S, WindowOptions
from src.datamodules.recordings.sources.source_file import ON_ERROR, read_sources
from src.errors import UserError
from src.fingerprint import Memory, files_hash, value_hash
from src.messages import say
from src.paths import no_folder
from src.preparation.code import code_signature
from src.rules import Rule, number, one_of, words
from src.splitting.recording import Recording


class Chinese(Recordings):
    """Passages of films, labelled by hand with the instruments that play, cut into clips.

    The clips are cut once, into a folder `chinese_clips-<hash>` beside the prepared data, with a `manifest.csv`.
    All clips of a film are in one split.

    Args:
        root: the folder with the list of sources and the films.
        sources: name of the list in it, see `src.datamodules.recordings.sources.source_file`.
        classes: names of the instruments; labels must be among them.
        window_seconds: length of a clip, at least 0.03 s.
        stride_seconds: from the start of one clip of a passage to the start of the next, s.
        on_error: `stop`, or `skip`: mistakes in the list and damaged passages are named on stderr and left out.
        options: see `RecordingOptions`; each clip is a recording of one window.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "chinese"
    target = "multilabel"
    grouped_by = "source"

    class Options(RecordingOptions):
        """See `Chinese`."""

        sources: Annotated[str, words("the name of the list in data.root")]
        classes: Annotated[tuple[str, ...], Rule("names", lambda _, names: check_classes(names))]
        window_seconds: Annotated[float, number(SHORTEST_S, of="a number of seconds")]
        on_error: Annotated[str, one_of(*ON_ERROR)]
        clip_seconds: float = field(init=False, default=0.0)
        pool: str = field(init=False, default="mean")

        def __post_init__(self) -> None:
            super().__post_init__()
            object.__setattr__(self, "clip_seconds", self.window_seconds)

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.sources, self.on_error, self.classes = options.sources, options.on_error, options.classes
        self.stride = self.length
        self.windows = WindowOptions(
            window_seconds=options.window_seconds,
            stride_seconds=options.stride_seconds,
            sample_rate=self.sample_rate,
            channels=self.channels,
        )

    def check(self) -> None:
        """Check that the folder exists and the list of sources has no mistakes.

        Raises:
            UserError: it does not exist or has some; with `on_error=skip`, only if no entry is without mistakes.
        """
        _ = self._read

    def resolved(self) -> dict[str, Any]:
        """Return the folder of the films as a full path."""
        return {"root": str(self._films())}

    def folder_of_data(self) -> Path:
        """Return the folder of the clips, whether they are cut yet or not."""
        return self.cache_dir / f"{self.name}_clips-{value_hash(self._cut_recipe)}"

    def prepare_data(self) -> None:
        """Cut the clips, then survey them and build the features that are missing.

        Raises:
            UserError: as `src.datamodules.recordings.sources.cutting.cut_sources` and `Recordings.prepare_data`.
        """
        clips = self.folder_of_data()
        if not clips.exists():
            entries, problems = self._read
            report = cut_sources(entries, self._films(), clips, self.windows, on_error=self.on_error)
            self._say(report, problems)
        super().prepare_data()

    def recordings(self) -> list[Recording]:
        """Return the clips.

        Raises:
            UserError: they are not cut yet.
        """
        clips = self.folder_of_data()
        if not clips.exists():
            raise UserError(f"{self.name} is not built; run the command with mode=prepare")
        return [
            Recording(path=row["clip"], labels=tuple(row["labels"].split("|")), group=row["source"])
            for row in read_manifest(clips)
        ]

    def summary(self) -> dict[str, Any]:
        """Return what `Recordings` returns, and the numbers of passages, of cut passages and of silent windows."""
        report = read_report(self.folder_of_data())
        cut = {"passages": report.passages, "passages_cut": report.cut, "silent_windows": report.silent}
        return {**super().summary(), **cut}

    def _say(self, report: CutReport, problems: Sequence[str]) -> None:
        for problem in (*problems, *report.problems):
            say(f"{self.name}: left out: {problem}")
        say(
            f"{self.name}: {report.clips} clips cut from {report.cut} of {report.passages} passages; "
            f"{report.left_out()} and left out"
        )

    def _films(self) -> Path:
        if self.root is None or not self.root.is_dir():
            problem = "data.root is not set" if self.root is None else no_folder(self.root)
            raise UserError(f"{problem}: name the folder with {self.sources} and its films, data.root=FOLDER")
        return self.root

    @functools.cached_property
    def _read(self) -> tuple[list[Entry], list[str]]:
        root = self._films()
        if not (root / self.sources).resolve().is_relative_to(root):
            raise UserError(f"data.sources={self.sources}: name a file in {root}")
        return read_sources(root / self.sources, root, self.classes, on_error=self.on_error)

    @functools.cached_property
    def _cut_recipe(self) -> dict[str, Any]:
        entries, _ = self._read
        films = sorted({entry.source for entry in entries})
        return {
            "entries": [asdict(replace(entry, description="")) for entry in entries],
            "films": files_hash(self._films(), films, self.cache_dir / Memory.LISTS),
            "windows": asdict(self.windows),
            "on_error": self.on_error,
            "code": code_signature(cutting),
            "versions": {name: importlib.metadata.version(name) for name in ("av", "soxr", "soundfile")},
        }
