import zipfile
from collections import Counter

import numpy as np
import pytest

from src.audio.roll import Grid
from src.datamodules.rolls import chorale_scores
from src.datamodules.rolls.chorale_scores import ChoraleMaker, chorale_files
from src.datamodules.rolls.chorales import Chorales
from src.errors import UserError

GRID = Grid(unit="beats", rate=4)
NAMES = ("C", "D", "E", "F", "G", "A", "B")


def note(pitch: str, quavers: int, *marks: str) -> str:
    length = "" if "<grace/>" in marks else f"<duration>{quavers}</duration>"
    ties = "".join(f'<tie type="{kind}"/>' for kind in ("stop", "start") if kind in marks)
    grace = "<grace/>" if "<grace/>" in marks else ""
    place = f"<pitch><step>{pitch[0]}</step><octave>{pitch[1:]}</octave></pitch>"
    return f"<note>{grace}{place}{length}{ties}<voice>1</voice></note>"


def write_score(path, parts: list[list[list[str]]]) -> None:
    """Write parts of measures of notes, two divisions a crotchet, four crotchets a measure."""
    heads = "".join(
        f'<score-part id="P{n}"><part-name>{n}</part-name></score-part>' for n in range(len(parts))
    )
    start = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    bodies = ""
    for n, measures in enumerate(parts):
        inside = "".join(
            f'<measure number="{m + 1}">{start if m == 0 else ""}{"".join(notes)}</measure>'
            for m, notes in enumerate(measures)
        )
        bodies += f'<part id="P{n}">{inside}</part>'
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1">'
        f"<part-list>{heads}</part-list>{bodies}</score-partwise>"
    )


@pytest.fixture
def score(tmp_path):
    """A chorale of two measures: a tie over the bar line, a repeated note, a grace note, a long bass."""
    soprano = [
        [note("C5", 2), note("C5", 2), note("G5", 0, "<grace/>"), note("D5", 2), note("E5", 2, "start")],
        [note("E5", 2, "stop"), note("F5", 1), note("E5", 1), note("D5", 4)],
    ]
    alto = [[note("G4", 4), note("G4", 4)], [note("A4", 8)]]
    tenor = [[note("E4", 8)], [note("F4", 8)]]
    bass = [[note("C3", 8, "start")], [note("C3", 8, "stop")]]
    write_score(tmp_path / "bwv0.xml", [soprano, alto, tenor, bass])
    return tmp_path / "bwv0.xml"


def test_roll_of_a_score_by_hand(score):
    piece = ChoraleMaker(GRID)(str(score))
    expected = np.zeros((32, 84), bool)
    for first, last, midi in [
        (0, 8, 72), (8, 12, 74), (12, 20, 76), (20, 22, 77), (22, 24, 76), (24, 32, 74),
        (0, 16, 67), (16, 32, 69), (0, 16, 64), (16, 32, 65), (0, 32, 48),
    ]:  # fmt: skip
        expected[first:last, midi - 24] = True
    np.testing.assert_array_equal(piece.sounding, expected)
    onsets = [(step, key + 24) for step, key in np.argwhere(piece.onsets)]
    struck = {
        72: (0, 4),
        74: (8, 24),
        76: (12, 22),
        77: (20,),
        67: (0, 8),
        69: (16,),
        64: (0,),
        65: (16,),
        48: (0,),
    }
    assert onsets == sorted((step, midi) for midi, steps in struck.items() for step in steps)


def test_tune_is_told_by_the_soprano_without_repeated_notes(score):
    assert ChoraleMaker(GRID)(str(score)).group == "+2 +2 +1 -1 -2"


def test_settings_of_one_tune_share_a_title_whatever_their_sopranos_begin_with():
    titles = [chorale_scores.titles_of(name) for name in ("bwv227.7", "bwv64.8", "bwv87.7")]
    assert titles == [("jesumeinefreude",)] * 3
    assert chorale_scores.titles_of("bwv0") == ()


def test_a_title_is_found_whatever_follows_the_hyphen():
    assert chorale_scores.titles_of("bwv248.42-s") == ("hilfherrjesulassgelingen",)


def test_a_piece_has_its_titles_and_runs_of_melody_as_keys(tmp_path):
    scale = [note(f"{step}{octave}", 2) for octave in (4, 5) for step in NAMES]
    write_score(tmp_path / "bwv227.7.xml", [[scale], *[[[note("C4", 28)]]] * 3])
    piece = ChoraleMaker(GRID)(str(tmp_path / "bwv227.7.xml"))
    assert piece.keys == ("jesumeinefreude", "2 2 1 2 2 2 1 2 2 1 2 2", "2 1 2 2 2 1 2 2 1 2 2 2")


