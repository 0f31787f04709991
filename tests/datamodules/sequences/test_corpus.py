import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.audio.roll import Grid
from src.audio.score_files import count_parts, musicxml
from src.datamodules.rolls.chorale_scores import ChoraleMaker, chorale_files
from src.datamodules.sequences.corpus import GENRES, corpus_folder, draw_pieces, tunes_of
from src.errors import UserError
from src.splitting.tunes import soprano

ALL = 10_000


@pytest.fixture(scope="module")
def pieces():
    """All pieces by genre, sorted."""
    folder = corpus_folder()
    return {
        genre: sorted(draw_pieces(folder, genre, ALL, 1), key=lambda p: (p.path, p.tune)) for genre in GENRES
    }


def groups(pieces, pattern):
    return {piece.group for piece in pieces if re.search(pattern, piece.path)}


def test_each_genre_has_forty_pieces_of_ten_works_or_more(pieces):
    for genre, of_genre in pieces.items():
        assert len(of_genre) > 40, genre
        assert len({piece.group for piece in of_genre}) > 10, genre
        assert len({(piece.path, piece.tune) for piece in of_genre}) == len(of_genre), genre
        assert all((corpus_folder() / piece.path).is_file() for piece in of_genre), genre


def test_no_piece_is_of_two_genres(pieces):
    counts = Counter((piece.path, piece.tune) for of_genre in pieces.values() for piece in of_genre)
    assert max(counts.values()) == 1


def test_a_draw_is_the_beginning_of_a_greater_one():
    folder = corpus_folder()
    for genre in ("masses", "fiddle_tunes", "chinese_songs"):
        few, more = draw_pieces(folder, genre, 5, 1), draw_pieces(folder, genre, 20, 1)
        assert few == more[:5]
        assert draw_pieces(folder, genre, 5, 2) != few


def test_chorales_are_the_four_part_pieces(pieces):
    assert {Path(piece.path).name for piece in pieces["chorales"]} == {
        file.name for file in chorale_files() if file.suffix == ".mxl"
    }
    assert count_parts(musicxml(corpus_folder() / pieces["chorales"][0].path)) == 4


@pytest.mark.parametrize("name", ["bwv66.6", "bwv101.7", "bwv245.37", "bwv270"])
def test_the_tune_is_that_of_the_parsed_score(name):
    path = corpus_folder() / "bach" / f"{name}.mxl"
    assert soprano(musicxml(path)) == ChoraleMaker(Grid(unit="beats", rate=4))(str(path)).group


def test_movements_of_a_mass_are_a_group(pieces):
    assert groups(pieces["masses"], r"/Agnus\.krn") == {"Missa De Beata Marie Virginis (I)"}
    assert {piece.beat for piece in pieces["masses"]} == {2}
    titles = Counter(piece.group for piece in pieces["masses"])
    assert len(titles) > 90
    assert max(titles.values()) < 30


def test_movements_of_a_quartet_are_a_group(pieces):
    assert groups(pieces["quartets"], "^haydn/opus1no1/") == {"haydn opus1no1"}
    assert groups(pieces["quartets"], "^beethoven/opus74") == {"beethoven opus74"}
    assert not groups(pieces["quartets"], "k545")  # a piano sonata


def test_versions_of_a_piece_are_a_group(pieces):
    trecento = pieces["trecento"]
    assert groups(trecento, "Di_Novo") == {"di novo"}
    assert groups(trecento, "Summe.Clementissime") == {"kyrie summe clementissime"}
    assert not groups(trecento, "_bak")
    assert not groups(pieces["madrigals"], "_old")


def test_songs_of_one_title_are_a_group(pieces):
    songs = pieces["german_songs"]
    assert songs[0].group == "das hildebrandslied"
    assert max(Counter(song.group for song in songs).values()) > 10


@given(st.lists(st.text("abc|:\n T2", max_size=20), max_size=5), st.text("abc\n%", max_size=10))
def test_tunes_begin_with_their_number(tmp_path_factory, bodies, head):
    texts = [f"X:{number}\n{body}\n" for number, body in enumerate(bodies)]
    file = tmp_path_factory.mktemp("tunes") / "a.abc"
    file.write_text(f"{head}\n{''.join(texts)}", encoding="utf-8")
    assert tunes_of(file) == texts


def test_a_missing_music21_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install music21"):
        corpus_folder()


def test_variants_of_a_chorale_tune_are_one_group(pieces):
    group = {Path(piece.path).stem: piece.group for piece in pieces["chorales"]}
    for one, other in (
        ("bwv256", "bwv258"),
        ("bwv45.7", "bwv398"),
        ("bwv310", "bwv414"),
        ("bwv155.5", "bwv117.4"),
    ):
        assert group[one] == group[other]
    sizes = Counter(group.values())
    assert len(sizes) > 150
    assert max(sizes.values()) < 40
