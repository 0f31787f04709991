"""Stems of tiny soundfonts: what plays which, how they vary, and the clips that are mixed of them."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
import torch

from src.audio.mel import LogMel
from src.audio.synthesis import Synthesizer
from src.datamodules.stem_maker import INTERVALS, STRETCHES
from src.datamodules.stem_mixtures import Mixing, StemMixtures
from src.datamodules.synth_instruments import SynthInstruments
from src.datamodules.synth_stems import SynthStems
from src.errors import UserError
from src.soundfonts.writer import Sound, write_soundfont
from src.splits import SPLITS
from src.sweep.identity import signature
from tests.datamodules.conftest import FEATURES
from tests.datamodules.of_yaml import of_yaml
from tests.soundfonts.tiny_fonts import tone, write_font

PIANO, VIOLIN, TRUMPET = 0, 1, 2
PROGRAMS = (0, 40, 56)
CLASSES = [
    {"name": "piano", "program": 0, "low": 48, "high": 72, "relatives": [[0, 1], [8, 0]]},
    {"name": "violin", "program": 40, "low": 55, "high": 80, "relatives": [[0, 41]]},
    {"name": "trumpet", "program": 56, "low": 54, "high": 80},
]
PLAIN = {"relatives": 0.0, "transpose": 0.0, "stretch": 0.0, "generators": 0.0, "velocity": [30, 120]}
VARIED = {"relatives": 0.4, "transpose": 0.5, "stretch": 0.5, "generators": 0.5, "velocity": [30, 120]}


@pytest.fixture(scope="module")
def fonts(tmp_path_factory) -> dict[str, Path]:
    """`full` has all classes and the piano's relatives; `part` no trumpet, but the violin's relative."""
    folder = tmp_path_factory.mktemp("fonts (ä)")
    return {
        "full": write_font(folder / "full.sf2", [*PROGRAMS, 1, 2], seed=1, moved={2: (8, 0)}),
        "part": write_font(folder / "part.sf2", [0, 40, 41, 57], seed=2),
        "val": write_font(folder / "val.sf2", PROGRAMS, seed=3),
        "test": write_font(folder / "test.sf2", PROGRAMS, seed=4),
        "kin": write_font(folder / "kin.sf2", PROGRAMS, seed=5, copied=(40, tone(4040))),  # the test font's violin
    }  # fmt: skip


@pytest.fixture
def options(fonts, tmp_path) -> dict[str, Any]:
    return {
        "cache_dir": tmp_path / "cache",
        "batch_size": 8,
        "shuffle_seed": 1,
        "classes": CLASSES,
        "pitch_range": None,
        "clip_seconds": 0.5,
        "max_instruments": 2,
        "notes_per_instrument": 2,
        "velocity": [50, 100],
        "gap": [0.0, 0.2],
        "length": [0.1, 0.3],
        "effects": True,
        "features": FEATURES,
        "n_clips": {"val": 9, "test": 7},
        "seed": 1,
        "soundfonts": [str(fonts["full"]), str(fonts["part"])],
        "val_soundfonts": [str(fonts["val"])],
        "test_soundfonts": [str(fonts["test"])],
        "leave_out": {},
        "heard": False,
        "n_stems": 14,
        "n_mixtures": 24,
        "variation": VARIED,
        "level_db": 4.0,
        "equaliser_db": 4.0,
        "workers": 1,
    }


@pytest.fixture
def stems(options):
    def make(**changes: Any) -> SynthStems:
        return SynthStems(**{**options, **changes})

    return make


def played(data: SynthStems) -> list[tuple[int, str]]:
    """The class and the soundfont of each voice."""
    return [(voice.label, voice.soundfont.stem) for voice in data.voices]


def lines(data: SynthStems) -> dict[tuple[int, str], list[Any]]:
    """All lines by voice."""
    make = data.maker().stems
    return {
        voice: [make.line(number * data.n_each + i) for i in range(data.n_each)]
        for number, voice in enumerate(played(data))
    }


def messages(line: Any, kind: str) -> list[mido.Message]:
    return [message for _, message in line.score.events() if message.type == kind]


def preset(line: Any) -> tuple[int, int]:
    [change] = messages(line, "program_change")
    return line.bank, change.program


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


def test_validation_and_test_clips_are_those_of_whole_clips(stems, options, fonts):
    data = stems()
    data.prepare_data()
    ours = (
        "val_soundfonts",
        "leave_out",
        "heard",
        "n_stems",
        "n_mixtures",
        "variation",
        "level_db",
        "equaliser_db",
    )
    plain = {key: value for key, value in options.items() if key not in ours}
    classes = [{key: value for key, value in entry.items() if key != "relatives"} for entry in CLASSES]
    counts = {"train": 1, "val": 9, "test": 7}
    whole = SynthInstruments(
        **plain | {"classes": classes, "n_clips": counts, "soundfonts": options["val_soundfonts"]}
    ).maker()
    for split, start, count in (("val", 1, 9), ("test", 10, 7)):
        features, targets = data.arrays(split)
        assert len(features) == len(targets) == count
        for index in range(count):
            made = whole(start + index)
            np.testing.assert_array_equal(features[index], made["features"])
            np.testing.assert_array_equal(targets[index], made["targets"])
            assert whole.piece(start + index)[1] == fonts[split]


def test_bits_do_not_depend_on_order_or_workers(stems, tmp_path, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    one = stems(cache_dir=tmp_path / "one", workers=1)
    two = stems(cache_dir=tmp_path / "two", workers=2)
    assert one.signature == two.signature
    for data in (one, two):
        data.prepare_data()
    for name in ("features", "targets", "pieces"):
        assert (one.folder / f"{name}.npy").read_bytes() == (two.folder / f"{name}.npy").read_bytes()
    features, make = np.load(one.folder / "features.npy"), stems().maker()
    for index in (85, 70, 69, 33, 0):
        np.testing.assert_array_equal(make(index)["features"], features[index])


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


def test_stems_and_clips_are_different_pieces(stems):
    data = stems()
    data.prepare_data()
    assert len(np.unique(np.load(data.folder / "pieces.npy"))) == 86


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
    with pytest.raises(UserError, match=r"data\.leave_out\.ful: there is no such soundfont"):
        stems(leave_out={"ful": ["piano"]})


def test_heard_soundfonts_are_allowed_and_said(stems, fonts):
    heard = {"soundfonts": [str(fonts["full"]), str(fonts["test"])]}
    with pytest.raises(UserError, match="soundfont test is in train and in test"):
        stems(**heard).check()
    data = stems(**heard, heard=True)
    data.check()
    assert data.summary()["heard"] is True
    assert data.summary()["soundfonts"] == {"train": ["full", "test"], "val": ["val"], "test": ["test"]}


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


def test_clips_of_the_next_epoch_are_others(stems):
    data = stems()
    data.prepare_data()

    def epochs(data: SynthStems) -> list[list[bytes]]:
        loaded, found = data.train_dataloader(), []
        for epoch in range(2):
            loaded.sampler.set_epoch(epoch)
            batches = list(loaded)
            assert [len(sounds) for sounds, _ in batches] == [8, 8, 8]
            assert all(labels.shape == (8, 3) and labels.dtype == torch.uint8 for _, labels in batches)
            found.append([sound.numpy().tobytes() for sounds, _ in batches for sound in sounds])
        return found

    first, second = epochs(data)
    assert len(set(first) | set(second)) == 48
    assert epochs(stems()) == [first, second]
    assert not set(epochs(stems(shuffle_seed=2))[0]) & set(first)


def test_statistics_are_those_of_the_mixing_and_the_arrays_are_not(stems, monkeypatch):
    monkeypatch.setattr("src.datamodules.synth_stems._BASELINE_CLIPS", 100)
    data = stems()
    data.prepare_data()
    made = {path: path.stat().st_mtime_ns for path in data.folder.glob("*.npy")}
    features, targets = data.arrays("train")
    assert (features.dtype, features.shape, targets.shape) == (np.float16, (100, 1, 16, 16), (100, 3))
    found = {}
    for change in ({}, {"equaliser_db": 9.0}, {"level_db": 9.0}, {"max_instruments": 2}):
        other = stems(**change)
        assert other.folder == data.folder
        other.prepare_data()
        expected = other.arrays("train")[0].astype(np.float64)
        for _ in range(2):  # computed, then remembered
            mean, deviation = other.statistics()
            np.testing.assert_allclose(mean, expected.mean(axis=(0, 1, 3)), rtol=1e-5)
            np.testing.assert_allclose(deviation, expected.std(axis=(0, 1, 3)), rtol=1e-5)
            assert mean.dtype == deviation.dtype == np.float32
        found[str(change)] = mean.tobytes()
    assert len(set(found.values())) == 3
    assert {path: path.stat().st_mtime_ns for path in data.folder.glob("*.npy")} == made


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"n_stems": 15},
        {"n_clips": {"val": 10, "test": 7}},
        {"effects": False},
        {"variation": VARIED | {"relatives": 0.5}},
        {"variation": VARIED | {"velocity": [30, 121]}},
        {"classes": [{**CLASSES[0], "relatives": [[0, 1]]}, *CLASSES[1:]]},
        {"leave_out": {"part": ["violin"]}},
    ],
)
def test_signature_covers_what_determines_the_stems(stems, change):
    assert stems(**change).signature != stems().signature


@pytest.mark.parametrize(
    "change",
    [
        {"level_db": 0.0}, {"equaliser_db": 1.0}, {"n_mixtures": 9},
        {"shuffle_seed": 3}, {"workers": 2}, {"batch_size": 3},
    ],
)  # fmt: skip
def test_signature_leaves_out_how_they_are_mixed(stems, change):
    assert stems(**change).signature == stems().signature


def test_signature_covers_which_font_plays_which_class(stems):
    """Both have a piano and a violin, one each, in this order."""
    one = stems(leave_out={"full": ["violin", "trumpet"], "part": ["piano"]})
    other = stems(leave_out={"full": ["violin", "trumpet", "piano"]})
    assert [label for label, _ in played(one)] == [label for label, _ in played(other)] == [PIANO, VIOLIN]
    assert one.signature != other.signature


def test_checking_does_not_change_the_signature(stems):
    checked = stems()
    checked.check()
    assert checked.signature == stems().signature


@pytest.mark.parametrize("key", ["soundfonts", "val_soundfonts", "test_soundfonts"])
def test_signature_and_identity_cover_fonts_by_content(stems, options, tmp_path, key):
    """Also once checked; where they lie does not count."""

    def counted(fonts: list[str]) -> tuple[str, str]:
        data = stems(**{key: fonts})
        data.check()
        return data.signature, signature({"data": {**options, key: fonts, "cache_dir": ""} | data.resolved()})

    usual = counted(options[key])
    moved = Path(shutil.copy(options[key][0], tmp_path / Path(options[key][0]).name))
    assert counted([str(moved), *options[key][1:]]) == usual
    write_font(moved, PROGRAMS, seed=77) if key != "soundfonts" else write_font(
        moved, [*PROGRAMS, 1, 2], seed=77, moved={2: (8, 0)}
    )
    for before, now in zip(usual, counted([str(moved), *options[key][1:]]), strict=True):
        assert before != now


def test_fonts_are_resolved_to_paths(stems, fonts, monkeypatch):
    monkeypatch.chdir(fonts["val"].parent)
    relative = stems(
        val_soundfonts=["val.sf2"], soundfonts=["full.sf2"], test_soundfonts=["test.sf2"]
    ).resolved()
    assert relative == {
        "soundfonts": [str(fonts["full"])],
        "val_soundfonts": [str(fonts["val"])],
        "test_soundfonts": [str(fonts["test"])],
        "leave_out": {},
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": FEATURES | {"scaling": "db"}}, "choose db_max"),
        ({"features": FEATURES | {"scaling": "z_norm"}}, "choose db_max"),
        *(({"variation": PLAIN | {name: share}}, f"variation.{name} .* from 0 to 1")
          for name in ("relatives", "transpose", "stretch", "generators") for share in (-0.1, 1.1)),
        ({"variation": PLAIN | {"velocity": [30]}}, "variation.velocity"),
        ({"variation": PLAIN | {"velocity": [0, 90]}}, "variation.velocity"),
        ({"variation": PLAIN | {"velocity": [90, 30]}}, "variation.velocity"),
        ({"leave_out": {"full": ["cello"]}}, r"leave_out\.full: cello is no class; choose of piano, violin"),
        ({"classes": [{**CLASSES[0], "relatives": [[0]]}, *CLASSES[1:]]}, "piano: relatives"),
        ({"classes": [{**CLASSES[0], "relatives": [[0, "a"]]}, *CLASSES[1:]]}, "piano: relatives"),
        ({"n_stems": 0}, "n_stems"),
        ({"n_mixtures": 0}, "n_mixtures"),
        ({"n_clips": {"val": 9}}, r"n_clips\.test"),
        ({"level_db": 41.0}, "level_db"),
        ({"equaliser_db": -1.0}, "equaliser_db"),
        ({"soundfonts": []}, "at least one"),
        ({"val_soundfonts": []}, "val_soundfonts is empty"),
        ({"max_instruments": 4}, r"choose 1\.\.3"),
    ],
)  # fmt: skip
def test_impossible_options_are_refused(stems, change, says):
    with pytest.raises(UserError, match=says):
        stems(**change)


def test_a_class_that_no_font_plays_is_refused(stems, fonts):
    with pytest.raises(UserError, match=r"data\.soundfonts: none plays trumpet"):
        stems(soundfonts=[str(fonts["part"])]).check()
    with pytest.raises(UserError, match=r"none plays piano;"):
        stems(leave_out={"full": ["piano"], "part": ["piano"]}).check()


@pytest.mark.parametrize("key", ["val_soundfonts", "test_soundfonts"])
def test_a_font_that_judges_has_every_class(stems, fonts, key):
    with pytest.raises(UserError, match=r"part\.sf2 has no program 56"):
        stems(soundfonts=[str(fonts["full"])], **{key: [str(fonts["part"])]}).check()


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"soundfonts": "full", "val_soundfonts": "full"}, "full is in train and in val"),
        ({"soundfonts": "full", "test_soundfonts": "full"}, "full is in train and in test"),
        ({"val_soundfonts": "test"}, "test is in val and in test"),
        ({"soundfonts": "kin"}, r"kin \(train\) and test \(test\).* violin .*leave_out\.kin names"),
        ({"val_soundfonts": "kin"}, r"kin \(val\) and test \(test\).* violin "),
    ],
)
def test_a_font_in_two_parts_is_refused(stems, fonts, roles, says):
    with pytest.raises(UserError, match=says):
        stems(**{key: [str(fonts[name])] for key, name in roles.items()}).check()


def test_no_font_for_test_means_the_training_fonts_and_is_refused(stems, fonts):
    with pytest.raises(UserError, match="full is in train and in test"):
        stems(soundfonts=[str(fonts["full"])], test_soundfonts=None).check()


def test_leaving_out_what_is_shared_helps(stems, fonts):
    both = [str(fonts["full"]), str(fonts["kin"])]
    stems(soundfonts=both, leave_out={"kin": ["violin"]}).check()


def test_a_relative_that_is_shared_is_refused(stems, fonts, tmp_path):
    cousin = write_font(tmp_path / "cousin.sf2", [*PROGRAMS, 41], seed=6, copied=(41, tone(3040)))
    with pytest.raises(UserError, match=r"cousin \(train\) and val \(val\).* violin "):
        stems(soundfonts=[str(cousin)]).check()
    stems(soundfonts=[str(cousin)], classes=[CLASSES[0], {**CLASSES[1], "relatives": []}, CLASSES[2]]).check()


def test_contact_sheet_shows_stems_of_each_class(stems, tmp_path):
    data = stems(n_stems=3)
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    for name in data.classes:
        assert len(list((tmp_path / "sheet").glob(f"1_{name}_train*.wav"))) == 2
    for suffix in (".mid", ".png"):
        assert len(list((tmp_path / "sheet").glob(f"1_*{suffix}"))) == 6
    assert (tmp_path / "sheet" / "classes.csv").exists()


def test_default_options_are_those_of_the_yaml_file(tmp_path, fonts):
    data = of_yaml("synth_stems", tmp_path, features={**FEATURES, "scaling": "db_max", "top_db": 80.0})
    assert isinstance(data, SynthStems)
    assert len(data.classes) == len(data.relatives) == 12
    assert all(data.relatives)
    assert data.item_shape == (1, 16, 126)
    assert not {*data.soundfonts} & {*data.val_soundfonts, *data.test_soundfonts}
    assert {*data.leave_out} <= {*data.soundfonts}
    own = {(0, instrument.program) for instrument in data.score_options.instruments}
    related = [pair for of_class in data.relatives for pair in of_class]
    assert len(set(related)) == len(related)
    assert not own & set(related)


def test_all_parts_have_items(stems):
    data = stems()
    data.prepare_data()
    sizes = {"train": [8, 8, 8], "val": [8, 1], "test": [7]}
    for split in SPLITS:
        batches = list(getattr(data, f"{split}_dataloader")())
        assert [len(sounds) for sounds, _ in batches] == sizes[split]
        for sounds, labels in batches:
            assert sounds.shape[1:] == (1, 16, 16)
            assert (sounds.float().amax((1, 2, 3)) == 0).all()
            assert sounds.min() >= -80
            assert set(labels.sum(1).tolist()) <= {1, 2}


def test_a_test_clip_is_written_by_the_test_soundfont(stems, fonts, tmp_path):
    data = stems()
    data.prepare_data()
    data.write_test_clip(2, tmp_path / "clip")
    maker = data.maker().clips
    score, font = maker.piece(9 + 2)
    assert font == fonts["test"]
    sound, _ = soundfile.read(tmp_path / "clip.wav", dtype="float32")
    played = maker.waveform(score, font)
    np.testing.assert_allclose(sound, 0.9 * played / np.abs(played).max(), atol=1e-4)
