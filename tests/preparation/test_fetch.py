import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from src.errors import UserError
from src.preparation.card import Card, fetch

CARD = Card(
    name="IRMAS", url="https://x.org", size="10 GB", licence="CC0", citation="", layout="wav", mirdata="irmas"
)


@pytest.fixture
def mirdata(monkeypatch):
    """A stand-in that writes a file, or fails halfway."""
    asked = []

    def initialize(name, data_home):
        def download(cleanup):
            asked.append((name, cleanup))
            (Path(data_home) / "1.wav").write_text("sound")
            if "broken" in data_home:
                raise ConnectionError("no route to host\nmore")

        return SimpleNamespace(download=download)

    monkeypatch.setitem(sys.modules, "mirdata", SimpleNamespace(initialize=initialize))
    return asked


def test_what_is_missing_is_downloaded_once(mirdata, tmp_path, capsys):
    fetch(CARD, tmp_path / "data" / "irmas")
    fetch(CARD, tmp_path / "data" / "irmas")
    assert mirdata == [("irmas", True)]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["irmas"]
    assert (tmp_path / "data" / "irmas" / "1.wav").read_text() == "sound"
    assert "10 GB" in capsys.readouterr().err


def test_a_download_that_fails_leaves_no_folder_of_that_name(mirdata, tmp_path):
    with pytest.raises(UserError, match=r"no route to host; try again, or get it from https://x\.org$"):
        fetch(CARD, tmp_path / "broken")
    assert not (tmp_path / "broken").exists()


def test_without_mirdata_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mirdata", None)
    with pytest.raises(
        UserError, match=r"pip install 'polysweep\[download\]', or get it from https://x\.org"
    ):
        fetch(CARD, tmp_path / "gone")


def test_nothing_is_done_without_a_loader_or_a_folder(mirdata, tmp_path):
    fetch(CARD, None)
    fetch(Card(name="x", url="", size="", licence="", citation="", layout=""), tmp_path / "gone")
    assert mirdata == []
    assert list(tmp_path.iterdir()) == []
