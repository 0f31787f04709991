import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.recordings.sources.clips import COLUMNS, clip_name, clip_stems, read_manifest
from src.datamodules.recordings.sources.cutting import cut_sources
from src.datamodules.recordings.sources.entry import Entry, Passage
from src.datamodules.recordings.sources.film_windows import WindowOptions
from src.errors import UserError
from tests.datamodules.recordings.sources.films import chirps, write_media

RATE = 8000
OPTIONS = WindowOptions(window_seconds=0.5, stride_seconds=0.5, sample_rate=RATE, channels=2)


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "b").mkdir()
    sound = chirps(10, RATE)
    sound[:, 3 * RATE : 4 * RATE] = 0
    for name in ("a.wav", "b/a.wav"):
        soundfile.write(tmp_path / name, sound.T, RATE)
    return tmp_path


def entry(number: int, *passages: tuple[float, float], source="a.wav", labels=("erhu", "gong")) -> Entry:
    return Entry(number, source, labels, tuple(Passage(*passage) for passage in passages))


def test_clips_are_the_windows_of_the_passages(root, tmp_path):
    entries = [entry(1, (7, 8.2), (1, 2.6)), entry(2, (4, 5), labels=("dizi",))]
    report = cut_sources(entries, root, tmp_path / "clips", OPTIONS)
    assert (report.passages, report.cut, report.clips, report.silent) == (3, 3, 7, 0)
    assert report.problems == []
    table = read_manifest(tmp_path / "clips")
    assert tuple(table[0]) == COLUMNS
    assert [row["clip"] for row in table] == [
        *(f"[erhu][gong]a__{number}.wav" for number in (0, 1, 2)),
        *(f"[dizi]a__{number}.wav" for number in (3, 4)),
        *(f"[erhu][gong]a__{number}.wav" for number in (5, 6)),
    ]
    assert {path.name for path in (tmp_path / "clips").glob("*.wav")} == {row["clip"] for row in table}
    reference = soundfile.read(root / "a.wav", dtype="int16")[0]
    for row, start in zip(table, (1, 1.5, 2, 4, 4.5, 7, 7.5), strict=True):
        clip, rate = soundfile.read(tmp_path / "clips" / row["clip"], dtype="int16")
        assert soundfile.info(tmp_path / "clips" / row["clip"]).subtype == "PCM_16"
        part = reference[round(start * RATE) : round((start + 0.5) * RATE)]
        np.testing.assert_array_equal(clip, part)
        assert (float(row["start_s"]), float(row["end_s"])) == (start, start + 0.5)
        assert (int(row["sample_rate"]), rate, row["channels"]) == (RATE, RATE, "2")
        level = 20 * np.log10(np.sqrt(np.mean((part / 32768.0) ** 2)))
        assert float(row["rms_dbfs"]) == pytest.approx(level, abs=0.006)
    assert {(row["entry"], row["labels"], row["source"]) for row in table} == {
        ("1", "erhu|gong", "a.wav"),
        ("2", "dizi", "a.wav"),
    }


def test_silent_windows_are_counted_and_left_out(root, tmp_path):
    report = cut_sources([entry(1, (2, 5))], root, tmp_path / "clips", OPTIONS)
    assert (report.clips, report.silent, report.cut) == (4, 2, 1)
    assert [row["clip"][-5] for row in read_manifest(tmp_path / "clips")] == ["0", "1", "4", "5"]


