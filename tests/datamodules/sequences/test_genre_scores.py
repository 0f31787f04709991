import numpy as np
import pretty_midi
import pytest
import soundfile

from src.audio.music_features import SAMPLE_RATE
from src.audio.soundfonts.installed import find_soundfont
from src.datamodules.sequences.corpus import GENRES
from src.errors import UserError
from src.splitting.assigning import with_drawn_splits
from tests.datamodules.sequences.feature_folders import built
from tests.datamodules.sequences.scores import write_parts, write_tune

TINY = {
    "genres": ["fiddle_tunes", "german_songs"],
    "clips_per_genre": 6,
    "clip_seconds": 1.0,
    "split": {"val": 0.25, "test": 0.25},
}


@pytest.fixture
def genre_scores(tmp_path):
    def make(cache="cache", **changes):
        return built("genre_scores", tmp_path / cache, **{**TINY, **changes})

    return make


@pytest.fixture
def own_corpus(tmp_path, monkeypatch):
    """A corpus of eight tunes and four pieces of two parts."""
    corpus = tmp_path / "corpus"
    for number in range(8):
        write_tune(
            corpus / "ryansMammoth" / f"Tune{number}.abc", "CDEF"[number % 4] + "EGc" + "d" * (number + 1)
        )
    for number, name in enumerate(("Alpha", "Beta", "Gamma", "Delta")):
        parts = [[("C5", number + 1), ("D5", 1)], [("A3", number + 2)]]
        write_parts(corpus / "trecento" / f"PMFC_01-{name}.xml", parts)
    monkeypatch.setattr("src.datamodules.sequences.genre_scores.corpus_folder", lambda: corpus)
    return corpus


def test_scores_become_sequences_of_one_length(genre_scores):
    data = genre_scores()
    data.check()
    data.prepare_data()
    assert data.classes == ("fiddle_tunes", "german_songs")
    assert data.n_items == {"train": 6, "val": 3, "test": 3}
    features, targets, lengths = next(iter(data.val_dataloader()))
    assert features.shape == (3, 1, 140, 44)
    assert lengths.tolist() == [44] * 3
    assert targets.tolist() == [
        data.classes.index(i.labels[0]) for i in data.used_items() if i.split == "val"
    ]
    assert data.left_out() == []


def test_two_builds_give_the_same_bits(genre_scores):
    options = {"clips_per_genre": 3, "beat_sync": True, "split": {"val": 0.2, "test": 0.2}}
    one, other = genre_scores(**options), genre_scores("other", **options)
    for data in (one, other):
        data.prepare_data()
    assert one.signature == other.signature
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(one.arrays(split)[0], other.arrays(split)[0])


def test_a_genre_of_few_pieces_gives_several_clips_of_each(genre_scores, own_corpus):
    data = genre_scores(genres=["trecento", "fiddle_tunes"])
    data.prepare_data()
    paths = {genre: [item.path for item in data.items() if item.labels == (genre,)] for genre in data.classes}
    assert [len(of_genre) for of_genre in paths.values()] == [6, 6]
    assert sorted(path.rpartition(" ")[2] for path in paths["trecento"]) == ["1", "1", "1", "1", "2", "2"]
    assert len({path.rpartition(" ")[0] for path in paths["fiddle_tunes"]}) == 6
    sides = {(item.group, item.split) for item in data.used_items()}
    assert len(sides) == len({group for group, _ in sides}) <= 10
    assert sum(data.n_items.values()) == 12


def test_works_stay_on_one_side(genre_scores):
    """Whole genres are divided, without a note being read."""
    data = genre_scores(genres=list(GENRES), clips_per_genre=100)
    items = with_drawn_splits(data.items(), data.shares, 1)
    sides = {(item.group, item.split) for item in items}
    assert len(sides) == len({group for group, _ in sides})
    for split in ("train", "val", "test"):
        assert {item.labels[0] for item in items if item.split == split} == set(GENRES), split


