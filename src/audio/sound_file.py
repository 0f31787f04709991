"""Sound files as streams of samples, each as long as decoding it to its end says.

libsndfile reads sound that is not compressed, or compressed without loss. Of other sound it estimates the length, stops
where the first of several streams ends, and seeks to a place nearby. FFmpeg (PyAV) reads that, from its beginning.
"""

import importlib.metadata
import os
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import av
import numpy as np
import soundfile
from av.container import InputContainer

from src.audio.truncation import CUT_OFF, is_lossy, is_streamed, is_truncated, links
from src.errors import UserError
from src.paths import not_a_file

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif", ".m4a")
"""Of the files that are looked for in folders."""

_LOSSY = ("MP3", "OGG")  # formats of libsndfile
_OPTIONS = {"format_whitelist": "mp3,ogg,aac,mov,wav", "protocol_whitelist": "file"}
"""Of FFmpeg, which would also follow playlists, to other files and to addresses."""

_VORBIS_BLOCK = 8192  # the most samples of one
_ROUNDED_S = Fraction(1, 10)  # what lengths in headers may be wrong by


def decoders() -> dict[str, str]:
    """Return the versions of the libraries that decode."""
    return {"libsndfile": soundfile.__libsndfile_version__, "av": importlib.metadata.version("av")}


class SoundFile:
    """A sound file, opened for reading; a context manager.

    Args:
        path: a file in one of the formats of `SUFFIXES`, or in another one that libsndfile reads without loss. Its
            content says which, not its name.

    Attributes:
        samplerate: Hz.
        channels: how many it has.
        claimed: samples of each channel that there are at least, if its header is right; `None` where it says nothing.

    Raises:
        UserError: it does not exist, is no regular file (a pipe would be waited for), or is no sound file.
    """

    def __init__(self, path: Path) -> None:
        if not_a_file(path):
            raise _no_sound(path)
        self._file: Any = _lossless(path) or _Decoder(path)
        self.samplerate, self.channels = self._file.samplerate, self._file.channels
        self.claimed = self._file.frames
        self._path = path

    def __enter__(self) -> "SoundFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def seek(self, sample: int) -> None:
        """Continue at a sample, counted from 0; past the end there is nothing to read."""
        # libsndfile refuses to go further than its header says.
        self._file.seek(
            min(sample, self._file.frames) if isinstance(self._file, soundfile.SoundFile) else sample
        )

    def read(self, samples: int) -> np.ndarray:
        """Decode the next samples.

        Args:
            samples: how many of each channel; at the end of the file there are fewer, then none.

        Returns:
            float32 (samples, channels), about -1..1.

        Raises:
            UserError: they cannot be decoded.
        """
        try:
            return np.asarray(self._file.read(samples, dtype="float32", always_2d=True))
        except (soundfile.SoundFileError, av.FFmpegError, OSError, ValueError) as error:
            raise UserError(f"{self._path} cannot be decoded to its end; get it again") from error


def _lossless(path: Path) -> soundfile.SoundFile | None:
    """Open a file with libsndfile; return `None` where FFmpeg should read it."""
    try:
        if is_lossy(path):
            return None
        file = soundfile.SoundFile(os.fsencode(path))
    except (soundfile.SoundFileError, OSError, TypeError):
        return None
    # libsndfile takes a length of 0 at its word, FFmpeg as unknown.
    if file.format not in _LOSSY and not (file.frames == 0 and is_streamed(path)):
        return file
    file.close()
    return None


