import re

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from src.audio.media import Media
from src.datamodules.recordings.sources.film_windows import PassageWindows, WindowOptions, windows
from src.errors import UserError
from tests.datamodules.recordings.sources.films import chirps, write_media

RATE = 8000


def options(window_seconds=0.5, stride_seconds=0.5, sample_rate=RATE, channels=1) -> WindowOptions:
    return WindowOptions(
        window_seconds=window_seconds,
        stride_seconds=stride_seconds,
        sample_rate=sample_rate,
        channels=channels,
    )


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=30),
    st.floats(0.03, 0.2),
    st.floats(0.001, 0.3),
    st.integers(0, 3),
)
def test_windows_are_slices_of_the_stream(sizes, window_seconds, stride_seconds, first):
    how = options(window_seconds, stride_seconds)
    sound = np.arange(sum(sizes), dtype=np.float32)[None]
    starts = np.arange(0, len(sound[0]) + 1)  # candidate windows by brute force
    expected = []
    for number in starts:
        begin = round(number * stride_seconds * RATE)
        if begin + how.length > sound.shape[1]:
            break
        expected.append(sound[:, begin : begin + how.length])
    assert how.count(0.0, sound.shape[1] / RATE) == len(expected)
    rest = sound[:, how.start(first) :]
    blocks = np.split(rest, [n for n in np.cumsum(sizes) if n < rest.shape[1]], axis=1)
    found = list(windows(iter(blocks), how, first))
    assert len(found) == max(0, len(expected) - first)
    for one, other in zip(found, expected[first:], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window_seconds": 0.029}, "window_seconds is 0.029; choose 0.03 s or more"),
        ({"window_seconds": float("nan")}, "window_seconds"),
        ({"stride_seconds": 0}, "stride_seconds is 0; choose at least one sample"),
        ({"stride_seconds": -1.0}, "stride_seconds"),
        ({"stride_seconds": 1e-9}, "choose at least one sample"),
        ({"stride_seconds": "3"}, "stride_seconds"),
        ({"sample_rate": 100}, "sample_rate is 100"),
        ({"sample_rate": 44100.0}, "sample_rate"),
        ({"channels": 6}, "channels is 6; choose 1 or 2"),
    ],
)
def test_options_out_of_range_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        options(**wrong)


def test_a_passage_is_cut_to_the_sample(tmp_path):
    soundfile.write(tmp_path / "a.wav", chirps(5, RATE).T, RATE)
    reference = soundfile.read(tmp_path / "a.wav", dtype="float32")[0].T
    with Media(tmp_path / "a.wav") as media:
        found = PassageWindows(media, 1.2, 3.0, options(0.5, 0.25, channels=2))
        parts = list(found)
    assert [place for place, _ in parts] == [0, 1, 2, 3, 4, 5] == list(range(found.count))
    assert found.problem == ""
    for place, window in parts:
        begin = round((1.2 + 0.25 * place) * RATE)
        assert found.first(place) == begin
        np.testing.assert_array_equal(window, reference[:, begin : begin + 4000])


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A file, and the same with damage in the middle."""
    intact = write_media(tmp_path_factory.mktemp("films") / "intact.m4a", chirps(20))
    content = bytearray(intact.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1000] = bytes(range(250)) * 4
    damaged = intact.with_name("damaged.m4a")
    damaged.write_bytes(content)
    return intact, damaged


@pytest.mark.parametrize("window_seconds", [0.03, 0.5, 3.0])
def test_damage_costs_little_and_is_told_in_one_line(films, window_seconds):
    how = options(window_seconds, window_seconds, 44100, 2)
    with Media(films[1]) as media, Media(films[0]) as whole:
        found = PassageWindows(media, 0.0, 20.0, how)
        parts = dict(found)
        reference = dict(PassageWindows(whole, 0.0, 20.0, how))
    lost = set(reference) - set(parts)
    assert 1 <= len(lost) <= 1 + 2.5 / window_seconds
    assert found.problem.startswith(f"{len(lost)} of {found.count} windows are lost: ")
    assert re.search(r"the sound is damaged at \d+\.\d+ s", found.problem)
    assert len(found.problem.splitlines()) == 1
    for place, window in parts.items():
        np.testing.assert_allclose(window, reference[place], atol=1e-3)


def test_samples_that_are_no_numbers_are_lost(tmp_path):
    sound = chirps(4, RATE)[0]
    sound[9000] = np.nan
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    with Media(tmp_path / "a.wav") as media:
        found = PassageWindows(media, 0.0, 4.0, options())
        assert [place for place, _ in found] == [0, 1, 3, 4, 5, 6, 7]
    assert "are NaN or infinite" in found.problem


def test_a_passage_shorter_than_a_window_has_none(tmp_path):
    soundfile.write(tmp_path / "a.wav", chirps(1, RATE).T, RATE)
    with Media(tmp_path / "a.wav") as media:
        found = PassageWindows(media, 0.3, 0.7, options())
        assert (list(found), found.count, found.problem) == ([], 0, "")
