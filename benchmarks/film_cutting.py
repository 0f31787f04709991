"""Cutting clips out of films: memory by the length of the film, and what a broken entry costs.

    python benchmarks/film_cutting.py [--minutes 120] [--passages 500] [--json FILE]

A film is made (AAC sound with changing notes, tiny pictures) with labelled passages and one broken entry in the
middle of the list, and one of ten minutes with as many passages a minute; each as Matroska and as MP4. Each is cut
into windows of 3 s by a fresh process, and its peak of resident memory is compared with what it was once all was
imported. FFmpeg holds the whole index of an MP4 file in memory, some megabytes for an hour, hence the two containers.
"""

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.memory import peak_mb  # noqa: E402

SHORT_MINUTES = 10
CLASSES = ("gong", "erhu", "dizi", "pipa")
RATE = 44100  # Hz
WITHOUT_INDEX = "mkv"
KINDS = (WITHOUT_INDEX, "mp4")
MOST_GROWTH_MB, MOST_DIFFERENCE = 150.0, 0.05


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=120, help="length of the long film")
    parser.add_argument("--passages", type=int, default=500, help="passages in the long film")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--step", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step, folder, minutes, passages = arguments.step
        print(json.dumps(STEPS[step](Path(folder), int(minutes), int(passages))))
        return
    lengths = {
        "short": (SHORT_MINUTES, round(arguments.passages * SHORT_MINUTES / arguments.minutes)),
        "long": (arguments.minutes, arguments.passages),
    }
    figures: dict[str, Any] = {kind: {} for kind in KINDS}
    with tempfile.TemporaryDirectory() as scratch:
        for name, (minutes, passages) in lengths.items():
            in_a_process("make", Path(scratch) / name, minutes, passages)
            for kind in KINDS:
                figures[kind][name] = in_a_process(kind, Path(scratch) / name, minutes, passages)
    for kind in KINDS:
        report(kind, figures[kind])
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def in_a_process(step: str, folder: Path, minutes: int, passages: int) -> dict[str, Any]:
    """Run a step in a child process; this one stays small, since a child's peak is at least the size of its parent."""
    command = [sys.executable, __file__, "--step", step, str(folder), str(minutes), str(passages)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def make(folder: Path, minutes: int, passages: int) -> dict[str, Any]:
    """Write a film in each container, and its list of sources."""
    folder.mkdir()
    write_film(folder / "film.mkv", 60 * minutes)
    copy(folder / "film.mkv", folder / "film.mp4")
    for kind in KINDS:
        entries = [entry(number, 60 * minutes / passages, kind) for number in range(passages)]
        broken = {**entries[passages // 2], "time_stamps_to_extract": [["0:20", "0:10"]]}
        entries.insert(passages // 2, broken)
        (folder / f"{kind}.json").write_text(json.dumps(entries), encoding="utf-8")
    return {}


def entry(number: int, every_s: float, kind: str) -> dict[str, Any]:
    """Label the first three quarters of each stretch of the film."""
    start_s = number * every_s
    return {
        "video": f"film.{kind}",
        "labels": [CLASSES[number % len(CLASSES)]],
        "time_stamps_to_extract": [[round(start_s, 3), round(start_s + 0.75 * every_s, 3)]],
        "description": f"passage {number}",
    }


def write_film(path: Path, seconds: int) -> None:
    """Write one note per second over noise, each with a grey picture."""
    import av
    import numpy as np

    rng = np.random.default_rng(1)
    times = np.arange(RATE) / RATE
    noise = (0.02 * rng.standard_normal((2, 10 * RATE))).astype(np.float32)
    with av.open(str(path), "w") as film:
        track = film.add_stream("aac", rate=RATE, layout="stereo", options={"aac_coder": "fast"})
        pictures = film.add_stream("mpeg4", rate=1)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        for second in range(seconds):
            note = 110 * 2 ** (rng.integers(0, 48) / 12)
            tone = (0.3 * np.sin(2 * np.pi * note * times) * np.exp(-2 * times)).astype(np.float32)
            begin = rng.integers(0, 9 * RATE)
            sound = np.ascontiguousarray(tone + noise[:, begin : begin + RATE])
            heard = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = RATE, second * RATE, Fraction(1, RATE)
            film.mux(track.encode(heard))
            grey = av.VideoFrame.from_ndarray(np.full((72, 64), second % 255, np.uint8), format="yuv420p")
            grey.pts, grey.time_base = second, Fraction(1)
            film.mux(pictures.encode(grey))
        film.mux(track.encode(None))
        film.mux(pictures.encode(None))


def copy(film: Path, other: Path) -> None:
    """Copy a film into another container without re-encoding."""
    import av

    with av.open(str(film)) as source, av.open(str(other), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)


def cut(folder: Path, minutes: int, passages: int, kind: str) -> dict[str, Any]:
    """Read the list, cut the film, and return the peak of memory and the account."""
    from src.datamodules.recordings.sources.cutting import cut_sources
    from src.datamodules.recordings.sources.film_windows import WindowOptions
    from src.datamodules.recordings.sources.source_file import read_sources

    options = WindowOptions(window_seconds=3.0, stride_seconds=3.0, sample_rate=RATE, channels=2)
    imported, began = peak_mb(), time.perf_counter()
    entries, problems = read_sources(folder / f"{kind}.json", folder, CLASSES, on_error="skip")
    found = cut_sources(entries, folder, folder / f"{kind}_clips", options, on_error="skip")
    return {
        "minutes": minutes,
        "film_mb": (folder / f"film.{kind}").stat().st_size / 1e6,
        "imports_mb": imported,
        "peak_mb": peak_mb(),
        "growth_mb": peak_mb() - imported,
        "passages_asked": passages + 1,
        "passages_cut": found.cut,
        "problems": len(problems) + len(found.problems),
        "clips": found.clips,
        "cut_s": time.perf_counter() - began,
    }


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "make": make,
    **{kind: functools.partial(cut, kind=kind) for kind in KINDS},
}


def report(kind: str, figures: dict[str, Any]) -> None:
    short, long = figures["short"], figures["long"]
    for film in (short, long):
        print(
            f"{kind}, {film['minutes']} min, {film['film_mb']:.0f} MB: memory grows by {film['growth_mb']:.1f} MB "
            f"over the imports' {film['imports_mb']:.0f} MB; {film['clips']} clips in {film['cut_s']:.1f} s"
        )
        skipped = film["passages_asked"] - film["passages_cut"]
        print(
            f"  passages: {film['passages_asked']} asked for, {film['passages_cut']} cut, {skipped} skipped, "
            f"{film['problems']} problem(s) named"
        )
    print(f"  growth, long to short: {long['growth_mb'] / short['growth_mb']:.2f}")
    verdict("greatest growth, MB", max(short["growth_mb"], long["growth_mb"]), MOST_GROWTH_MB)
    ratio = long["peak_mb"] / short["peak_mb"]
    if kind == WITHOUT_INDEX:
        verdict("peak of memory, long to short", ratio, 1 + MOST_DIFFERENCE)
    else:
        hours = (long["minutes"] - short["minutes"]) / 60
        index_mb = (long["growth_mb"] - short["growth_mb"]) / hours
        print(f"  peak of memory, long to short: {ratio:.3f}; {index_mb:.1f} MB for an hour of index")


def verdict(what: str, value: float, bound: float) -> None:
    print(f"  {what}: {value:.3f} (<= {bound:g}: {'met' if value <= bound else 'MISSED'})")


if __name__ == "__main__":
    main()
