"""What is fuzzed: kinds of files, small valid ones of each, and the readers of this project that open them."""

import csv
import gzip
import io
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np
import scipy.io
import soundfile
import torch

from src.errors import UserError
from src.paths import CHECKPOINTS
from tests.datamodules.of_yaml import of_yaml
from tests.fuzz.mutations import BINARY, TEXT, Mutation, within_gzip, within_zip


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes:
        file: name of a mutant, with or without folders before it, relative to a folder of its own.
        seeds: makes valid files in a folder and returns their contents.
        read: reads the file with everything in this project that reads such files.
        mutations: of its contents.
        beside: writes files that its reader wants beside it into a folder.
    """

    file: str
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[Path], object]
    mutations: tuple[Mutation, ...] = BINARY
    beside: Callable[[Path], object] = lambda folder: None


def _each(*reads: Callable[[], object]) -> None:
    """Read with every reader; the file is refused if all refuse it."""
    refused: list[UserError] = []
    for read in reads:
        try:
            read()
        except UserError as error:
            refused.append(error)
    if len(refused) == len(reads):
        raise refused[0]


def _sounds(kind: str, *subtypes: str) -> Callable[[Path], list[bytes]]:
    def make(folder: Path) -> list[bytes]:
        noise = np.random.default_rng(0).normal(0, 0.1, (3_000, 2)).astype(np.float32)
        made = []
        for subtype in subtypes:
            file = io.BytesIO()
            soundfile.write(file, noise if len(made) % 2 else noise[:, 0], 24_000, subtype, format=kind)
            made.append(file.getvalue())
        return made

    return make


def _read_sound(path: Path) -> None:
    from src.audio.files import read_audio
    from src.audio.media import Media
    from src.preparation.survey import Surveyor

    Surveyor(path.parent, (path.name,))(0)
    _each(lambda: read_audio(path, 16_000), lambda: _stream(Media, path))


def _stream(media: Any, path: Path) -> None:
    with media(path) as opened:
        for _ in opened.blocks(16_000, 1):
            pass


def _midi(folder: Path) -> list[bytes]:
    made = []
    for kind in (0, 1):
        file = mido.MidiFile(type=kind, ticks_per_beat=96)
        track = mido.MidiTrack()
        track += [
            mido.MetaMessage("set_tempo", tempo=400_000),
            mido.MetaMessage("time_signature", numerator=3, denominator=4),
            mido.Message("program_change", program=40),
            mido.Message("sysex", data=(1, 2, 3)),
        ]
        for note in (60, 64, 67, 64):
            track += [
                mido.Message("note_on", note=note, velocity=80, time=10),
                mido.Message("note_off", note=note, time=40),
            ]
        file.tracks.append(track)
        written = io.BytesIO()
        file.save(file=written)
        made.append(written.getvalue())
    return made


def _read_midi(path: Path) -> None:
    from src.audio.notes import read_midi

    read_midi(path)


def _npy(folder: Path) -> list[bytes]:
    rng, made = np.random.default_rng(0), []
    for dtype, order in (("<f4", "C"), ("<f8", "F"), (">f2", "C")):
        file = io.BytesIO()
        np.save(file, np.asarray(rng.normal(0, 10, (140, 5)), dtype, order))  # type: ignore[arg-type]
        made.append(file.getvalue())
    return made


def _read_features(path: Path) -> None:
    from src.datamodules.sequences.feature_files import FeatureFiles

    files = FeatureFiles(path.parent, (path.name,), 100)
    files(0)
    files.problem(0)


def _mat(folder: Path) -> list[bytes]:
    rng = np.random.default_rng(0)
    cells = {}
    for name in ("traindata", "validdata", "testdata"):
        cells[name] = np.empty((1, 2), object)
        for number in range(2):
            cells[name][0, number] = (rng.random((6, 88)) < 0.1).astype(float)
    made = []
    for compressed in (False, True):
        file = io.BytesIO()
        scipy.io.savemat(file, cells, do_compression=compressed)
        made.append(file.getvalue())
    return made


def _pickles(folder: Path) -> list[bytes]:
    plain = {name: [[(60, 64), (67,), ()], [(50,)]] for name in ("train", "valid", "test")}
    scalars = {name: [[(np.int64(60),)]] for name in plain}
    return [pickle.dumps(plain, 0), pickle.dumps(plain, 2), pickle.dumps(plain), pickle.dumps(scalars, 4)]


def _read_rolls(path: Path) -> None:
    from src.datamodules.rolls.poly_files import read_rolls

    read_rolls(path)


def _labels(folder: Path) -> list[bytes]:
    return [
        b"path,label,split,group\na/1.wav,flute|oboe,train,x\nb/2.wav,oboe,val,y\nc.wav,flute,test,z\n",
        b'\xef\xbb\xbfpath,label\r\n"a, b.wav",flute\r\nb.wav,oboe\r\n',
    ]


def _read_label_table(path: Path) -> None:
    from src.datamodules.label_table import read_labels

    read_labels(path)


def _genres(folder: Path) -> list[bytes]:
    return [
        b"Id\tGenre\n1.fused.full.npy.gz\tRock\n2.fused.full.npy.gz\tFolk\n",
        b"Id,valence,arousal\n1,.5,.25\n2,1,0\n",
    ]


def _read_clip_labels(path: Path) -> None:
    from src.datamodules.sequences.label_files import read_genres, read_numbers

    _each(lambda: read_genres(path), lambda: read_numbers(path, ("valence", "arousal")))


def _tinysol(folder: Path) -> list[bytes]:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["Path", "Fold", "Family", "Instrument (in full)", "Pitch ID", "Dynamics"])
    table.writerow(["Winds/Flute/a.wav", 0, "Winds", "Flute", 60, "mf"])
    table.writerow(["Strings/Violin/b.wav", 1, "Strings", "Violin", 64, "ff"])
    return [file.getvalue().encode()]


def _read_tinysol(path: Path) -> None:
    from src.datamodules.notes.tinysol_table import read_table

    read_table(path.parent, incomplete=True)


def _sources(folder: Path) -> list[bytes]:
    entries: list[dict[str, Any]] = [
        {
            "file": "a.wav",
            "labels": ["erhu"],
            "time_stamps_to_extract": [["0:00", "0:00.05"]],
            "description": "a",
        },
        {"file": "a.wav", "labels": ["pipa", "erhu"], "time_stamps_to_extract": [["0:00.06", "0:00.1"]]},
    ]
    return [json.dumps(entries).encode()]


def _read_sources(path: Path) -> None:
    from src.datamodules.recordings.sources.source_file import read_sources

    read_sources(path, path.parent, ("erhu", "pipa"), on_error="stop")


def _nsynth(folder: Path) -> list[bytes]:
    note = {
        "instrument_family_str": "brass",
        "instrument_str": "brass_acoustic_000",
        "pitch": 60,
        "qualities": [0],
    }
    notes = {f"brass_acoustic_000-{pitch:03}-100": note | {"pitch": pitch} for pitch in (60, 61)}
    return [json.dumps(notes).encode()]


def _read_nsynth(path: Path) -> None:
    for split in ("train", "valid", "test"):
        folder = path.parent / f"nsynth-{split}"
        folder.mkdir(exist_ok=True)
        (folder / "examples.json").write_bytes(path.read_bytes())
    data = of_yaml("nsynth", path.parent / "cache", root=str(path.parent), incomplete=True)
    data.check()
    data.recordings()


def _checkpoints(folder: Path) -> list[bytes]:
    return [(CHECKPOINTS / "instruments.ckpt").read_bytes()]


def _read_checkpoint(path: Path) -> None:
    from src.commands.checkpoint import load

    with torch.inference_mode():
        load(path)


def _soundfonts(folder: Path) -> list[bytes]:
    from src.audio.soundfonts.writer import Sound, write_soundfont

    wave = (8_000 * np.sin(np.arange(600) / 5)).astype(np.int16)
    low = Sound(name="a", samples=wave, sample_rate=22_050, low=0, high=63, root=60.0, loop=(100, 500))
    high = Sound(name="b", samples=wave[:300], sample_rate=11_025, low=64, high=127, root=70.0)
    write_soundfont(folder / "seed.sf2", "seed", {0: [low, high], 40: [low]})
    return [(folder / "seed.sf2").read_bytes()]


def _read_soundfont(path: Path) -> None:
    from src.audio.soundfonts.contents import check_programs, presets, sounds_of
    from src.audio.synthesis import Synthesizer

    presets(path)
    check_programs(path, [0, 40])
    sounds_of(path, [(0, 0), (0, 40)])
    events = [(0.0, mido.Message("note_on", note=60)), (0.05, mido.Message("note_off", note=60))]
    Synthesizer(path).render(events, 0.1)


def _write_sound(name: str) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.sin(np.arange(2_205) / 5), 22_050)

    return write


def _write_notes(folder: Path) -> None:
    for name in ("Winds/Flute/a.wav", "Strings/Violin/b.wav"):
        _write_sound(name)(folder)


TARGETS = {
    "wav": Target("a.wav", _sounds("WAV", "PCM_16", "PCM_24", "FLOAT", "ULAW"), _read_sound),
    "flac": Target("a.flac", _sounds("FLAC", "PCM_16", "PCM_24"), _read_sound),
    "mp3": Target("a.mp3", _sounds("MP3", "MPEG_LAYER_III", "MPEG_LAYER_III"), _read_sound),
    "ogg": Target("a.ogg", _sounds("OGG", "VORBIS", "VORBIS", "OPUS"), _read_sound),
    "aiff": Target("a.aiff", _sounds("AIFF", "PCM_16", "FLOAT"), _read_sound),
    "midi": Target("a.mid", _midi, _read_midi),
    "npy": Target("a.npy", _npy, _read_features),
    "gz": Target(
        "a.npy.gz",
        lambda folder: [gzip.compress(data, mtime=0) for data in _npy(folder)],
        _read_features,
        (*BINARY[:4], within_gzip, within_gzip, within_gzip),
    ),
    "mat": Target("JSB_Chorales.mat", _mat, _read_rolls),
    "pickle": Target("JSB Chorales.pickle", _pickles, _read_rolls, (*BINARY, *TEXT)),
    "csv": Target("labels.csv", _labels, _read_label_table, TEXT),
    "clip labels": Target("labels.tsv", _genres, _read_clip_labels, TEXT),
    "tinysol": Target("TinySOL_metadata.csv", _tinysol, _read_tinysol, TEXT, _write_notes),
    "json": Target("sources.json", _sources, _read_sources, TEXT, _write_sound("a.wav")),
    "nsynth": Target("examples.json", _nsynth, _read_nsynth, TEXT),
    "ckpt": Target("a.ckpt", _checkpoints, _read_checkpoint, (*BINARY[:4], within_zip, within_zip, within_zip)),
    "sf2": Target("a.sf2", _soundfonts, _read_soundfont),
}  # fmt: skip
