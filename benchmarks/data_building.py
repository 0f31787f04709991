"""How fast instrument clips are made, against the published chain, against rendering alone, and by two cores.

    python benchmarks/data_building.py [--soundfont NAME] [--clips N] [--build-clips N] [--json FILE]

What is compared is measured in turns within one run, and medians are compared: a busy machine slows both.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from ctypes import c_char_p, c_int, c_void_p
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fluidsynth
import librosa
import numpy as np
import torch
from hydra.utils import instantiate
from librosa.display import specshow
from matplotlib import pyplot
from omegaconf import OmegaConf

from src.audio import fluid
from src.audio.soundfonts.installed import find_soundfont
from src.audio.synthesis import Synthesizer
from src.datamodules.synthesized.synth_clips import ClipMaker
from src.datamodules.synthesized.synth_instruments import SynthInstruments

OPTIONS = Path(__file__).resolve().parent.parent / "conf" / "data" / "synth_instruments.yaml"
PLAYING = 1  # enum fluid_player_status
BLOCK = 10
TURNS = 3
LEAST_AGAINST_CHAIN, MOST_AGAINST_RENDERING, LEAST_BY_TWO_CORES = 30.0, 1.35, 1.7


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--soundfont", default="TimGM6mb", help="name or path")
    parser.add_argument("--clips", type=int, default=60, help="clips for the comparisons on one core")
    parser.add_argument(
        "--build-clips", type=int, default=1024, help="clips of each build with one and two workers"
    )
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = {
            **against_chain(Path(scratch), arguments.soundfont, arguments.clips),
            **against_rendering(Path(scratch), arguments.soundfont, 4 * arguments.clips),
            **by_two_cores(Path(scratch), arguments.soundfont, arguments.build_clips),
        }
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def against_chain(folder: Path, soundfont: str, clips: int) -> dict[str, float]:
    """Time whole clips here and by the published chain, on one core.

    The chain runs in a process of its own, since FluidSynth shares the sounds of a file that is loaded already.
    """
    maker = data(folder, soundfont, clips, 1).maker()
    font = find_soundfont(soundfont)
    with ProcessPoolExecutor(1, get_context("spawn"), pyplot.switch_backend, ("Agg",)) as chain:
        ours, theirs = in_turns(
            clips,
            lambda i: clock(maker, i),
            lambda i: chain.submit(clock, published_chain, maker, i, font, folder).result(),
        )
    return {"clip_ms": ours, "published_chain_ms": theirs, "times_faster_than_published": theirs / ours}


def published_chain(maker: ClipMaker, index: int, font: Path, folder: Path) -> None:
    """Make a clip of the same length as published: files between all steps, 512 mel bands, a large picture.

    Source: github.com/kkrolewiak/WIMU, generatingSpectograms (which starts a process for each clip, and waits in
    real time while it plays: both are left out).
    """
    maker.piece(index)[0].save(folder / "clip.mid")
    to_wav(folder / "clip.mid", font, folder / "clip.wav")
    waveform, rate = librosa.load(folder / "clip.wav", sr=44100, duration=maker.score.clip_seconds)
    power = librosa.feature.melspectrogram(y=waveform, sr=rate, n_fft=2048, hop_length=512, n_mels=512)
    decibels = librosa.power_to_db(power, ref=np.max)
    pyplot.figure(figsize=(10, 10))  # inches
    specshow(decibels, sr=rate, x_axis="off", y_axis="off")
    pyplot.axis("off")
    pyplot.savefig(folder / "clip.png", bbox_inches="tight", dpi=200)
    pyplot.close()


def to_wav(midi: Path, font: Path, wav: Path) -> None:
    """Render a MIDI file to 44.1 kHz as the command `fluidsynth -F` does: load the soundfont, play to silence."""
    api, player_api = fluid.functions(), player_functions()
    settings = api.new_fluid_settings()
    api.settings_setstr(settings, b"audio.file.name", str(wav).encode())
    api.settings_setstr(settings, b"player.timing-source", b"sample")
    api.settings_setint(settings, b"synth.lock-memory", 0)
    synth = api.new_fluid_synth(settings)
    api.synth_sfload(synth, str(font).encode(), 1)
    player = player_api.new(synth)
    player_api.add(player, str(midi).encode())
    player_api.play(player)
    renderer = player_api.new_renderer(synth)
    while player_api.status(player) == PLAYING and player_api.render_block(renderer) == 0:
        pass
    player_api.delete_renderer(renderer)
    player_api.delete(player)
    api.delete_fluid_synth(synth)
    api.delete_fluid_settings(settings)


def player_functions() -> SimpleNamespace:
    synth, player, renderer = (("synth", c_void_p, 1), ("player", c_void_p, 1), ("renderer", c_void_p, 1))
    cfunc = fluidsynth.cfunc
    return SimpleNamespace(
        new=cfunc("new_fluid_player", c_void_p, synth),
        add=cfunc("fluid_player_add", c_int, player, ("file", c_char_p, 1)),
        play=cfunc("fluid_player_play", c_int, player),
        status=cfunc("fluid_player_get_status", c_int, player),
        delete=cfunc("delete_fluid_player", None, player),
        new_renderer=cfunc("new_fluid_file_renderer", c_void_p, synth),
        render_block=cfunc("fluid_file_renderer_process_block", c_int, renderer),
        delete_renderer=cfunc("delete_fluid_file_renderer", None, renderer),
    )


def against_rendering(folder: Path, soundfont: str, clips: int) -> dict[str, float]:
    """Time whole clips against a fresh synthesiser that renders the same events, the soundfont shared."""
    maker = data(folder, soundfont, clips, 1).maker()
    synthesizer = Synthesizer(find_soundfont(soundfont), sample_rate=maker.mel.sample_rate)
    events = [maker.piece(index)[0].events() for index in range(clips)]
    seconds = maker.score.clip_seconds
    whole, rendering = in_turns(
        clips,
        lambda i: clock(maker, i),
        lambda i: clock(synthesizer.render, events[i], seconds),
    )
    return {"whole_clip_ms": whole, "rendering_ms": rendering, "whole_to_rendering": whole / rendering}


def by_two_cores(folder: Path, soundfont: str, clips: int) -> dict[str, float]:
    """Time whole builds with the fork server already running, as in a sweep."""
    build_seconds(folder / "warm", soundfont, 512, 2)
    taken = [
        [build_seconds(folder / f"{turn}-{workers}", soundfont, clips, workers) for workers in (1, 2)]
        for turn in range(TURNS)
    ]
    one, two = np.median(taken, axis=0).tolist()
    return {
        "build_clips": clips,
        "one_core_s": one,
        "two_cores_s": two,
        "times_faster_by_two_cores": one / two,
    }


def build_seconds(folder: Path, soundfont: str, clips: int, workers: int) -> float:
    module = data(folder, soundfont, clips, workers)
    started = time.perf_counter()
    module.prepare_data()
    return time.perf_counter() - started


def data(folder: Path, soundfont: str, clips: int, workers: int) -> SynthInstruments:
    options: Any = OmegaConf.load(OPTIONS)
    options.soundfonts, options.workers = [soundfont], workers
    options.n_clips = {"train": clips - 2, "val": 1, "test": 1}
    module: SynthInstruments = instantiate(options, cache_dir=folder, batch_size=32, shuffle_seed=0)
    return module


def in_turns(times: int, one: Callable[[int], float], other: Callable[[int], float]) -> tuple[float, float]:
    """Return the medians in ms of two measurements in seconds, taken alternately block by block after a warm-up."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken: dict[Callable[[int], float], list[float]] = {one: [], other: []}
    for start in range(0, times, BLOCK):
        for measure, seconds in taken.items():
            measure(start)
            seconds += [measure(index) for index in range(start, min(start + BLOCK, times))]
    torch.set_num_threads(threads)
    return float(np.median(taken[one])) * 1e3, float(np.median(taken[other])) * 1e3


