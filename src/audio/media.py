"""Streams the sound of audio and video files, from any position, in constant memory."""

import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Discard

from src.audio.blocks import excerpt, positioned, resampled, to_float, with_channels
from src.audio.files import out_of_bounds
from src.audio.sound_file import SoundFile
from src.audio.truncation import CUT_OFF, is_truncated, known_size, links, read_xing
from src.errors import UserError

_PREROLLS = (0.5, 5.0, 60.0, math.inf)
"""Seconds decoded before the wanted sample; the next is tried where a file's index leads past it."""
_SETTLE_SECONDS = 0.1
"""Until a decoder's output is exact: 80 ms for Opus, two frames for AAC, up to nine for MP3 (bit reservoir)."""
_MARGIN_SECONDS = 0.05  # longer than the resampler's filter
_GAP_SECONDS = 0.015  # less than a frame
_CUT_OFF_SECONDS = 0.1
_DURATION = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,12})?)", re.ASCII)  # Matroska's statistics
_DELAY_SECONDS = 0.2  # more than an encoder of MP3 puts before and after the sound
_LOCAL = {
    "protocol_whitelist": "file"
}  # of FFmpeg, which would also read from addresses that a playlist names
_WITHOUT_INDEX = ("mp3", "aac")
"""Formats without exact seeking: packets are counted from the start, undecoded."""


