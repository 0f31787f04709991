from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.datamodules.notes.note import FOLDS_OF_SPLITS, N_FOLDS, Note, by_pitch
from src.errors import UserError

NOTES = st.lists(
    st.builds(
        Note,
        name=st.text(max_size=3),
        instrument=st.sampled_from(["Flute", "Oboe", "Violin"]),
        pitch=st.integers(0, 127),
        dynamics=st.sampled_from(["pp", "mf", "ff"]),
        fold=st.just(0),
    ),
    max_size=120,
)
SEEDS = st.integers(0, 2**40)


@settings(max_examples=50)
@given(NOTES, SEEDS)
def test_a_pitch_of_an_instrument_lies_in_one_fold(notes, seed):
    divided = by_pitch(notes, seed)
    folds = defaultdict(set)
    for note in divided:
        folds[note.instrument, note.pitch].add(note.fold)
    assert all(len(found) == 1 for found in folds.values())
    plain = [(note.name, note.instrument, note.pitch, note.dynamics) for note in notes]
    assert [(note.name, note.instrument, note.pitch, note.dynamics) for note in divided] == plain


@settings(max_examples=50)
@given(NOTES, SEEDS)
def test_folds_of_each_instrument_have_as_many_pitches_but_for_one(notes, seed):
    folds = {(note.instrument, note.pitch): note.fold for note in by_pitch(notes, seed)}
    for instrument in {name for name, _ in folds}:
        sizes = Counter(fold for (name, _), fold in folds.items() if name == instrument)
        counts = [sizes[fold] for fold in range(N_FOLDS)]
        assert max(counts) - min(counts) <= 1


def scale(instruments=("Flute", "Oboe")):
    return [
        Note(name=f"{name} {pitch} {loud}", instrument=name, pitch=pitch, dynamics=loud, fold=0)
        for name in instruments
        for pitch in range(40, 80)
        for loud in ("pp", "ff")
    ]


def test_folds_depend_on_the_seed_only():
    notes = scale()
    divided = by_pitch(notes, 1)
    assert divided == by_pitch(notes, 1)
    assert by_pitch(notes[::-1], 1) == divided[::-1]
    assert by_pitch(notes, 2) != divided


def test_instruments_are_dealt_out_apart():
    folds = {note.name: note.fold for note in by_pitch(scale(), 1)}
    flute = [folds[f"Flute {pitch} pp"] for pitch in range(40, 80)]
    oboe = [folds[f"Oboe {pitch} pp"] for pitch in range(40, 80)]
    assert flute != oboe


def test_a_split_names_each_fold_once():
    split = {"train": [0, 1, 2], "val": [3], "test": [4]}
    assert FOLDS_OF_SPLITS("data.split", split) == {"train": (0, 1, 2), "val": (3,), "test": (4,)}
    assert FOLDS_OF_SPLITS("data.split", {"train": [0], "val": [1], "test": [2]})["test"] == (2,)


@pytest.mark.parametrize(
    ("split", "says"),
    [
        ({"train": [0], "val": [1]}, "split.test=None: choose a list"),
        ({"train": [0], "val": [1], "test": [2], "more": [3]}, "data.split.more: there is no such key"),
        ({"train": [0, 1], "val": [1], "test": [2]}, "one split only"),
        ({"train": [0, 0], "val": [1], "test": [2]}, "one split only"),
        ({"train": [0], "val": [1], "test": [5]}, "from 0 to 4"),
    ],
)
def test_an_impossible_split_is_refused(split, says):
    with pytest.raises(UserError, match=says):
        FOLDS_OF_SPLITS("data.split", split)
