from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.audio.score import DRUM_CHANNEL, Instrument, ScoreOptions, random_score
from src.errors import UserError

PIANO = Instrument(name="piano", program=0, low=21, high=108)
BASS = Instrument(name="bass", program=32, low=28, high=30)
FLUTE = Instrument(name="flute", program=73, low=70, high=70)
OPTIONS = ScoreOptions(
    instruments=(PIANO, BASS, FLUTE),
    clip_seconds=4.0,
    max_instruments=3,
    notes_per_instrument=5,
    velocity=(50, 100),
    gap=(0.0, 1.0),
    length=(0.3, 2.0),
)


def draw(seed: int, options: ScoreOptions = OPTIONS):
    return random_score(np.random.default_rng(seed), options)


@st.composite
def score_options(draw_value) -> ScoreOptions:
    lows = draw_value(st.lists(st.integers(0, 127), min_size=1, max_size=20))
    instruments = tuple(
        Instrument(name=str(i), program=i, low=low, high=draw_value(st.integers(low, 127)))
        for i, low in enumerate(lows)
    )
    least = draw_value(st.floats(0.01, 1.0))
    gap = draw_value(st.floats(0.0, 1.0))
    slow, fast = draw_value(st.integers(1, 127)), draw_value(st.integers(1, 127))
    return ScoreOptions(
        instruments=instruments,
        clip_seconds=least + gap + draw_value(st.floats(0.01, 3.0)),
        max_instruments=draw_value(st.integers(1, min(15, len(instruments)))),
        notes_per_instrument=draw_value(st.integers(1, 8)),
        velocity=(min(slow, fast), max(slow, fast)),
        gap=(gap, gap + draw_value(st.floats(0.0, 2.0))),
        length=(least, least + draw_value(st.floats(0.0, 2.0))),
    )


@given(score_options(), st.integers(0, 2**32))
@settings(max_examples=60)
def test_every_drawn_number_lies_in_its_range(options, seed):
    score = draw(seed, options)
    assert 1 <= len(score.instruments) <= options.max_instruments
    assert len(set(score.instruments)) == len(score.instruments)
    for channel_track, position in zip(score.midi.tracks[1:], score.instruments, strict=True):
        instrument = options.instruments[position]
        starts: dict[int, int] = {}
        first, now = None, 0
        for message in channel_track:
            now += message.time
            if message.type == "program_change":
                assert message.program == instrument.program
            if message.type == "note_on":
                first = now if first is None else first
                assert instrument.low <= message.note <= instrument.high
                assert options.velocity[0] <= message.velocity <= options.velocity[1]
                assert message.note not in starts, "a note starts while it sounds"
                starts[message.note] = now
            if message.type == "note_off":
                assert now > starts.pop(message.note)
        assert not starts, "a note never ends"
        assert now == options.ticks
        assert first is not None
        assert first <= options.ticks - 8, "the first note is as good as silent"


def test_instruments_are_drawn_uniformly():
    counts = np.bincount([len(draw(seed).instruments) for seed in range(900)], minlength=4)
    assert counts[0] == 0
    # Binomial(900, 1/3) has a deviation of 14.
    assert all(abs(count - 300) < 5 * 14.2 for count in counts[1:])
    shares = np.bincount(np.concatenate([draw(seed).instruments for seed in range(900)])) / 900
    np.testing.assert_allclose(shares, 2 / 3, atol=0.08)


def test_drum_channel_is_skipped():
    many = tuple(Instrument(name=str(i), program=i, low=60, high=60) for i in range(15))
    options = replace(OPTIONS, instruments=many, max_instruments=15)
    scores = [draw(seed, options) for seed in range(40)]
    channels = {message.channel for score in scores for _, message in score.events()}
    assert channels == set(range(16)) - {DRUM_CHANNEL}


def test_midi_file_says_the_same_to_mido_and_pretty_midi(tmp_path: Path):
    score = draw(3, replace(OPTIONS, max_instruments=3))
    score.save(tmp_path / "piece.mid")
    reread = mido.MidiFile(tmp_path / "piece.mid")
    assert [list(track) for track in reread.tracks] == [list(track) for track in score.midi.tracks]
    assert reread.length == pytest.approx(4.0)

    other = pretty_midi.PrettyMIDI(str(tmp_path / "piece.mid"))
    assert [part.program for part in other.instruments] == [
        OPTIONS.instruments[i].program for i in score.instruments
    ]
    ours = sorted(
        (round(time, 5), message.note, message.velocity)
        for time, message in score.events()
        if message.type == "note_on"
    )
    theirs = sorted(
        (round(note.start, 5), note.pitch, note.velocity) for part in other.instruments for note in part.notes
    )
    assert ours == theirs


def test_digest_tells_pieces_apart():
    assert draw(1).digest() == draw(1).digest()
    assert len({draw(seed).digest() for seed in range(200)}) == 200
    assert 0 <= draw(1).digest() < 2**64


def test_a_clip_that_fits_no_note_is_refused():
    with pytest.raises(UserError, match="longer clip"):
        replace(OPTIONS, clip_seconds=0.2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"max_instruments": 4}, "choose 1..3"),
        ({"max_instruments": 0}, "choose 1..3"),
        ({"velocity": (100, 50)}, "velocity"),
        ({"velocity": (0, 50)}, "velocity"),
        ({"gap": (-1.0, 1.0)}, "gap"),
        ({"length": (0.0, 1.0)}, "length"),
        ({"notes_per_instrument": 0}, "notes_per_instrument"),
        ({"instruments": (PIANO, PIANO, BASS)}, "same name"),
    ],
)
def test_options_out_of_range_are_refused(change, says):
    with pytest.raises(UserError, match=says):
        replace(OPTIONS, **change)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"program": 128}, "0..127"), ({"low": 70, "high": 60}, "low <= high"), ({"high": 128}, "low <= high")],
)
def test_impossible_instruments_are_refused(change, says):
    with pytest.raises(UserError, match=says):
        replace(PIANO, **change)