def test_windows_whose_channels_cancel_are_counted_and_left_out(tmp_path):
    sound = chirps(4, RATE)
    sound[1] = sound[0]
    sound[1, 2 * RATE : 3 * RATE] *= -1
    soundfile.write(tmp_path / "a.wav", sound.T, RATE)
    mono = replace(OPTIONS, channels=1)
    report = cut_sources([entry(1, (0, 4))], tmp_path, tmp_path / "clips", mono)
    assert (report.clips, report.silent, report.cancelled) == (6, 0, 2)
    assert report.left_out() == "0 windows are silent, in 2 the channels cancel each other"
    [first] = [row["clip"] for row in read_manifest(tmp_path / "clips") if row["clip"].endswith("__0.wav")]
    found = soundfile.read(tmp_path / "clips" / first)[0]
    np.testing.assert_allclose(found, sound[0, : RATE // 2], atol=1e-4)
    assert cut_sources([entry(1, (0, 4))], tmp_path, tmp_path / "both", OPTIONS).clips == 8
    with pytest.raises(UserError, match="0 windows are silent, in 2 the channels cancel each other"):
        cut_sources([entry(1, (2, 3))], tmp_path, tmp_path / "none", mono)


def test_short_passages_are_told_in_one_line(root, tmp_path):
    report = cut_sources([entry(1, (1, 1.3), (2, 3))], root, tmp_path / "clips", OPTIONS)
    assert report.problems == ["entry 1 (a.wav), 0:01–0:01.3: it is shorter than a window"]
    assert (report.passages, report.cut, report.clips) == (2, 1, 2)


def test_files_with_one_stem_do_not_collide(root, tmp_path):
    entries = [entry(1, (1, 2)), entry(2, (1, 2), source="b/a.wav")]
    report = cut_sources(entries, root, tmp_path / "clips", OPTIONS)
    names = [row["clip"] for row in read_manifest(tmp_path / "clips")]
    assert names == [f"[erhu][gong]{stem}__{number}.wav" for stem in ("a", "a~2") for number in (0, 1)]
    assert report.clips == len(list((tmp_path / "clips").glob("*.wav"))) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are UTF-8")
def test_names_that_are_not_utf8_or_like_formulas_are_cut(root, tmp_path):
    for name in ("e\udcff.wav", "=x.wav"):
        (root / name).write_bytes((root / "a.wav").read_bytes())
    entries = [entry(number, (1, 2), source=name) for number, name in enumerate(("e\udcff.wav", "=x.wav"), 1)]
    cut_sources(entries, root, tmp_path / "clips", OPTIONS)
    rows = read_manifest(tmp_path / "clips")
    assert [(row["clip"], row["source"]) for row in rows[::2]] == [
        ("[erhu][gong]e__0.wav", "e\udcff.wav"),
        ("[erhu][gong]=x__0.wav", "'=x.wav"),
    ]


@given(st.lists(st.text("abA~2./", min_size=1), unique=True))
def test_stems_are_unique_whatever_their_case(sources):
    stems = list(clip_stems(sources).values())
    assert len({stem.casefold() for stem in stems}) == len(sources)


def test_long_stems_are_shortened_and_too_long_names_refused():
    stem = clip_stems(["é" * 200 + ".wav"])[f"{'é' * 200}.wav"]
    assert len(clip_name(["erhu"], stem, 123456).encode()) < 255
    with pytest.raises(UserError, match="too long; shorten the names of the classes"):
        clip_name(["erhu" * 70], stem, 0)


@pytest.fixture
def damaged(root) -> str:
    content = bytearray(write_media(root / "film.mp4", chirps(20), video=True).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(range(250)) * 12
    (root / "film.mp4").write_bytes(content)
    return "film.mp4"


PASSAGES = ((1.0, 3.0), (5.0, 7.0), (8.0, 12.0), (14.0, 16.0))


def test_a_damaged_passage_loses_nothing_else(root, tmp_path, damaged):
    report = cut_sources(
        [entry(1, *PASSAGES, source=damaged)], root, tmp_path / "clips", OPTIONS, on_error="skip"
    )
    assert len(report.problems) == 1
    assert report.problems[0].startswith("entry 1 (film.mp4), 0:08–0:12: ")
    assert (report.passages, report.cut) == (4, 4)
    whole = {row["start_s"] for row in read_manifest(tmp_path / "clips")}
    for start, end in (PASSAGES[0], PASSAGES[1], PASSAGES[3]):
        assert {f"{second:.6f}" for second in np.arange(start, end, 0.5)} <= whole
    assert 12 < report.clips < 20


def test_damage_stops_by_default_and_leaves_nothing(root, tmp_path, damaged):
    with pytest.raises(UserError, match=r"entry 1 \(film\.mp4\), 0:08–0:12: .* data\.on_error=skip goes on"):
        cut_sources([entry(1, *PASSAGES, source=damaged)], root, tmp_path / "out" / "clips", OPTIONS)
    assert [path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".lock"] == []


def test_a_file_that_cannot_be_opened_loses_nothing_else(root, tmp_path):
    (root / "b" / "a.wav").write_bytes(b"")
    entries = [entry(1, (1, 2), (3, 4), source="b/a.wav"), entry(2, (1, 2))]
    report = cut_sources(entries, root, tmp_path / "clips", OPTIONS, on_error="skip")
    assert len(report.problems) == 1
    assert (report.passages, report.cut, report.clips) == (3, 1, 2)


@pytest.mark.parametrize("passage", [(1, 1.2), (3, 4)])
def test_no_clip_at_all_is_refused(root, tmp_path, passage):
    with pytest.raises(UserError, match="none of 1 passages gives a clip"):
        cut_sources([entry(1, passage)], root, tmp_path / "clips", OPTIONS, on_error="skip")
    assert not (tmp_path / "clips").exists()


def test_an_interrupted_cut_leaves_no_half_files(root, tmp_path, monkeypatch):
    written = []

    def interrupt(path, *arguments, **options):
        written.append(path)
        if len(written) == 3:
            Path(path).write_bytes(b"RIFF half")
            raise KeyboardInterrupt
        return soundfile_write(path, *arguments, **options)

    soundfile_write = soundfile.write
    monkeypatch.setattr("src.datamodules.recordings.sources.clips.soundfile.write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cut_sources([entry(1, (5, 8))], root, tmp_path / "clips", OPTIONS)
    assert not (tmp_path / "clips").exists()
    left = tmp_path / ".clips.partial"  # as a killed process leaves it
    left.mkdir()
    (left / "half.wav").write_bytes(b"RIFF half")
    monkeypatch.undo()
    assert cut_sources([entry(1, (5, 8))], root, tmp_path / "clips", OPTIONS).clips == 6
    assert len(list((tmp_path / "clips").glob("*.wav"))) == 6
    assert not left.exists()


def test_a_finished_cut_is_not_made_again(root, tmp_path):
    first = cut_sources([entry(1, (1, 2), (3, 3.2))], root, tmp_path / "clips", OPTIONS)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "clips").iterdir()}
    assert cut_sources([entry(1, (1, 2), (3, 3.2))], root, tmp_path / "clips", OPTIONS) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "clips").iterdir()} == stamps


def test_a_strange_folder_is_left_alone(root, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "song.wav").touch()
    with pytest.raises(UserError, match="holds no finished cut"):
        cut_sources([entry(1, (1, 2))], root, tmp_path / "mine", OPTIONS)
    assert (tmp_path / "mine" / "song.wav").exists()


def test_a_full_disk_is_told(root, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src.datamodules.recordings.sources.clips.soundfile.write", full)
    with pytest.raises(UserError, match=r"cannot write to .*clips: No space left on device; make room"):
        cut_sources([entry(1, (1, 2))], root, tmp_path / "clips", OPTIONS)
