from functools import partial

import pytest
import torch

from src.errors import UserError
from src.models.optimization import configure


def groups() -> list[tuple[list[torch.nn.Parameter], float]]:
    return [([torch.nn.Parameter(torch.ones(2))], 1.0)]


def make_sgd(of: object) -> torch.optim.Optimizer:
    return torch.optim.SGD(of, lr=0.1)  # type: ignore[arg-type]


def test_no_scheduler() -> None:
    configured = configure(make_sgd, {"_target_": None}, groups(), training_steps=10, monitor="val/f1_macro")
    assert set(configured) == {"optimizer"}


def test_training_steps_are_filled_in() -> None:
    options = {
        "_target_": torch.optim.lr_scheduler.CosineAnnealingLR,
        "interval": "step",
        "T_max": "training_steps",
        "eta_min": 0.0,
    }
    configured = configure(make_sgd, options, groups(), training_steps=10, monitor="val/f1_macro")
    scheduler = configured["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(10):
        configured["optimizer"].step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    assert rates[4] == pytest.approx(0.05)
    assert rates[9] == pytest.approx(0.0, abs=1e-9)
    assert configured["lr_scheduler"]["interval"] == "step"


@pytest.mark.parametrize(("metric", "mode"), [("f1_macro", "max"), ("loss", "min")])
def test_a_plateau_is_seen_in_the_objective_in_its_direction(metric: str, mode: str) -> None:
    options = {
        "_target_": torch.optim.lr_scheduler.ReduceLROnPlateau,
        "interval": "epoch",
        "monitor": "objective",
        "factor": 0.5,
        "patience": 0,
    }
    configured = configure(make_sgd, options, groups(), training_steps=10, monitor=f"val/{metric}")
    assert configured["lr_scheduler"]["monitor"] == f"val/{metric}"
    scheduler = configured["lr_scheduler"]["scheduler"]
    assert scheduler.mode == mode
    better, worse = (0.9, 0.1) if mode == "max" else (0.1, 0.9)
    scheduler.step(worse)
    scheduler.step(better)
    assert scheduler.get_last_lr() == [0.1]
    scheduler.step(worse)
    assert scheduler.get_last_lr() == [0.05]


def test_too_few_steps_for_a_scheduler_are_named():
    with pytest.raises(UserError, match="10 steps"):
        configure(
            partial(torch.optim.Adam, lr=0.1),
            {
                "_target_": torch.optim.lr_scheduler.OneCycleLR,
                "interval": "step",
                "max_lr": 0.1,
                "total_steps": "training_steps",
                "pct_start": 0.1,
            },
            groups(),
            training_steps=10,
            monitor="val/nll",
        )
