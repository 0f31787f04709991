"""Where a test's thresholds come from, and where there are none to choose."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from src.commands.thresholds import check_thresholds, thresholds_of
from src.errors import UserError
from src.metrics.kinds import KINDS
from src.metrics.threshold import pcut, scut, tune_threshold

NAMES = ("piano", "violin")
GENERATOR = torch.Generator().manual_seed(0)
VAL, TEST = torch.rand(20, 2, generator=GENERATOR), torch.rand(12, 2, generator=GENERATOR)
MARKS = (VAL + 0.3 * torch.rand(20, 2, generator=GENERATOR) > 0.6).int()


def trained(target: str = "multilabel", threshold: float = 0.123, **config: Any) -> Any:
    learner = SimpleNamespace(threshold=torch.tensor(threshold), kind=KINDS[target])
    return SimpleNamespace(
        description={"target": target}, path=Path("best.ckpt"), learner=learner, config=config
    )


def chosen(how: str, *members: Any) -> Any:
    return thresholds_of(how, members, VAL, MARKS, TEST, NAMES)


@pytest.mark.parametrize("how", ["scut", "pcut"])
def test_thresholds_by_class_want_several_labels_and_validation(how: str) -> None:
    with pytest.raises(
        UserError, match=rf"thresholds={how} is for items that carry several labels, but best\.ckpt has"
    ):
        check_thresholds(how, trained("multiclass"), other_classes=False)
    with pytest.raises(UserError, match=rf"thresholds={how} needs the validation split"):
        check_thresholds(how, trained(), other_classes=True)


def test_a_single_checkpoint_carries_its_threshold_and_several_are_tuned_anew() -> None:
    own = tune_threshold(VAL, MARKS)
    assert chosen("single", trained()) == pytest.approx((0.123, 0.123))
    assert chosen("single", trained(), trained()) == (own, own)
    assert chosen("single", trained(overfit_batches=2)) == (own, own)


def test_scut_is_tuned_on_validation_alone_and_pcut_looks_at_each_part() -> None:
    for found in chosen("scut", trained()):
        assert torch.equal(found, scut(VAL, MARKS))
    on_val, on_test = chosen("pcut", trained())
    shares = MARKS.float().mean(0)
    assert torch.equal(on_val, pcut(VAL, shares))
    assert torch.equal(on_test, pcut(TEST, shares))