def clock(function: Callable[..., object], *arguments: object) -> float:
    """Return the seconds of CPU time that a call takes."""
    started = time.process_time()
    function(*arguments)
    return time.process_time() - started


def report(figures: dict[str, float]) -> None:
    print(f"a clip, one core: {figures['clip_ms']:.1f} ms = {1e3 / figures['clip_ms']:.0f} clips a second")
    print(f"  published chain: {figures['published_chain_ms']:.0f} ms")
    verdict("times faster", figures["times_faster_than_published"], LEAST_AGAINST_CHAIN, at_least=True)
    print(
        f"a clip: {figures['whole_clip_ms']:.2f} ms; creation and rendering: {figures['rendering_ms']:.2f} ms"
    )
    verdict("ratio", figures["whole_to_rendering"], MOST_AGAINST_RENDERING, at_least=False)
    print(
        f"{figures['build_clips']:.0f} clips built: {figures['one_core_s']:.1f} s by one core, "
        f"{figures['two_cores_s']:.1f} s by two"
    )
    verdict("times faster", figures["times_faster_by_two_cores"], LEAST_BY_TWO_CORES, at_least=True)


def verdict(what: str, value: float, bound: float, at_least: bool) -> None:
    met = value >= bound if at_least else value <= bound
    print(f"  {what}: {value:.2f} ({'>=' if at_least else '<='} {bound:g}: {'met' if met else 'MISSED'})")


if __name__ == "__main__":
    main()
