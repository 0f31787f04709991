"""Soundfonts that share recordings, with fonts of noise."""

from pathlib import Path

import numpy as np
import pytest

from src.audio.soundfonts import families
from src.audio.soundfonts.families import ClassPresets, Families, SharedRecording, shared_recordings
from src.audio.soundfonts.writer import Sound, write_soundfont
from src.errors import UserError

PIANO, FLUTE = ClassPresets("piano", ((0, 0),)), ClassPresets("flute", ((0, 73), (0, 74)))


def noise(seed: int, length: int = 4000) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, length).astype(np.int16)


def font(path: Path, programs: dict[int, dict[str, np.ndarray]]) -> Path:
    sounds = {
        program: [
            Sound(name=name, samples=samples, sample_rate=22050, low=0, high=127, root=60)
            for name, samples in named.items()
        ]
        for program, named in programs.items()
    }
    write_soundfont(path, path.stem, sounds)
    return path


@pytest.fixture
def one(tmp_path) -> Path:
    return font(tmp_path / "one.sf2", {0: {"C4": noise(1), "C5": noise(2)}, 74: {"breath": noise(3)}})


@pytest.fixture
def memory(tmp_path) -> Families:
    return Families(tmp_path / "memory" / "families.json", tmp_path / "memory" / "hashes.json")


def both(one: Path, other: Path, presets=(PIANO, FLUTE), other_presets=(PIANO, FLUTE)):
    return (
        shared_recordings(one, presets, other, other_presets),
        shared_recordings(other, other_presets, one, presets),
    )


def test_a_copy_is_found_and_named(one, tmp_path):
    other = font(tmp_path / "other.sf2", {0: {"mine": noise(8), "theirs": noise(2)}, 73: {"wind": noise(9)}})
    assert both(one, other) == ([SharedRecording("piano", "C5")], [SharedRecording("piano", "theirs")])


@pytest.mark.parametrize("part", [slice(300), slice(300, 700), slice(3000, None), slice(1, 3999)])
def test_an_excerpt_is_found(tmp_path, part):
    whole = font(tmp_path / "whole.sf2", {0: {"x": noise(7), "whole": noise(1)}, 73: {"y": noise(6)}})
    excerpt = font(tmp_path / "part.sf2", {0: {"part": noise(1)[part], "z": noise(5)}})
    assert both(whole, excerpt) == ([SharedRecording("piano", "whole")], [SharedRecording("piano", "part")])


def test_classes_may_differ(one, tmp_path):
    other = font(tmp_path / "other.sf2", {73: {"copy": noise(1)}, 0: {"breathy": noise(3)}})
    assert both(one, other) == (
        [SharedRecording("flute", "breath"), SharedRecording("piano", "C4")],
        [SharedRecording("flute", "copy"), SharedRecording("piano", "breathy")],
    )


def test_different_noise_is_not_found(one, tmp_path):
    other = font(tmp_path / "other.sf2", {0: {"C4": noise(11), "C5": noise(12)}, 74: {"breath": noise(13)}})
    assert both(one, other) == ([], [])


def test_presets_of_no_class_do_not_count(one, tmp_path):
    other = font(tmp_path / "other.sf2", {0: {"C4": noise(11)}, 12: {"copy": noise(1)}})
    assert both(one, other) == ([], [])
    assert both(one, other, other_presets=[ClassPresets("mallets", ((0, 12),))]) == (
        [SharedRecording("piano", "C4")],
        [SharedRecording("mallets", "copy")],
    )
    assert both(one, other, presets=[FLUTE], other_presets=[ClassPresets("mallets", ((0, 12),))]) == ([], [])


@pytest.mark.parametrize(
    "plain",
    [
        np.zeros(4000, np.int16),
        np.tile(np.repeat(np.array([-9000, 9000], np.int16), 50), 40),
        np.tile(np.repeat(np.array([-9000, 9000], np.int16), 7), 300),
    ],
    ids=["silence", "square", "high square"],
)
def test_plain_sounds_are_alike_by_chance(tmp_path, plain):
    here = font(tmp_path / "here.sf2", {0: {"plain": plain, "a": noise(1)}})
    there = font(tmp_path / "there.sf2", {0: {"plain": plain, "b": noise(2)}})
    assert both(here, there) == ([], [])


