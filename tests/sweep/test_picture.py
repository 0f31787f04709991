from src.sweep.leaderboard import leaderboard
from src.sweep.picture import MOST_CHARACTERS, draw, shortened
from src.sweep.rows import Entry
from src.sweep.state import State


def test_long_names_are_shortened_in_the_middle():
    assert shortened("adam, bce") == "adam, bce"
    name = "lr=0.001, " * 20
    assert len(shortened(name)) == MOST_CHARACTERS
    assert shortened(name).startswith("lr=0.001")
    assert shortened(name).endswith("lr=0.001, ")


def test_rows_whose_names_are_alike_have_bars_of_their_own(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure))
    metrics = {"objective": {"name": "f1", "value": 0.5, "direction": "max"}, "test": {"f1": 0.4}, "time": {}}
    long = "x" * 100
    entries = [
        Entry({"data.root": f"{long}{number}{long}"}, State.FINISHED, metrics, f"runs/{number}")
        for number in range(3)
    ]
    draw(leaderboard(entries), tmp_path / "leaderboard.png")
    [axes] = drawn[0].axes
    assert sorted(bar.get_y() + bar.get_height() / 2 for bar in axes.patches) == [0, 1, 2]
    assert len({label.get_text() for label in axes.get_yticklabels()}) == 1