class Media:
    """The first audio track of a file, opened by FFmpeg (PyAV); a context manager.

    Times count from the start of the file as players show it, without the encoder's delay (MP3, AAC, Opus). They
    are exact to the sample where the container counts in samples (wav, flac, mp3, mp4, ogg) or the codec has frames
    of one length (AAC, MP3, AC-3), and to half a millisecond otherwise (Opus in Matroska). A track that begins
    later than the file is silent until then.

    Ogg and MP3 files that hold several streams, one after another, and MP3 files whose header counts wrong, are decoded
    from their beginning (`src.audio.sound_file`).

    Args:
        path: an audio or video file.

    Attributes:
        sample_rate: of the file, in Hz.
        duration_s: length of the track as the container gives it, in seconds.

    Raises:
        UserError: the file is missing, unreadable, out of bounds (`src.audio.files.out_of_bounds`) or without sound.
    """

    _passed: int  # the end of the last packet read, in ticks

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open()
        self._whole = SoundFile(path) if len(links(path)) > 1 or self._header_is_wrong() else None
        self.duration_s = self._duration_s()
        channels = self._stream.codec_context.layout.nb_channels
        if problem := out_of_bounds(self.sample_rate, channels, self.duration_s * self.sample_rate):
            self._container.close()
            raise UserError(f"{path} {problem}; give another one")

    def __enter__(self) -> "Media":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()
        if self._whole:
            self._whole.close()

    def blocks(
        self, sample_rate: int, channels: int, start_s: float = 0.0, end_s: float | None = None
    ) -> Iterator[np.ndarray]:
        """Decode an excerpt block by block; only one generator of a file may be in use.

        The blocks are what decoding all, resampling all (soxr, high quality) and slicing would give. Stereo becomes
        mono by the mean of both channels and mono becomes stereo by doubling; more channels are mixed down by
        FFmpeg's matrix (ITU-R BS.775), scaled so that nothing clips.

        Args:
            sample_rate: of the blocks, in Hz.
            channels: of the blocks, 1 or 2.
            start_s: the excerpt begins at sample round(start_s * sample_rate).
            end_s: it ends before sample round(end_s * sample_rate); `None`: the end of the track.

        Yields:
            float32 (channels, samples), about -1..1, samples > 0.

        Raises:
            UserError: the sound is damaged, or ends more than 0.1 s before end_s or the end that the file gives.
        """
        first = round(start_s * sample_rate)
        last = None if end_s is None else round(end_s * sample_rate)
        if sample_rate == self.sample_rate:
            yield from self._span(channels, first, last, last)
            return
        # Decode from an instant at which both rates have a sample, so that resampling keeps the phase.
        step = self.sample_rate // math.gcd(self.sample_rate, sample_rate)
        margin = math.ceil(_MARGIN_SECONDS * self.sample_rate)
        begin = max(0, first * self.sample_rate // sample_rate - margin) // step * step
        # The margin on both sides gives the resampler's filter the context that the whole file would give.
        end = None if last is None else -(-last * self.sample_rate // sample_rate)
        sound = self._span(channels, begin, end, None if end is None else end + margin)
        skip = first - begin * sample_rate // self.sample_rate
        wanted = None if last is None else skip + last - first
        yield from excerpt(resampled(sound, self.sample_rate, sample_rate, channels), skip, wanted)

    def _span(self, channels: int, first: int, needed: int | None, last: int | None) -> Iterator[np.ndarray]:
        """Yield samples first..last at the file's own rate; the track may end anywhere past `needed`."""
        position, rate = first, self.sample_rate
        for start, sound in self._frames(channels, first):
            if position == first and start > first:
                sound = np.pad(sound, ((0, 0), (start - first, 0)))
                start = first
            chunk = sound[:, max(0, position - start) : None if last is None else max(0, last - start)]
            position += chunk.shape[1]
            if chunk.shape[1]:
                yield chunk
            if last is not None and position >= last:
                return
        ends = self.duration_s if needed is None else needed / rate
        if ends - position / rate > _CUT_OFF_SECONDS:
            raise UserError(
                f"{self.path}: the sound ends at {position / rate:.2f} s, before {ends:.2f} s; it is cut off: "
                "get the file again"
            )

    def _frames(self, channels: int, wanted: int) -> Iterator[tuple[int, np.ndarray]]:
        """Decode from a little before sample `wanted` on: position and sound (channels, samples) of each frame."""
        if self._whole:
            yield from positioned(self._whole, channels, wanted)
            return
        # Start early enough for the decoder to settle; where a seek landed too late, try again from further ahead.
        settled = wanted - round(_SETTLE_SECONDS * self.sample_rate)
        for preroll in _PREROLLS:
            begin = 0 if math.isinf(preroll) else max(0, wanted - round(preroll * self.sample_rate))
            frames = self._decoded(channels, begin, settled)
            start = next(frames, None)
            if start is not None and (begin == 0 or start[0] <= settled):
                yield from self._joined(itertools.chain([start], frames), settled)
                return

    def _joined(
        self, frames: Iterator[tuple[int, np.ndarray]], settled: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Position frames by counting samples, since containers round times; refuse gaps from `settled` on."""
        expected: int | None = None
        for start, sound in frames:
            if expected is None or expected <= settled:
                expected = start
            elif abs(start - expected) > _GAP_SECONDS * self.sample_rate:
                raise self._damaged(expected, "a gap")
            yield expected, sound
            expected += sound.shape[1]

    def _decoded(self, channels: int, begin: int, settled: int) -> Iterator[tuple[int, np.ndarray]]:
        """Decode from sample `begin` on; damage before `settled` is skipped."""
        position = begin
        resampler: av.AudioResampler | None = None
        try:
            for packet in self._packets(begin):
                position = position if packet.pts is None else self._position(packet.pts)
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    if position > settled:
                        raise
                    continue
                for frame in frames:
                    if frame.pts is not None:
                        resampler = resampler or to_float(frame)
                        for chunk in resampler.resample(frame):
                            yield self._position(frame.pts), with_channels(chunk.to_ndarray(), channels)
        except (av.FFmpegError, ValueError) as error:
            raise self._damaged(position, getattr(error, "strerror", None) or str(error)) from error

    def _position(self, pts: int) -> int:
        """Return a frame's first sample, rounded to whole frames where the container's ticks are too coarse."""
        position = round(pts * self._tick - self._origin)
        frame = self._stream.codec_context.frame_size
        if self._tick <= 1 or not frame:
            return position
        start = round((self._stream.start_time or 0) * self._tick - self._origin)
        near = start + round((position - start) / frame) * frame
        return near if abs(near - position) <= self._tick else position

    def _packets(self, begin: int) -> Iterator["av.Packet[AudioStream]"]:
        offset = math.floor((begin + self._origin) / self._tick)
        if begin == 0 or (self._counted and self._passed > offset):
            self._reopen()  # a seek to the start would lose what the first frame overlaps with
        elif not self._counted:
            self._container.seek(offset, stream=self._stream)
        self._stream.codec_context.flush_buffers()
        # Formats without an index are read on from where the last excerpt ended; packets before `begin` are skipped.
        for packet in self._demuxed if self._counted else self._container.demux(self._stream):
            end = offset + 1 if packet.pts is None else packet.pts + (packet.duration or 0)
            self._passed = max(self._passed, end)
            if begin == 0 or not self._counted or end > offset:
                yield packet

    def _reopen(self) -> None:
        if self._passed:
            self._container.close()
            self._open()

    def _open(self) -> None:
        try:
            self._container = av.open(str(self.path), "r", options=_LOCAL, metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = "cannot be read as an audio or video file" if self.path.exists() else "does not exist"
            if self.path.is_file() and is_truncated(self.path):
                reason = CUT_OFF
            raise UserError(f"{self.path} {reason}; give another one") from error
        if not self._container.streams.audio:
            self._container.close()
            raise UserError(f"{self.path} has no audio track; give a file with sound")
        self._stream = self._container.streams.audio[0]
        for stream in self._container.streams:
            if stream is not self._stream:
                stream.discard = Discard.all
        codec: av.AudioCodecContext | None = self._stream.codec_context
        if codec is None or not codec.sample_rate or not self._stream.time_base:
            self._container.close()
            raise UserError(f"{self.path} cannot be read as an audio or video file; give another one")
        self.sample_rate = codec.sample_rate
        self._tick = float(self._stream.time_base * self.sample_rate)  # samples
        self._origin = (self._container.start_time or 0) * self.sample_rate / av.time_base  # likewise
        self._counted = self._container.format.name in _WITHOUT_INDEX
        self._demuxed = self._container.demux(self._stream)
        self._passed = 0

    def _duration_s(self) -> float:
        """Return the length of the track by its header, else by its last packet, else the length of the file."""
        if self._whole:
            samples = sum(len(sound[0]) for _, sound in positioned(self._whole, 1, 0))
            return samples / self.sample_rate
        if self._counted:
            counted = self._counts()  # where there is none, FFmpeg would guess
            return self._counted_s() if counted is None else counted / self.sample_rate
        if self._stream.duration is not None:
            ticks = (self._stream.start_time or 0) + self._stream.duration
            return (ticks * self._tick - self._origin) / self.sample_rate + self._missing_s()
        if tag := _DURATION.fullmatch(self._stream.metadata.get("DURATION", "")):
            return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
        return (self._container.duration or 0) / av.time_base

    def _header_is_wrong(self) -> bool:
        """Whether a file is not cut off, and yet there is more or less sound than its Xing header says."""
        counted = self._counts()
        if counted is None or is_truncated(self.path):
            return False
        return abs(self._counted_s() - counted / self.sample_rate) > _DELAY_SECONDS

    def _counts(self) -> int | None:
        """Return the samples that the Xing header of an MP3 file counts."""
        header = read_xing(self.path) if self._container.format.name == "mp3" else None
        return header.samples if header else None

    def _missing_s(self) -> float:
        """Return by how much a truncated wav file is shorter than its header says; FFmpeg reports what is left."""
        if self._container.format.name != "wav":
            return 0.0
        with self.path.open("rb") as file:
            form, size = file.read(4), known_size(int.from_bytes(file.read(4), "little"))
        missing = 8 + size - self.path.stat().st_size
        bit_rate = self._stream.codec_context.bit_rate
        if form != b"RIFF" or not bit_rate:
            return 0.0
        return max(0, missing) * 8 / bit_rate

    def _counted_s(self) -> float:
        end = 0
        try:
            for packet in self._container.demux(self._stream):
                end = max(end, (packet.pts or 0) + (packet.duration or 0))
                self._passed = end
        except av.FFmpegError as error:
            raise self._damaged(0, str(error)) from error
        self._reopen()
        return (end * self._tick - self._origin) / self.sample_rate

    def _damaged(self, position: int, reason: str) -> UserError:
        return UserError(
            f"{self.path}: the sound is damaged at {position / self.sample_rate:.2f} s ({reason}); "
            "get the file again or leave that passage out"
        )
