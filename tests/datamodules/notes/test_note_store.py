"""Files that can't be used, sounds that are stored twice, and how exactly they are stored."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from src.audio.files import read_audio
from src.datamodules.notes.makers import FULL_SCALE, RecordedNotes, stored
from src.datamodules.notes.store import NoteStore
from src.errors import UserError
from tests.datamodules.notes.tiny_notes import RATE, noise_store, tone

SAMPLES = 4000


def write_bad(folder: Path) -> dict[str, str]:
    """Write a file of each kind that can't be used; gives what is said of each."""
    sound = tone(0, 60, 0.3, RATE)
    soundfile.write(folder / "whole.wav", sound, RATE)
    whole = (folder / "whole.wav").read_bytes()
    (folder / "broken.wav").write_bytes(b"RIFF what is this")
    (folder / "zero.wav").write_bytes(b"")
    (folder / "truncated.wav").write_bytes(whole[: len(whole) // 2])
    soundfile.write(folder / "whole.flac", sound, RATE)
    flac = (folder / "whole.flac").read_bytes()
    (folder / "truncated.flac").write_bytes(flac[: len(flac) // 2])
    soundfile.write(folder / "no samples.wav", sound[:0], RATE)
    soundfile.write(folder / "silent.wav", np.zeros(800), RATE)
    soundfile.write(folder / "nan.wav", np.full(800, np.nan), RATE, subtype="FLOAT")
    soundfile.write(folder / "opposite.wav", np.stack([sound, -sound], 1), RATE, subtype="FLOAT")
    return {
        "broken.wav": "cannot be read as a sound file",
        "zero.wav": "is empty",
        "gone.wav": "cannot be read as a sound file",
        "truncated.wav": "is cut off",
        "truncated.flac": "cannot be decoded",
        "no samples.wav": "is empty",
        "silent.wav": "is silent",
        "nan.wav": "contains NaN or infinite samples",
        "opposite.wav": "has no sound in mono: its channels cancel each other",
    }


def store_of(folder: Path, paths: list[str], name: str = "store") -> tuple[NoteStore, RecordedNotes]:
    store = NoteStore(folder / name, len(paths), SAMPLES, {})
    return store, RecordedNotes(folder, tuple(paths), RATE, SAMPLES)


def test_what_cannot_be_used_is_named_and_left_out(tmp_path, capsys):
    reasons = write_bad(tmp_path)
    store, maker = store_of(tmp_path, ["whole.wav", *reasons])
    store.prepare(maker, 1, "notes", max_bad=0.95)
    assert store.usable().tolist() == [0]
    [line] = [line for line in capsys.readouterr().err.splitlines() if "cannot be used" in line]
    assert line.startswith(
        f"notes: {len(reasons)} of {len(reasons) + 1} notes cannot be used and are left out"
    )
    for name, reason in reasons.items():
        assert f"{name} {reason}" in line
    store.prepare(maker, 1, "notes", max_bad=0.95)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("bad", "enough"), [(1, True), (2, False)])
def test_more_than_one_in_a_hundred_stops_the_build(tmp_path, bad, enough):
    for number in range(100):
        soundfile.write(tmp_path / f"{number}.wav", tone(0, 40 + number % 60, 0.05, RATE), RATE)
    for number in range(bad):
        (tmp_path / f"{number}.wav").write_bytes(b"")
    store, maker = store_of(tmp_path, [f"{number}.wav" for number in range(100)])
    if enough:
        store.prepare(maker, 1, "notes")
        assert 0 not in store.usable()
        return
    for _ in range(2):  # built or not
        with pytest.raises(
            UserError, match=r"2 of 100 notes cannot be used, more than 1%: 0\.wav is empty"
        ) as error:
            store.prepare(maker, 1, "notes")
        assert "\n" not in str(error.value)


def test_of_many_unusable_notes_ten_are_named(tmp_path):
    store, maker = store_of(tmp_path, [f"{number}.wav" for number in range(20)])
    with pytest.raises(UserError) as error:
        store.prepare(maker, 1, "notes")
    assert str(error.value).count("cannot be read") == 10


def test_identical_sounds_are_kept_once(tmp_path, capsys):
    sound = np.rint(32767 * tone(1, 64, 0.3, RATE)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    soundfile.write(tmp_path / "b.flac", sound, RATE)
    soundfile.write(tmp_path / "c.wav", np.concatenate([np.zeros(500, np.int16), sound]), RATE)
    soundfile.write(tmp_path / "d.wav", sound // 2, RATE)
    store, maker = store_of(tmp_path, ["d.wav", "b.flac", "a.wav", "c.wav"])
    store.prepare(maker, 1, "notes")
    assert store.usable().tolist() == [0, 1]
    assert "2 notes are exact copies of others" in capsys.readouterr().err


def test_sounds_are_stored_to_half_a_step_of_sixteen_bits(tmp_path):
    random = np.random.default_rng(0)
    sound = random.uniform(-1, 1, SAMPLES - 100).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    store, maker = store_of(tmp_path, ["a.wav"])
    store.prepare(maker, 1, "notes")
    opened = store.open()
    assert opened["sound"].dtype == np.int16
    assert store.lengths().tolist() == [len(sound)]
    back = opened["sound"][0].astype(np.float64) / FULL_SCALE
    np.testing.assert_allclose(back[: len(sound)], sound, atol=0.5 / FULL_SCALE + 1e-7)
    assert not opened["sound"][0, len(sound) :].any()


def test_silence_at_both_ends_is_left_out_and_long_sounds_are_cut():
    sound = np.concatenate(
        [np.full(50, 5e-5), np.full(30, 0.5), np.zeros(20), np.full(40, 0.25), np.zeros(9)]
    )
    made = stored(sound.astype(np.float32), 200)
    expected = np.rint(sound[50:140] * FULL_SCALE)
    assert made["length"] == 90
    np.testing.assert_array_equal(made["sound"][:90], expected)
    cut = stored(sound.astype(np.float32), 60)
    assert cut["length"] == 60
    np.testing.assert_array_equal(cut["sound"], expected[:60])


def test_sounds_beyond_full_scale_are_clipped():
    assert stored(np.array([1.7, -2.0], np.float32), 3)["sound"].tolist() == [32767, -32767, 0]


@pytest.mark.parametrize(
    ("suffix", "rate", "channels"), [(".wav", 44100, 2), (".flac", 16000, 1), (".mp3", 22050, 2)]
)
def test_files_of_all_kinds_become_one_channel_at_one_rate(tmp_path, suffix, rate, channels):
    sound = np.stack([tone(0, 69, 0.4, rate)] * channels, 1)
    soundfile.write(tmp_path / f"a{suffix}", sound, rate)
    store, maker = store_of(tmp_path, [f"a{suffix}"])
    store.prepare(maker, 1, "notes")
    heard = store.open()["sound"][0, : store.lengths()[0]].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)), 2**15))
    assert spectrum.argmax() * RATE / 2**15 == pytest.approx(440, abs=2)
    assert np.abs(heard).max() / FULL_SCALE == pytest.approx(np.abs(sound).max(), rel=0.1)
    assert store.lengths()[0] == pytest.approx(len(read_audio(tmp_path / f"a{suffix}", RATE)), abs=0.1 * RATE)


def test_a_store_that_is_not_built_says_how(tmp_path):
    store, _ = store_of(tmp_path, ["a.wav"])
    with pytest.raises(UserError, match="mode=prepare"):
        store.open()


def test_bits_do_not_depend_on_workers(tmp_path, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    first = noise_store(tmp_path, [200 + number for number in range(130)], 300)
    second = NoteStore(tmp_path / "other", 130, 300, {})
    paths = tuple(f"{number}.wav" for number in range(130))
    second.prepare(RecordedNotes(tmp_path, paths, RATE, 300), 2, "noise")
    for name in ("sound", "length", "digest"):
        assert (first.folder / f"{name}.npy").read_bytes() == (second.folder / f"{name}.npy").read_bytes()
