"""What plays which stem, and how stems vary."""

import shutil
from collections import Counter

import numpy as np
import pytest
import torch

from src.audio.mel import LogMel
from src.audio.soundfonts.writer import Sound, write_soundfont
from src.audio.synthesis import Synthesizer
from src.datamodules.synthesized.stem_maker import INTERVALS, STRETCHES
from src.datamodules.synthesized.stem_mixtures import Mixing, StemMixtures
from src.datamodules.synthesized.synth_stems import SynthStems
from src.errors import UserError
from tests.audio.soundfonts.tiny_fonts import tone
from tests.datamodules.conftest import FEATURES
from tests.datamodules.synthesized.tiny_stems import (
    CLASSES,
    PIANO,
    PLAIN,
    PROGRAMS,
    TRUMPET,
    VARIED,
    VIOLIN,
    lines,
    messages,
    played,
    preset,
)


def test_a_stem_is_one_class_at_its_program_and_font(stems, fonts):
    data = stems()
    assert data.classes == ("piano", "violin", "trumpet")
    voices = [(PIANO, "full"), (VIOLIN, "full"), (TRUMPET, "full"), (PIANO, "part"), (VIOLIN, "part")]
    assert played(data) == voices  # `part` has no trumpet, its relative is no voice of its own
    assert data.n_items == {"train": 70, "val": 9, "test": 7}
    data.prepare_data()
    data.setup("fit")
    features, targets = super(SynthStems, data).arrays("train")
    assert features.shape == (70, 1, 16, 16)
    mel = LogMel(**FEATURES, scaling="db", top_db=100.0)
    may = {PIANO: {(0, 0), (0, 1), (8, 0)}, VIOLIN: {(0, 40), (0, 41)}, TRUMPET: {(0, 56)}}
    make = data.maker().stems
    for index in range(70):
        label, font = voices[index // 14]
        line = make.line(index)
        assert np.flatnonzero(targets[index]).tolist() == [label]
        assert line.soundfont == fonts[font]
        assert preset(line) in may[label]
        assert len(line.score.midi.tracks) == 2
        sound = Synthesizer(fonts[font], sample_rate=8000).render(
            line.score.events(),
            0.5,
            bank=line.bank,
            generators=line.generators,
            key_shift=line.key_shift,
        )
        np.testing.assert_array_equal(features[index, 0], mel(torch.from_numpy(sound)).half().numpy())
        assert features[index].max() > -40


def test_each_voice_has_as_many_stems(stems):
    data = stems(n_stems=5, variation=PLAIN)
    assert data.n_items["train"] == 25
    assert [[len(numbers) for numbers in fonts] for fonts in data.pools] == [[5, 5], [5, 5], [5]]
    numbers = np.concatenate([numbers for fonts in data.pools for numbers in fonts])
    assert sorted(numbers) == list(range(25))
    make = data.maker()
    for label, of_class in enumerate(data.pools):
        for number in np.concatenate(of_class):
            assert make(int(number))["targets"].argmax() == label


@pytest.mark.parametrize("key", ["name", "path"])
def test_left_out_classes_are_not_taken(stems, fonts, key):
    """Nor by a trial, whose soundfonts are paths, whatever they were called."""
    font = "full" if key == "name" else str(fonts["full"])
    data = stems(leave_out={font: ["violin", "piano"], "A320U": ["piano"]})
    assert played(data) == [(TRUMPET, "full"), (PIANO, "part"), (VIOLIN, "part")]
    assert data.resolved()["leave_out"] == {"full": ["piano", "violin"]}
    again = stems(**data.resolved())
    assert played(again) == played(data)
    assert again.signature == data.signature
    data.check()


def test_a_misspelt_soundfont_is_not_left_out_in_silence(stems):
    with pytest.raises(UserError, match=r"data\.leave_out\.ful: data\.soundfonts has no such soundfont"):
        stems(leave_out={"ful": ["piano"]})


def test_left_out_classes_of_a_font_known_by_name(stems, fonts, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(fonts["full"], own / "Known.sf2")
    (own / "Alias.sf2").symlink_to(own / "Known.sf2")
    monkeypatch.setenv("POLYSWEEP_SOUNDFONTS", str(own))
    for name in ("Known", "Alias"):
        data = stems(soundfonts=[name], leave_out={name: ["violin"]})
        assert played(data) == [(PIANO, "Known"), (TRUMPET, "Known")]
        assert played(stems(**data.resolved())) == played(data)


def test_relatives_play_the_share_that_is_asked_for(stems):
    counts = {
        voice: Counter(map(preset, some))
        for voice, some in lines(stems(n_stems=400, variation=PLAIN | {"relatives": 0.4})).items()
    }
    assert set(counts[PIANO, "full"]) == {(0, 0), (0, 1), (8, 0)}
    assert counts[PIANO, "full"][0, 0] == pytest.approx(240, abs=40)
    assert counts[PIANO, "full"][0, 1] == pytest.approx(80, abs=32)
    assert set(counts[VIOLIN, "part"]) == {(0, 40), (0, 41)}
    assert counts[VIOLIN, "part"][0, 41] == pytest.approx(160, abs=40)
    assert counts[PIANO, "part"] == {(0, 0): 400}  # the font has none
    assert counts[VIOLIN, "full"] == {(0, 40): 400}
    assert counts[TRUMPET, "full"] == {(0, 56): 400}


@pytest.mark.parametrize(("share", "presets"), [(0.0, {(0, 0)}), (1.0, {(0, 1), (8, 0)})])
def test_no_relatives_and_relatives_only(stems, share, presets):
    found = lines(stems(n_stems=40, variation=PLAIN | {"relatives": share}))
    assert set(map(preset, found[PIANO, "full"])) == presets
    assert set(map(preset, found[PIANO, "part"])) == {(0, 0)}


def test_a_relative_is_heard(stems, fonts):
    data = stems(n_stems=40, variation=PLAIN | {"relatives": 1.0})
    make = data.maker().stems
    line = next(line for line in lines(data)[PIANO, "full"] if line.bank == 8)
    synthesizer = Synthesizer(fonts["full"], sample_rate=8000)
    assert not np.array_equal(make.waveform(line), synthesizer.render(line.score.events(), 0.5))


def test_notes_move_by_the_listed_intervals(stems):
    every = [
        [message.note for message in messages(line, "note_on")]
        for some in lines(
            stems(n_stems=200, pitch_range=[60, 60], variation=PLAIN | {"transpose": 0.5})
        ).values()
        for line in some
    ]
    assert {note for notes in every for note in notes} == {60, *(60 + shift for shift in INTERVALS)}
    assert all(len(set(notes)) == 1 for notes in every)  # a line moves as a whole
    still = np.mean([notes[0] == 60 for notes in every])
    assert still == pytest.approx(0.5, abs=0.06)


def test_notes_stay_in_range_and_move_with_it(stems):
    plain = lines(stems(n_stems=100, variation=PLAIN))
    moved = lines(stems(n_stems=100, variation=PLAIN | {"transpose": 1.0}))
    for voice in plain:
        low, high = (CLASSES[voice[0]][key] for key in ("low", "high"))
        for line in plain[voice]:
            assert all(low <= message.note <= high for message in messages(line, "note_on"))
        for line in moved[voice]:
            notes = [message.note for message in messages(line, "note_on")]
            assert any(low + shift <= min(notes) <= max(notes) <= high + shift for shift in INTERVALS)
    notes = [message.note for line in moved[PIANO, "full"] for message in messages(line, "note_on")]
    assert min(notes) < 48
    assert max(notes) > 72


def test_notes_at_the_ends_of_midi(stems):
    for pitch in (0, 127):
        variation = PLAIN | {"transpose": 1.0}
        for some in lines(stems(pitch_range=[pitch, pitch], variation=variation)).values():
            assert all(0 <= message.note <= 127 for line in some for message in messages(line, "note_on"))


def test_unchanged_stems_are_the_plain_synthesisers(stems, fonts):
    data = stems(n_stems=6, variation=PLAIN | {"transpose": 0.5, "relatives": 0.0})
    make = data.maker().stems
    for (_, font), some in lines(data).items():
        synthesizer = Synthesizer(fonts[font], sample_rate=8000)
        for line in some:
            assert line.generators == {}
            expected = synthesizer.render(line.score.events(), 0.5)
            np.testing.assert_array_equal(make.waveform(line), expected)


def test_changed_stems_are_others(stems, fonts):
    data = stems(n_stems=10, variation=PLAIN | {"generators": 1.0})
    make = data.maker().stems
    some = lines(data)[TRUMPET, "full"]
    synthesizer = Synthesizer(fonts["full"], sample_rate=8000)
    differ = [
        not np.array_equal(make.waveform(line), synthesizer.render(line.score.events(), 0.5)) for line in some
    ]
    assert sum(differ) >= 9
    share = [bool(line.generators) for line in lines(stems(n_stems=400, variation=VARIED))[PIANO, "part"]]
    assert np.mean(share) == pytest.approx(0.5, abs=0.1)


def test_stretched_notes_are_played_by_other_keys_at_their_own_pitch(stems, fonts):
    data = stems(n_stems=60, variation=PLAIN | {"stretch": 1.0})
    make = data.maker().stems
    some = lines(data)[PIANO, "full"]
    assert {line.key_shift for line in some} <= set(STRETCHES)
    assert min(line.key_shift for line in some) < -12
    assert max(line.key_shift for line in some) > 6
    synthesizer = Synthesizer(fonts["full"], sample_rate=8000)
    for line in some[:10]:
        expected = synthesizer.render(line.score.events(), 0.5, key_shift=line.key_shift)
        np.testing.assert_array_equal(make.waveform(line), expected)
    share = [bool(line.key_shift) for line in lines(stems(n_stems=400, variation=VARIED))[PIANO, "part"]]
    assert np.mean(share) == pytest.approx(0.5 * 36 / 37, abs=0.1)


def test_stretched_notes_stay_within_midi(stems):
    for pitch in (0, 127):
        found = lines(stems(pitch_range=[pitch, pitch], variation=PLAIN | {"stretch": 1.0}))
        assert all(0 <= pitch + line.key_shift <= 127 for some in found.values() for line in some)


def test_where_a_soundfont_has_no_other_keys_its_own_are_played(stems, tmp_path):
    """A preset of one key alone."""
    sound = Sound(name="a", samples=tone(1), sample_rate=8000, low=60, high=60, root=60.0)
    font = tmp_path / "one key.sf2"
    write_soundfont(font, "one key", {program: [sound] for program in PROGRAMS})
    data = stems(soundfonts=[str(font)], pitch_range=[60, 60], variation=PLAIN | {"stretch": 1.0})
    make = data.maker().stems
    assert all(np.abs(make.waveform(line)).max() > 0.01 for some in lines(data).values() for line in some)


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        ({}, 50, 100),
        ({"relatives": 1.0}, 50, 100),
        ({"stretch": 1.0}, 50, 100),
        ({"transpose": 1.0}, 30, 120),
        ({"generators": 1.0}, 30, 120),
    ],
)
def test_velocities(stems, change, low, high):
    found = lines(stems(n_stems=60, variation=PLAIN | change))
    velocities = {m.velocity for some in found.values() for line in some for m in messages(line, "note_on")}
    assert (min(velocities), max(velocities)) == (low, high)


def test_mixed_spectrograms_are_those_of_summed_sounds(stems):
    """Powers add up, though sounds do."""
    data = stems(variation=VARIED, n_stems=20)
    make = data.maker().stems
    loudness = LogMel(**FEATURES, scaling="db_max", top_db=80.0)
    mixing = Mixing(max_instruments=2, level_db=0.0, equaliser_db=0.0, top_db=80.0)
    errors = []
    for piano, trumpet in zip(range(20), range(40, 60), strict=True):
        both = np.stack([make(index)["features"] for index in (piano, trumpet)])
        mixtures = StemMixtures(both, [[np.array([0])], [np.array([1])]], mixing, seed=1)
        sounds, labels = mixtures[np.arange(8)]
        mixed = sounds[labels.sum(1) == 2][0, 0]
        expected = loudness(
            torch.from_numpy(make.waveform(make.line(piano)) + make.waveform(make.line(trumpet)))
        )
        errors.append((mixed - expected)[expected > -60])
    assert torch.cat(errors).abs().mean() < 1
    assert torch.cat(errors).mean().abs() < 0.5
