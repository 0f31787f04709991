import pandas as pd
import pytest
from matplotlib.image import imread

from src.sweep.ranking import Ranking
from src.sweep.rows import Row
from src.sweep.tuning_curves import tuning_curves, write_tuning_curves

RANKING = Ranking("val_f1_macro", "max")


def row(optimizer, lr, value):
    swept = {"optimizer": optimizer, "optimizer.lr": lr} if optimizer else {"optimizer.lr": lr}
    return Row("trial", lr, swept, values={"val_f1_macro": {1: value}, "f1_macro": {1: value - 0.1}})


def rows(*optimizers):
    return [
        row(name, lr, 0.5 + number / 10) for name in optimizers for number, lr in enumerate(("1", "2", "3"))
    ]


def test_each_optimizer_has_a_curve():
    points = tuning_curves(rows("adam", "sgd"), RANKING)
    assert list(points["curve"].unique()) == ["adam", "sgd"]
    adam = points[points["curve"] == "adam"]
    assert list(adam["n"]) == [1, 2, 3]
    assert adam["expected"].iloc[0] == pytest.approx(0.5), "one configuration tried: the mean of all"
    assert adam["expected"].is_monotonic_increasing
    assert ((adam["low"] <= adam["expected"]) & (adam["expected"] <= adam["high"])).all()


def test_without_optimizers_there_is_one_curve():
    assert list(tuning_curves(rows(None), RANKING)["curve"].unique()) == ["all"]


def test_two_configurations_have_no_curve(tmp_path):
    write_tuning_curves(rows("adam")[:2], RANKING, tmp_path)
    assert not list(tmp_path.iterdir())


def test_curves_are_written_and_drawn(tmp_path):
    write_tuning_curves(rows("adam", "sgd"), RANKING, tmp_path)
    assert len(pd.read_csv(tmp_path / "tuning_curves.csv")) == 6
    assert imread(tmp_path / "tuning_curves.png").std() > 0.05
