from hypothesis import given
from hypothesis import strategies as st

from src.splitting.groups import united
from src.splitting.tunes import RUN, intervals, links_of_variants, opening, soprano

LEAPS = st.lists(st.sampled_from([-3, -2, -1, 1, 2, 3]), min_size=14, max_size=30)


def test_a_tune_passes_over_grace_notes_chords_and_repeated_notes():
    def note(step, octave, *marks):
        return f"<note>{''.join(marks)}<pitch><step>{step}</step><octave>{octave}</octave></pitch></note>".encode()

    sharp = b"<note><pitch>\n<step>F</step>\n<alter>1</alter>\n<octave>4</octave>\n</pitch></note>"
    notes = [
        note("C", 4),
        note("C", 4),
        note("A", 4, "<grace/>"),
        sharp,
        note("B", 3, "<chord/>"),
        note("C", 5),
    ]
    rest = b"<note><rest/></note>"
    other = b'<part id="P2">' + note("G", 3) + b"</part>"
    assert soprano(b'<part id="P1">' + rest.join(notes) + b"</part>" + other) == "+6 +6"


def test_a_tune_after_an_upbeat_is_the_same():
    tune = [2, 2, 1, 2, 2, 2, 1, -1, -2, -2, -2, -1, -2, -2]
    variants = [tune, [5, *tune], [7, *tune[:5], -2, *tune[5:11]], [-1, *tune[2:]]]
    assert united(["a", "b", "c", "d"], links_of_variants(variants)) == ["a", "a", "c", "a"]


def test_short_tunes_are_variants_of_none():
    assert list(links_of_variants([[], [1], [1], [2] * (RUN - 1), [2] * (RUN - 1)])) == []


@given(st.lists(LEAPS, min_size=1, max_size=6), st.integers(0, 5))
def test_every_piece_is_with_those_that_share_a_run(tunes, copied):
    copied %= len(tunes)
    tunes = [*tunes, [9, *tunes[copied][:RUN]]]
    groups = united([str(number) for number in range(len(tunes))], links_of_variants(tunes))
    assert groups[-1] == groups[copied]
    assert len(groups) == len(tunes)


def test_a_tune_is_its_steps_without_repeated_notes():
    assert intervals([60, 60, 62, 62, 59]) == (2, -3)
    assert opening([2, -3, *[1] * 20]) == "+2 -3 +1 +1 +1 +1 +1 +1"