def test_a_score_of_other_parts_is_refused(tmp_path):
    write_score(tmp_path / "bwv1.xml", [[[note("C5", 8)]]] * 3)
    with pytest.raises(UserError, match=r"bwv1\.xml has 3 parts"):
        ChoraleMaker(GRID)(str(tmp_path / "bwv1.xml"))


def test_an_unreadable_score_is_refused(tmp_path):
    (tmp_path / "bwv1.xml").write_text("<score-partwise")
    with pytest.raises(UserError, match=r"bwv1\.xml"):
        ChoraleMaker(GRID)(str(tmp_path / "bwv1.xml"))


def test_corpus_has_some_350_chorales_of_four_parts():
    files = chorale_files()
    assert 340 <= len(files) <= 380
    assert len({file.stem for file in files}) == len(files)
    assert all(file.name.startswith("bwv") for file in files)


def durations_in_xml(path) -> Counter:
    """Sum of the lengths of each pitch's notes over all parts, in crotchets, straight from the XML."""
    from xml.etree import ElementTree

    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith("xml") and not n.startswith("META-INF"))
        root = ElementTree.fromstring(archive.read(name))
    totals: Counter = Counter()
    for part in root.iter("part"):
        divisions = 1
        for element in part.iter():
            if element.tag == "divisions":
                divisions = int(element.text)
            if element.tag == "note" and element.find("pitch") is not None and element.find("grace") is None:
                pitch = element.find("pitch")
                step = [0, 2, 4, 5, 7, 9, 11][NAMES.index(pitch.findtext("step"))]
                midi = (
                    step + int(float(pitch.findtext("alter", "0"))) + 12 * (int(pitch.findtext("octave")) + 1)
                )
                totals[midi] += int(element.findtext("duration")) / divisions
    return totals


@pytest.mark.parametrize("name", ["bwv66.6", "bwv101.7", "bwv270"])
def test_notes_of_a_chorale_last_as_long_as_its_xml_says(name):
    path = next(file for file in chorale_files() if file.stem == name)
    parts = [chorale_scores._notes_of(part) for part in chorale_scores._parse(path)]
    found: Counter = Counter()
    for start, end, pitch in (note for part in parts for note in part):
        found[pitch] += (end - start) / chorale_scores.TICKS_PER_BEAT
    assert found == pytest.approx(durations_in_xml(path))


def options(folder, **changes):
    defaults = {
        "cache_dir": folder / "cache",
        "batch_size": 2,
        "shuffle_seed": 1,
        "seed": 1,
        "split": {"val": 0.25, "test": 0.25},
        "lowest_note": 24,
        "n_notes": 84,
        "grid": "beats",
        "rate": 4,
        "short_notes": "keep",
        "n_steps": 16,
        "crop": None,
        "onsets": False,
        "workers": 1,
    }
    return {**defaults, **changes}


def test_chorales_become_rolls_of_four_voices(tmp_path, monkeypatch):
    few = chorale_files()[:6]
    monkeypatch.setattr("src.datamodules.rolls.chorales.chorale_files", lambda: few)
    data = Chorales(**options(tmp_path))
    data.check()
    data.prepare_data()
    data.setup("fit")
    assert sum(data.n_items.values()) == 6
    columns, lengths = data.arrays("train")
    assert all(length % 4 == 0 for length in lengths)
    assert 3.5 < columns.sum(axis=1).mean() <= 4


def test_settings_of_one_tune_are_one_group(tmp_path, monkeypatch):
    names = ("bwv227.7", "bwv64.8", "bwv87.7", "bwv269", "bwv347")
    few = [path for path in chorale_files() if path.stem in names]
    monkeypatch.setattr("src.datamodules.rolls.chorales.chorale_files", lambda: few)
    data = Chorales(**options(tmp_path))
    data.prepare_data()
    pieces = data.store.open().pieces
    groups = {piece["name"]: piece["group"] for piece in pieces}
    assert len({groups[name] for name in names[:3]}) == 1
    assert len(set(groups.values())) == 3


def test_seconds_are_refused(tmp_path):
    with pytest.raises(UserError, match="choose beats"):
        Chorales(**options(tmp_path, grid="seconds"))


def test_a_missing_music21_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install music21"):
        Chorales(**options(tmp_path)).check()