def test_silence_before_a_copied_sound_does_not_hide_it(tmp_path):
    late = np.concatenate([np.zeros(3000, np.int16), noise(1, 2000)])
    here = font(tmp_path / "here.sf2", {0: {"late": late}})
    there = font(tmp_path / "there.sf2", {0: {"early": noise(1, 2000)}})
    assert both(here, there) == ([SharedRecording("piano", "late")], [SharedRecording("piano", "early")])


def test_gaps_where_windows_are_sought_do_not_hide_a_copy(tmp_path):
    gappy = noise(1)
    for place in (0.1, 0.3, 0.5, 0.7, 0.9):
        gappy[round(4000 * place) - 100 :][:200] = 0
    here = font(tmp_path / "here.sf2", {0: {"gappy": gappy}})
    there = font(tmp_path / "there.sf2", {0: {"copy": gappy}})
    assert both(here, there) == ([SharedRecording("piano", "gappy")], [SharedRecording("piano", "copy")])


def test_short_sounds(tmp_path):
    here = font(tmp_path / "here.sf2", {0: {"short": noise(1, 10)}})
    there = font(tmp_path / "there.sf2", {0: {"short": noise(1, 10)}})
    assert both(here, there) == ([], [])


def test_splits_that_share_are_refused(one, tmp_path, memory):
    own = font(tmp_path / "own.sf2", {0: {"a": noise(21)}})
    other = font(tmp_path / "other.sf2", {0: {"copy": noise(2)}, 73: {"wind": noise(3)}})
    everything = [PIANO, FLUTE]
    with pytest.raises(UserError) as caught:
        memory.check_splits(
            {"train": {own: everything}, "val": {one: everything}, "test": {other: everything}}
        )
    message = str(caught.value)
    assert "one (val)" in message
    assert "other (test)" in message
    assert "flute, piano" in message
    assert message.endswith(
        "leave one of them out, or choose another soundfont"
    )  # nothing is left out of validation
    assert "own" not in message


def test_the_remedy_helps(one, tmp_path, memory):
    other = font(tmp_path / "other.sf2", {0: {"copy": noise(2)}, 73: {"wind": noise(9)}})
    with pytest.raises(UserError, match=r"recordings of piano .*data\.leave_out\.one$"):
        memory.check_splits({"train": {one: [PIANO, FLUTE]}, "test": {other: [PIANO, FLUTE]}})
    memory.check_splits({"train": {one: [FLUTE]}, "test": {other: [PIANO, FLUTE]}})


def test_splits_without_shared_recordings_pass(one, tmp_path, memory):
    """Two fonts of one split may share."""
    twin = font(tmp_path / "twin.sf2", {0: {"C4": noise(1)}})
    other = font(tmp_path / "other.sf2", {0: {"C4": noise(31)}})
    memory.check_splits({"train": {one: [PIANO], twin: [PIANO]}, "val": {other: [PIANO]}, "test": {}})


def test_one_file_in_two_splits_is_refused(one, memory):
    with pytest.raises(UserError, match="soundfont one is in train and in test"):
        memory.check_splits({"train": {one: [PIANO]}, "val": {}, "test": {one: [FLUTE]}})


def test_answers_are_remembered(one, tmp_path, memory, monkeypatch):
    other = font(tmp_path / "other.sf2", {0: {"copy": noise(2)}})
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return shared_recordings(*arguments)

    monkeypatch.setattr(families, "shared_recordings", counted)
    again = Families(tmp_path / "memory" / "families.json", tmp_path / "memory" / "hashes.json")
    for asked in (memory, memory, again):
        assert asked.shared(one, [PIANO], other, [PIANO]) == [SharedRecording("piano", "C5")]
    assert len(calls) == 1
    assert again.shared(one, [FLUTE], other, [PIANO]) == []
    assert again.shared(other, [PIANO], one, [PIANO]) == [SharedRecording("piano", "copy")]
    assert len(calls) == 3
    font(other, {0: {"another": noise(41, 5000)}})
    assert again.shared(one, [PIANO], other, [PIANO]) == []
    font(one, {0: {"new": noise(41, 3000)}})
    assert again.shared(one, [PIANO], other, [PIANO]) == [SharedRecording("piano", "new")]
    assert len(calls) == 5


def test_damaged_memory_is_made_anew(one, tmp_path, memory):
    other = font(tmp_path / "other.sf2", {0: {"copy": noise(2)}})
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "families.json").write_text("{")
    assert memory.shared(one, [PIANO], other, [PIANO]) == [SharedRecording("piano", "C5")]
