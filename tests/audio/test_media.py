import re
import socket
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
import soxr

from src.audio.media import Media
from src.errors import UserError
from tests.datamodules.recordings.sources.films import chirps, write_media

RATE = 44100
STARTS = (0.0, 0.01, 0.37, 1.0, 3.21, 7.777, 11.4)
TOLERANCE = 1e-3  # AAC's decoder draws noise


def read(media: Media, *where: float | None, rate: int = RATE, channels: int = 2) -> np.ndarray:
    return np.concatenate(list(media.blocks(rate, channels, *where)), axis=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    sound = chirps(12)
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3"):
        soundfile.write(folder / name, sound.T, RATE)
    for name in ("a.m4a", "a.aac", "a.mka"):
        write_media(folder / name, sound)
    for name in ("film.mp4", "film.mkv", "film.ts"):
        write_media(folder / name, sound, video=True)
    write_media(folder / "film.avi", sound, codec="libmp3lame", video=True)
    write_media(folder / "bare.mp3", sound, codec="libmp3lame", options={"write_xing": "0"})
    write_media(folder / "a.opus", chirps(12, 48000), rate=48000, codec="libopus")
    return folder


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_lossless_files_are_exact_to_the_sample(folder, name):
    reference = soundfile.read(folder / name, dtype="float32")[0].T
    with Media(folder / name) as media:
        assert (media.sample_rate, media.duration_s) == (RATE, 12.0)
        np.testing.assert_array_equal(read(media), reference)
        for start in STARTS:
            part = reference[:, round(start * RATE) : round((start + 0.5) * RATE)]
            np.testing.assert_array_equal(read(media, start, start + 0.5), part)


@pytest.mark.parametrize(
    "name",
    ["a.ogg", "a.mp3", "bare.mp3", "a.m4a", "a.aac", "a.mka", "film.mp4", "film.mkv", "film.avi", "film.ts"],
)
def test_a_part_is_what_decoding_everything_and_slicing_gives(folder, name):
    with Media(folder / name) as media:
        whole = read(media)
        tolerance = 5e-3 if name == "film.ts" else TOLERANCE  # its clock ticks at 90 kHz
        for start in (*STARTS, *reversed(STARTS)):
            part = whole[:, round(start * RATE) : round((start + 0.5) * RATE)]
            np.testing.assert_allclose(read(media, start, start + 0.5), part, atol=tolerance)


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "film.mp4", "film.mkv"])
def test_the_delay_of_encoders_is_left_out(folder, name):
    original = chirps(12)[:, RATE : 2 * RATE]
    with Media(folder / name) as media:
        assert media.duration_s == pytest.approx(12, abs=0.05)
        found = read(media, 1.0, 2.0)
    lags = range(-60, 61)
    alike = [np.dot(np.roll(original[0], lag)[100:-100], found[0][100:-100]) for lag in lags]
    assert lags[int(np.argmax(alike))] == 0


def test_mp3_agrees_with_another_decoder(folder):
    reference = soundfile.read(folder / "a.mp3", dtype="float32")[0].T  # libmpg123
    with Media(folder / "a.mp3") as media:
        np.testing.assert_allclose(read(media, 5.0, 6.0), reference[:, 5 * RATE : 6 * RATE], atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "film.mp4"])
def test_a_resampled_part_is_what_resampling_everything_gives(folder, name, rate):
    with Media(folder / name) as media:
        whole = soxr.resample(read(media).T, RATE, rate, quality="HQ").T
        for start in STARTS:
            part = whole[:, round(start * rate) : round((start + 0.5) * rate)]
            np.testing.assert_allclose(read(media, start, start + 0.5, rate=rate), part, atol=TOLERANCE)
        assert abs(read(media, rate=rate).shape[1] - whole.shape[1]) <= 1


def test_opus_has_a_rate_of_its_own(folder):
    with Media(folder / "a.opus") as media:
        whole = read(media, rate=48000)
        np.testing.assert_allclose(read(media, 3.3, 4.0, rate=48000), whole[:, 158400:192000], atol=TOLERANCE)


def test_mono_is_the_mean_and_stereo_the_double(tmp_path):
    stereo = chirps(1)
    soundfile.write(tmp_path / "2.wav", stereo.T, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "1.wav", stereo[0], RATE, subtype="FLOAT")
    with Media(tmp_path / "2.wav") as media:
        np.testing.assert_allclose(read(media, channels=1)[0], stereo.mean(0), atol=1e-7)
    with Media(tmp_path / "1.wav") as media:
        np.testing.assert_array_equal(read(media), np.stack([stereo[0]] * 2))