class _Decoder:
    """A file that FFmpeg decodes from its beginning on, with the interface of `soundfile.SoundFile`.

    What lies past the start of the last reading is kept, so that windows which overlap are decoded once. For what lies
    before it, the file is decoded from its beginning again.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._position = path, 0
        self.samplerate, self.channels, self.frames = _described(path)
        self._begin()

    def close(self) -> None:
        self._blocks.close()

    def seek(self, sample: int) -> None:
        self._position = sample

    def read(self, samples: int, dtype: str = "float32", always_2d: bool = True) -> np.ndarray:
        if self._position < self._first:
            self.close()
            self._begin()
        self._advance(self._position, self._position + samples)
        sound = np.concatenate([np.zeros((0, self.channels), np.float32), *self._held])
        sound = sound[self._position - self._first :][:samples]
        self._position += len(sound)
        return sound

    def _begin(self) -> None:
        self._blocks = _decoded(self._path, self.samplerate, self.channels)
        self._held: deque[np.ndarray] = deque()
        self._first = self._end = 0

    def _advance(self, first: int, end: int) -> None:
        """Decode until sample `end`, and drop what lies before sample `first`."""
        while self._held and self._first + len(self._held[0]) <= first:
            self._first += len(self._held.popleft())
        while self._end < end and (block := next(self._blocks, None)) is not None:
            self._end += len(block)
            if self._end > first:
                self._held.append(block)
            else:
                self._first = self._end


class _Link:
    """One stream of a file that holds several: bytes `first` to `end` of it."""

    def __init__(self, file: BinaryIO, first: int, end: int) -> None:
        self._file, self._first, self._size, self._place = file, first, end - first, 0

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._place
        self._file.seek(self._first + self._place)
        content = self._file.read(left if size < 0 else min(size, left))
        self._place += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def tell(self) -> int:
        return self._place


def _opened(path: Path, source: "str | _Link") -> InputContainer:
    """Open a file with FFmpeg.

    Args:
        path: the file.
        source: its path, or one of its streams.

    Raises:
        UserError: it does not exist, or is no sound file.
    """
    cause: Exception | None = None
    try:
        container = av.open(source, "r", options=_OPTIONS, metadata_errors="replace")
        if container.streams.audio and container.streams.audio[0].codec_context:
            return container
        container.close()
    except (av.FFmpegError, OSError, ValueError) as error:
        cause = error
    if path.is_file() and is_truncated(path):
        raise UserError(f"{path} {CUT_OFF}; get it again") from cause
    raise _no_sound(path) from cause


def _no_sound(path: Path) -> UserError:
    reason = not_a_file(path) or ("cannot be read as a sound file" if path.stat().st_size else "is empty")
    whatever = (
        ", whatever its name says"
        if reason.endswith("sound file") and path.suffix.lower() in SUFFIXES
        else ""
    )
    return UserError(f"{path} {reason}{whatever}; give a file in {', '.join(SUFFIXES)}")


def _described(path: Path) -> tuple[int, int, int | None]:
    """Return sample rate, channels and number of samples: `SoundFile`'s attributes.

    The first sound says how it is: a header of AAC may give half the sample rate, and one channel of two.
    """
    with _opened(path, str(path)) as container:
        stream = container.streams.audio[0]
        frame = next(_frames(container), None)
        codec = stream.codec_context
        rate, channels = (
            (frame.sample_rate, frame.layout.nb_channels) if frame else (codec.sample_rate, codec.channels)
        )
        if not rate or not channels:
            raise _no_sound(path)
        claimed = stream.duration if container.format.name.startswith("mov") and stream.time_base else None
        if claimed is not None and stream.time_base:
            claimed = round((claimed * stream.time_base - _ROUNDED_S) * rate)
    return rate, channels, claimed


def _decoded(path: Path, rate: int, channels: int) -> Generator[np.ndarray]:
    """Yield the sound of a file in blocks, float32 (samples, channels).

    Raises:
        FFmpegError, ValueError: it is damaged, or its sample rate or number of channels changes.
    """
    found = links(path)
    with path.open("rb") as file:
        for link in found:
            with _opened(path, str(path) if len(found) == 1 else _Link(file, *link)) as container:
                yield from _trimmed(_blocks(container, rate, channels), _samples(container))


def _blocks(container: InputContainer, rate: int, channels: int) -> Iterator[np.ndarray]:
    to_float: av.AudioResampler | None = None
    for frame in _frames(container):
        if (frame.sample_rate, frame.layout.nb_channels) != (rate, channels):
            raise ValueError("the sample rate or the number of channels changes")
        to_float = to_float or av.AudioResampler("fltp", frame.layout, rate)
        yield from (np.ascontiguousarray(chunk.to_ndarray().T) for chunk in to_float.resample(frame))


def _samples(container: InputContainer) -> int | None:
    """Return the samples of a Vorbis stream by its last page: FFmpeg keeps all of the last block of a short one."""
    stream = container.streams.audio[0]
    return (
        stream.duration if stream.codec_context.name == "vorbis" and container.format.name == "ogg" else None
    )


def _trimmed(blocks: Iterator[np.ndarray], samples: int | None) -> Iterator[np.ndarray]:
    """Yield blocks, the last of them without what is above the number of samples."""
    held: list[np.ndarray] = []
    decoded = 0
    for block in blocks:
        held.append(block)
        decoded += len(block)
        if samples is None or sum(map(len, held[1:])) >= _VORBIS_BLOCK:
            yield held.pop(0)
    surplus = decoded - samples if samples is not None else 0
    sound = np.concatenate(held) if held else np.zeros((0, 1), np.float32)
    if len(kept := sound[: -surplus or None] if 0 <= surplus <= _VORBIS_BLOCK else sound):
        yield kept


def _frames(container: InputContainer) -> Iterator[av.AudioFrame]:
    """Decode a container.

    Packets without sound are passed over at the beginning and at the end: files are cut out of others, or have tags
    behind their sound.
    """
    lost: av.FFmpegError | None = None
    begun = False
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            lost = error
            continue
        if frames and lost and begun:
            raise lost
        lost, begun = (None, True) if frames else (lost, begun)
        yield from frames