def test_a_broken_score_is_left_out(genre_scores, own_corpus):
    (own_corpus / "trecento" / "PMFC_02-Broken.xml").write_text("<score-partwise")
    options = {"genres": ["trecento", "fiddle_tunes"], "clips_per_genre": 5}
    with pytest.raises(
        UserError, match=r"1 of 10 files cannot be used: trecento/PMFC_02-Broken\.xml clip 1 music21"
    ):
        genre_scores(**options).prepare_data()
    data = genre_scores(**options, max_bad=0.1)
    data.prepare_data()
    assert sum(data.n_items.values()) == 9
    assert [path for path, _ in data.left_out()] == ["trecento/PMFC_02-Broken.xml clip 1"]


def test_items_can_be_heard_and_read(genre_scores, own_corpus, tmp_path):
    data = genre_scores(genres=["trecento", "fiddle_tunes"])
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    sounds = sorted((tmp_path / "sheet").glob("*.wav"))
    assert len(sounds) >= 2
    for file in sounds:
        sound, rate = soundfile.read(file)
        assert (len(sound), rate) == (SAMPLE_RATE, SAMPLE_RATE)
        midi = pretty_midi.PrettyMIDI(str(file.with_suffix(".mid")))
        assert midi.instruments[0].notes
        assert midi.get_tempo_changes()[1].tolist() == pytest.approx([100])
        assert file.with_suffix(".png").exists()


def test_the_signature_needs_no_score_parsed(genre_scores, monkeypatch):
    def parse_score(*_):
        raise AssertionError("a score is parsed")

    monkeypatch.setattr("src.datamodules.sequences.score_maker.parse_score", parse_score)
    data = genre_scores(genres=list(GENRES), clips_per_genre=100)
    data.check()
    signatures = {
        data.signature,
        genre_scores().signature,
        genre_scores(bpm=90).signature,
        genre_scores(program=19).signature,
        genre_scores(seed=2).signature,
        genre_scores(clip_seconds=1.5).signature,
        genre_scores(clips_per_genre=7).signature,
        genre_scores(beat_sync=True).signature,
        genre_scores(features="mel").signature,
    }
    assert len(signatures) == 9


def test_features_and_split_cost_no_new_build(genre_scores):
    stores = {
        genre_scores(**changes).store.folder
        for changes in ({}, {"features": "mel"}, {"split": {"val": 0.1, "test": 0.1}})
    }
    assert len(stores) == 1


def test_the_soundfont_counts_by_its_content(genre_scores, tmp_path):
    copy = tmp_path / "copy.sf2"
    copy.write_bytes(find_soundfont("TimGM6mb").read_bytes())
    assert genre_scores(soundfont=str(copy)).signature == genre_scores().signature
    assert genre_scores(soundfont=str(copy)).resolved()["soundfont"] == str(copy)
    assert genre_scores().resolved()["soundfont"].endswith("TimGM6mb.sf2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"genres": ["chorales"]}, "data.genres="),
        ({"genres": ["chorales", "chorales"]}, "none twice"),
        ({"genres": ["chorales", "techno"]}, "of chorales, masses"),
        ({"clips_per_genre": 0}, "data.clips_per_genre=0"),
        ({"program": 128}, "data.program=128"),
        ({"bpm": 0}, "data.bpm=0"),
        ({"bpm": float("nan")}, "data.bpm=nan"),
        ({"clip_seconds": -1}, "data.clip_seconds=-1"),
        ({"soundfont": "nowhere"}, "soundfont nowhere is not installed"),
        ({"seed": -1}, "data.seed=-1"),
    ],
)
def test_what_cannot_be_is_refused(genre_scores, changes, message):
    with pytest.raises(UserError, match=message):
        genre_scores(**changes).check()


def test_a_missing_music21_is_said(genre_scores, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install music21"):
        genre_scores().check()


def test_a_missing_soundfont_is_fetched(genre_scores, monkeypatch):
    asked = []
    monkeypatch.setattr("src.datamodules.sequences.genre_scores.fetch_missing", asked.extend)
    genre_scores(soundfont="FluidR3_GM").fetch()
    assert asked == ["FluidR3_GM"]