def test_surround_is_mixed_down_without_clipping(tmp_path):
    loud = np.ones((6, RATE), np.float32)
    soundfile.write(tmp_path / "surround.wav", loud.T, RATE, subtype="FLOAT")
    centre = np.zeros((6, RATE), np.float32)
    centre[2] = 1
    soundfile.write(tmp_path / "centre.wav", centre.T, RATE, subtype="FLOAT")
    with Media(tmp_path / "surround.wav") as media:
        assert read(media).shape == (2, RATE)
        np.testing.assert_allclose(read(media, 0.1, 0.9), 1.0, atol=1e-5)
    with Media(tmp_path / "centre.wav") as media:  # left = L + C / √2 + Ls / √2, scaled (BS.775)
        np.testing.assert_allclose(read(media, 0.1, 0.9), 0.5**0.5 / (1 + 2 * 0.5**0.5), atol=1e-5)
        assert read(media, channels=1).shape == (1, RATE)


def test_sound_that_begins_late_is_silent_before(tmp_path):
    sound = chirps(3)
    film = write_media(tmp_path / "film.mkv", sound, video=True)
    late = tmp_path / "late.mkv"
    with av.open(str(film)) as source, av.open(str(late), "w") as target:
        streams = {stream: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts, packet.dts = packet.pts + 1000, packet.dts + 1000
            packet.stream = streams[packet.stream]
            target.mux(packet)
    with Media(late) as media:
        assert np.abs(read(media, 0.0, 0.9)).max() == 0
        shift = read(media, 1.5, 2.5) - sound[:, RATE // 2 : 3 * RATE // 2]
        assert np.abs(shift).max() < 0.2  # Matroska rounds to 1 ms


def without_bits(path: Path) -> Path:
    """A file whose header says that a sample has 0 bits."""
    soundfile.write(path, np.full(100, 0.5), RATE, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[:32] + bytes(4) + content[36:])
    return path


@pytest.mark.parametrize("tag", ["00:00:12.000000000", "a:b:c", "9:99:nan", "9" * 5000 + ":00:00"])
def test_a_length_that_is_none_is_not_taken(folder, tmp_path, tag, monkeypatch):
    media = Media(folder / "a.wav")
    stream = SimpleNamespace(start_time=0, duration=None, metadata={"DURATION": tag})
    monkeypatch.setattr(media, "_stream", stream)
    assert media._duration_s() == pytest.approx(12)


def test_files_without_sound_are_refused(tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(UserError, match=r"text\.mp4 cannot be read as an audio or video file"):
        Media(tmp_path / "text.mp4")
    with pytest.raises(
        UserError, match=r"flat\.wav cannot be read as an audio or video file; give another one$"
    ):
        Media(without_bits(tmp_path / "flat.wav"))
    with pytest.raises(UserError, match=r"gone\.mp4 does not exist"):
        Media(tmp_path / "gone.mp4")
    with pytest.raises(UserError, match=r"mute\.mp4 has no audio track"):
        Media(write_media(tmp_path / "mute.mp4", None, video=True))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "film.mkv"])
@pytest.mark.parametrize("end", [None, 11.9])
def test_truncated_files_are_refused_where_the_sound_ends(folder, tmp_path, name, end):
    content = (folder / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with Media(tmp_path / name) as media:
        assert read(media, 1.0, 2.0).shape[1] == RATE
        with pytest.raises(UserError, match=r"the sound (ends at [567]\.\d+ s, before 1[12]|is damaged)"):
            read(media, 3.0, end)


def test_a_truncated_mp4_is_refused(folder, tmp_path):
    content = (folder / "film.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"cut\.mp4 cannot be read"):
        Media(tmp_path / "cut.mp4")


def test_damage_is_refused_where_it_lies_and_nowhere_else(folder, tmp_path):
    content = bytearray((folder / "a.m4a").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(range(250)) * 12
    (tmp_path / "damaged.m4a").write_bytes(content)
    with Media(tmp_path / "damaged.m4a") as media, Media(folder / "a.m4a") as intact:
        with pytest.raises(
            UserError, match=r"damaged\.m4a: the sound is damaged at ([567]\.\d+) s"
        ) as caught:
            read(media, 0.0, 12.0)
        found = re.search(r"at ([\d.]+) s", str(caught.value))
        assert found is not None
        place = float(found[1])
        for start, end in ((1.0, place - 0.1), (place + 0.4, place + 1), (8.0, 11.0)):
            np.testing.assert_allclose(read(media, start, end), read(intact, start, end), atol=TOLERANCE)


def test_an_address_in_a_playlist_is_not_opened(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n"
        (tmp_path / "film.m3u8").write_text(playlist)
        with pytest.raises(UserError, match=r"film\.m3u8 cannot be read as an audio or video file"):
            Media(tmp_path / "film.m3u8")
        with pytest.raises(TimeoutError):
            server.accept()


def test_what_is_out_of_bounds_is_refused(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "slow.wav", np.full(100, 0.1), 1)
    with pytest.raises(UserError, match="has a sample rate outside 1 to 768 kHz"):
        Media(tmp_path / "slow.wav")
    soundfile.write(tmp_path / "long.wav", np.full(2000, 0.1), 1000)
    monkeypatch.setattr("src.audio.files.MAX_HOURS", 1 / 3600)
    with pytest.raises(UserError, match="is longer than 24 hours"):
        Media(tmp_path / "long.wav")
