"""Windows of one length over a passage of a film; only one window is in memory at a time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from src.audio.media import Media
from src.errors import UserError

SHORTEST_S = 0.03
_RATES = (8000, 192000)  # Hz


@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """How passages are cut.

    Args:
        window_seconds: length of a window, at least 0.03 s.
        stride_seconds: from the start of one window to the start of the next, at least one sample.
        sample_rate: of the clips, 8000..192000 Hz.
        channels: of the clips, 1 or 2.

    Raises:
        UserError: an option lies outside its range.
    """

    window_seconds: float
    stride_seconds: float
    sample_rate: int
    channels: int

    def __post_init__(self) -> None:
        low, high = _RATES
        if not isinstance(self.sample_rate, int) or not low <= self.sample_rate <= high:
            raise UserError(f"sample_rate is {self.sample_rate}; choose {low}..{high} Hz")
        if self.channels not in (1, 2):
            raise UserError(f"channels is {self.channels}; choose 1 or 2")
        if not _is_number(self.window_seconds) or self.window_seconds < SHORTEST_S:
            raise UserError(f"window_seconds is {self.window_seconds}; choose {SHORTEST_S} s or more")
        if not _is_number(self.stride_seconds) or self.stride < 1:
            raise UserError(f"stride_seconds is {self.stride_seconds}; choose at least one sample")

    @property
    def length(self) -> int:
        """Samples of a window."""
        return round(self.window_seconds * self.sample_rate)

    @property
    def stride(self) -> float:
        """Samples from one window to the next; windows start at the nearest whole sample."""
        return self.stride_seconds * self.sample_rate

    def start(self, number: int) -> int:
        """Return the first sample of a window, counted from the start of the passage."""
        return round(number * self.stride)

    def count(self, start_s: float, end_s: float) -> int:
        """Return the number of whole windows in a passage; a shorter remainder at its end does not count."""
        samples = round(end_s * self.sample_rate) - round(start_s * self.sample_rate)
        count = max(0, math.floor((samples - self.length) / self.stride) + 2)
        while count and self.start(count - 1) + self.length > samples:
            count -= 1
        return count


class PassageWindows:
    """The windows of a passage; after they are read, also what was damaged.

    After damage, reading continues one window later, then two, then four: a short damage costs little, and a film that
    ends too early is given up soon.

    Args:
        media: the file.
        start_s, end_s: the passage, seconds.
        options: length and stride of windows.

    Attributes:
        count: number of windows that the passage should have.
        problem: how many windows are lost and why; empty if none is.
    """

    def __init__(self, media: Media, start_s: float, end_s: float, options: WindowOptions) -> None:
        self._media, self._options, self._end_s = media, options, end_s
        self._first = round(start_s * options.sample_rate)
        self.count = options.count(start_s, end_s)
        self.problem = ""

    def first(self, place: int) -> int:
        """Return the first sample of a window, counted from the start of the file, at the wanted sample rate."""
        return self._first + self._options.start(place)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number of each window in the passage, from 0, and its sound, float32 (2, length)."""
        place, leap, lost, reason = 0, 1, 0, ""
        while place < self.count:
            try:
                for window in self._windows_from(place):
                    yield place, window
                    place, leap = place + 1, 1
                break
            except UserError as error:
                reason = reason or str(error)
                lost += min(leap, self.count - place)
                place, leap = place + leap, 2 * leap
        if reason:
            self.problem = f"{lost} of {self.count} windows are lost: {reason}"

    def _windows_from(self, place: int) -> Iterator[np.ndarray]:
        options = self._options
        start_s = self.first(place) / options.sample_rate
        for window in windows(
            self._media.blocks(options.sample_rate, 2, start_s, self._end_s), options, place
        ):
            if not np.isfinite(window).all():
                raise UserError(f"samples at {start_s:.2f} s or later are NaN or infinite")
            yield window


def windows(blocks: Iterator[np.ndarray], options: WindowOptions, first: int) -> Iterator[np.ndarray]:
    """Yield the windows of a stream one after another, with only one in memory.

    Args:
        blocks: float32 (channels, any number of samples), from the first sample of window `first` on.
        options: length and stride of windows.
        first: number of the first window.

    Yields:
        float32 (channels, length), until the stream has no whole window left.
    """
    held: list[np.ndarray] = []
    begin = end = options.start(first)  # first sample held, and the one after the last
    number = first
    for block in blocks:
        held.append(block)
        end += block.shape[1]
        if options.start(number) + options.length > end:
            continue
        sound = np.concatenate(held, axis=1)
        while (start := options.start(number)) + options.length <= end:
            yield sound[:, start - begin : start - begin + options.length]
            number += 1
        held, begin = [sound[:, max(0, start - begin) :]], min(max(start, begin), end)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
