"""Clips cut out of the passages of a list of sources; the memory needed does not grow with the films."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import soundfile

from src.audio.files import SILENCE, cancel, peaks
from src.audio.media import Media
from src.datamodules.recordings.sources.clips import ClipWriter, clip_stems
from src.datamodules.recordings.sources.entry import Entry, Passage
from src.datamodules.recordings.sources.film_windows import PassageWindows, WindowOptions
from src.datamodules.recordings.sources.times import written
from src.errors import UserError
from src.fingerprint import read_json, write_json
from src.preparation.cache import locked
from src.preparation.progress import Progress

_REPORT = "cut.json"


@dataclass
class CutReport:
    """The result of cutting.

    Attributes:
        passages: number of passages in the list.
        cut: number of passages that gave at least one window.
        clips: number of windows written.
        silent: number of windows left out because they never reach -80 dB of full scale.
        cancelled: number of windows left out because their channels cancel each other in mono.
        problems: passages that are too short or damaged, one line each.
    """

    passages: int = 0
    cut: int = 0
    clips: int = 0
    silent: int = 0
    cancelled: int = 0
    problems: list[str] = field(default_factory=list)

    def left_out(self) -> str:
        """Return how many windows have no sound, and why."""
        cancelled = f", in {self.cancelled} the channels cancel each other" if self.cancelled else ""
        return f"{self.silent} windows are silent{cancelled}"


def cut_sources(
    entries: Sequence[Entry], root: Path, folder: Path, options: WindowOptions, *, on_error: str = "stop"
) -> CutReport:
    """Cut passages into windows and write them as 16-bit WAV files with a manifest.

    A clip is named `[label1][label2]<stem>__<i>.wav`; i numbers the windows of a file from 0, in order of time, silent
    and damaged ones included. Of two files with the same stem the second listed becomes `<stem>~2`. `manifest.csv`
    has a row for each clip (`src.datamodules.recordings.sources.clips.COLUMNS`): labels are joined by `|`, times count
    from the file's start, `rms_dbfs` is the root mean square of all channels in dB of full scale. A remainder at the
    end of a passage, and a passage shorter than a window, gives no clip.

    The folder appears when everything is written; if it exists, nothing is cut again.

    Args:
        entries: as `src.datamodules.recordings.sources.source_file.read_sources` returns them.
        root: the folder that their paths are relative to.
        folder: gets the clips and the manifest.
        options: length and stride of windows.
        on_error: `stop` at a damaged passage, or `skip` its damaged windows.

    Raises:
        UserError: a passage is damaged, with `stop`; nothing could be cut; or the disk is full.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if folder.exists():
            return read_report(folder)
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            with ClipWriter(partial, options.sample_rate) as writer:
                report = _Cutter(root, writer, options, on_error).cut(entries)
            write_json(partial / _REPORT, asdict(report))
            partial.rename(folder)
        except (OSError, soundfile.SoundFileError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError(
                f"cannot write to {folder}: {reason}; make room there or choose outputs=DIR"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return report


def read_report(folder: Path) -> CutReport:
    """Read the report of an earlier cut.

    Raises:
        UserError: the folder has none.
    """
    report = read_json(folder / _REPORT)
    if report is None:
        raise UserError(f"{folder} holds no finished cut; remove it, or choose another folder")
    return CutReport(**report)


class _Cutter:
    """Cuts passages and counts what it writes and leaves out."""

    def __init__(self, root: Path, writer: ClipWriter, options: WindowOptions, on_error: str) -> None:
        self._root, self._writer, self._options, self._on_error = root, writer, options, on_error
        self._report = CutReport()

    def cut(self, entries: Sequence[Entry]) -> CutReport:
        """Cut the passages of all entries, source by source, and return the report."""
        by_source: dict[str, list[tuple[Passage, Entry]]] = {}
        for entry in entries:
            by_source.setdefault(entry.source, []).extend(
                (passage, entry) for passage in entry.passages or ()
            )
        stems, report = clip_stems(by_source), self._report
        report.passages = sum(map(len, by_source.values()))
        with Progress("passages cut", report.passages) as progress:
            for source, passages in by_source.items():
                self._cut_source(source, stems[source], passages)
                progress.advance(len(passages))
        if not report.clips:
            reason = report.problems[0] if report.problems else report.left_out()
            raise UserError(
                f"none of {report.passages} passages gives a clip ({reason}); choose other passages"
            )
        return report

    def _cut_source(self, source: str, stem: str, passages: Sequence[tuple[Passage, Entry]]) -> None:
        number = 0
        try:
            media = Media(self._root / source)
        except UserError as error:
            self._problem(f"{source}, all of it", str(error))
            return
        with media:
            for passage, entry in sorted(passages, key=lambda pair: pair[0].start_s):
                found = PassageWindows(media, passage.start_s, passage.end_s, self._options)
                self._write(found, entry, stem, number)
                title = (
                    f"entry {entry.number} ({source}), {written(passage.start_s)}–{written(passage.end_s)}"
                )
                if not found.count:
                    self._report.problems.append(f"{title}: it is shorter than a window")
                elif found.problem:
                    self._problem(title, found.problem)
                number += found.count

    def _write(self, found: PassageWindows, entry: Entry, stem: str, number: int) -> None:
        any_found = False
        for place, window in found:
            any_found = True
            mono, (loudest, loudest_mean) = self._options.channels == 1, peaks(window.T)
            if loudest < SILENCE:
                self._report.silent += 1
            elif mono and cancel(loudest, loudest_mean):
                self._report.cancelled += 1
            else:
                window = window.mean(axis=0, keepdims=True) if mono else window
                self._writer.write(window, entry, stem, number + place, found.first(place))
                self._report.clips += 1
        self._report.cut += any_found

    def _problem(self, title: str, reason: str) -> None:
        if self._on_error == "stop":
            raise UserError(f"{title}: {reason}; data.on_error=skip goes on without it")
        self._report.problems.append(f"{title}: {reason}")
