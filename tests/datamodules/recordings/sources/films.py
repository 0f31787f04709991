"""Small films and sound files, made by FFmpeg."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FILM_FRAMES = 2  # a second


def chirps(seconds: float, rate: int = 44100) -> np.ndarray:
    """Two channels whose pitch tells the time: float32 (2, samples)."""
    t = np.arange(round(seconds * rate)) / rate
    low, high = 200 * t + 30 * t**2, 300 * t + 20 * t**2
    return (0.4 * np.sin(2 * np.pi * np.stack([low, high]))).astype(np.float32)


def write_media(
    path: Path,
    sound: np.ndarray | None,
    rate: int = 44100,
    codec: str = "aac",
    layout: str = "stereo",
    video: bool = False,
    options: dict[str, str] | None = None,
    encoding: dict[str, str] | None = None,
) -> Path:
    """Write sound (channels, samples), and tiny pictures with it.

    `options` are those of the container, `encoding` of the codec.
    """
    seconds = 2 if sound is None else -(-sound.shape[1] // rate)
    with av.open(str(path), "w", options=options or {}) as container:
        fast = {"aac_coder": "fast"} if codec == "aac" else {}
        track = (
            None
            if sound is None
            else container.add_stream(codec, rate=rate, layout=layout, options=fast | (encoding or {}))
        )
        pictures = container.add_stream("mpeg4", rate=FILM_FRAMES) if video else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        for second in range(seconds):
            if pictures is not None:
                for number in range(FILM_FRAMES * second, FILM_FRAMES * (second + 1)):
                    container.mux(pictures.encode(_picture(number)))
            if track is not None:
                part = sound[:, second * rate : (second + 1) * rate]
                container.mux(track.encode(_frame(part, rate, second * rate, layout)))
        for stream in (track, pictures):
            if stream is not None:
                container.mux(stream.encode(None))
    return path


def _picture(number: int) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(np.full((72, 64), number % 255, np.uint8), format="yuv420p")
    picture.pts, picture.time_base = number, Fraction(1, FILM_FRAMES)
    return picture


def _frame(sound: np.ndarray, rate: int, start: int, layout: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame
