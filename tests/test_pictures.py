from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from src import pictures
from src.metrics.bootstrap import intervals as intervals_of
from src.metrics.kinds import KINDS
from src.metrics.multiclass import evaluate_multiclass
from src.metrics.regression import evaluate_regression
from src.pictures import draw_tables, learning_curves

GENRES = ("Blues", "Classical", "Electronic", "Folk", "Hip-Hop", "Jazz", "Metal", "Pop", "Rock", "Trip-Hop")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are made."""
    made: list[Figure] = []

    class Kept(Figure):
        def __init__(self, *args, **options) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(pictures, "Figure", Kept)
    return made


def classes_metrics(n_classes: int) -> dict:
    names = [*GENRES, *(f"other {number}" for number in range(40))][:n_classes]
    targets = torch.arange(8 * n_classes) % n_classes
    scores = torch.eye(n_classes)[targets] + 0.6 * torch.randn(len(targets), n_classes)
    return evaluate_multiclass(scores, targets, names)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("n_classes", [2, 10, 20, 40])
def test_the_tables_of_classes_become_pictures(tmp_path: Path, n_classes: int) -> None:
    draw_tables(classes_metrics(n_classes), tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {"confusion.png", "f1_by_class.png", "precision_recall_by_class.png"}
    for path in tmp_path.iterdir():
        picture = matplotlib.image.imread(path)
        assert min(picture.shape[:2]) > 100
        assert picture[..., :3].std() > 0.02


def test_a_confusion_has_counts_and_shares_of_the_rows(tmp_path: Path, figures: list[Figure]) -> None:
    counts = {"rock": {"rock": 6, "folk": 2}, "folk": {"rock": 0, "folk": 5}, "never": {"rock": 0, "folk": 0}}
    counts = {name: {**row, "never": 0} for name, row in counts.items()}
    pictures.confusion(counts, tmp_path / "confusion.png")
    axes = figures[0].axes[0]
    assert texts(figures[0]) == ["6\n75%", "2\n25%", "5\n100%"]
    assert [text.xy for text in axes.texts] == [(0, 0), (1, 0), (1, 1)]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true", "answered")


def test_precision_and_recall_stand_beside_each_other(tmp_path: Path, figures: list[Figure]) -> None:
    metrics = classes_metrics(3)
    tables = {name: metrics[f"{name}_by_class"] for name in ("precision", "recall")}
    pictures.precision_recall(tables, metrics["confusion"], tmp_path / "x.png")
    axes = figures[0].axes[0]
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths == [list(tables["precision"].values()), list(tables["recall"].values())]
    assert axes.get_yticklabels()[0].get_text() == "Blues (n = 8)"


def test_axes_are_drawn_with_their_intervals(tmp_path: Path, figures: list[Figure]) -> None:
    targets = torch.rand(60, 2)
    predictions = targets * torch.tensor([1.0, -1.0]) + 0.3 * torch.rand(60, 2)
    metrics = evaluate_regression(predictions, targets, ("valence", "energy"))
    measures = KINDS["regression"].weighted(predictions, targets, 0.5, ("valence", "energy"))
    intervals = intervals_of(measures, np.arange(60), resamples=50)
    draw_tables(metrics, tmp_path, intervals)
    assert {path.name for path in tmp_path.iterdir()} == {"spearman_by_axis.png"}
    axes = figures[0].axes[0]
    assert [tuple(line.get_xdata()) for line in axes.lines[:2]] == [
        intervals["spearman_by_axis/valence"],
        intervals["spearman_by_axis/energy"],
    ]
    assert [bar.get_width() for bar in axes.containers[0]] == list(metrics["spearman_by_axis"].values())


@pytest.mark.parametrize(
    ("losses", "scale"), [([2.0, 0.5], "linear"), ([2.0, 0.01], "log"), ([2.0, -0.1], "linear")]
)
def test_losses_over_decades_are_on_a_logarithmic_axis(
    tmp_path: Path, figures: list[Figure], losses: list[float], scale: str
) -> None:
    rows = [{"epoch": i, "train/loss": loss, "val/accuracy": 0.5} for i, loss in enumerate(losses)]
    learning_curves(rows, "val/accuracy", tmp_path / "curves.png", overfit=2)
    assert figures[0].axes[0].get_yscale() == scale
    assert figures[0].axes[0].get_title() == "loss of 2 batches, overfitted"


def test_only_what_overfits_says_so(tmp_path: Path, figures: list[Figure]) -> None:
    learning_curves([], "val/accuracy", tmp_path / "curves.png")
    learning_curves([], "val/accuracy", tmp_path / "curves.png", overfit=1)
    assert [figure.axes[0].get_title() for figure in figures] == ["loss", "loss of 1 batch, overfitted"]


def test_the_validations_of_an_epoch_stand_side_by_side(tmp_path: Path, figures: list[Figure]) -> None:
    rows = [{"epoch": epoch, "val/loss": 1.0, "val/accuracy": 0.5} for epoch in (0, 0, 2)]
    learning_curves(rows, "val/accuracy", tmp_path / "curves.png")
    assert [list(axes.lines[0].get_xdata()) for axes in figures[0].axes] == [[0.5, 1.0, 3.0]] * 2


def test_a_picture_that_cannot_be_drawn_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no fonts")

    monkeypatch.setattr("src.pictures.bars_by_class", fail)
    draw_tables({"f1_by_class": {"a": 0.5}, "spearman_by_axis": {"b": 0.5}}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["spearman_by_axis.png"]
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"{tmp_path}/f1_by_class.png is not written (RuntimeError: no fonts)"
