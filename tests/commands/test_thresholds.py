"""Where a test's thresholds come from, and where there are none to choose."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from src.commands.thresholds import check_thresholds, thresholds_of
from src.errors import UserError
from src.metrics.kinds import KINDS
from src.metrics.threshold import cross_fitted, pcut, scut, tune_threshold

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
    return thresholds_of(how, members, (VAL, MARKS, np.arange(20)), TEST, NAMES)


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
    assert chosen("single", trained())[1] == pytest.approx(0.123)
    assert chosen("single", trained(), trained())[1] == own
    assert chosen("single", trained(overfit_batches=2))[1] == own


def test_validation_is_measured_at_thresholds_of_its_other_half() -> None:
    for members in ((trained(),), (trained(), trained())):
        on_val, _ = chosen("single", *members)
        assert torch.equal(on_val, cross_fitted(tune_threshold, VAL, MARKS, np.arange(20)))
    one_group = thresholds_of("single", (trained(),), (VAL, MARKS, np.zeros(20, np.int64)), TEST, NAMES)
    assert one_group == pytest.approx((0.123, 0.123))


def test_scut_is_tuned_on_validation_alone_and_pcut_looks_at_each_split() -> None:
    on_val, on_test = chosen("scut", trained())
    assert torch.equal(on_test, scut(VAL, MARKS))
    assert torch.equal(on_val, cross_fitted(scut, VAL, MARKS, np.arange(20)))
    on_val, on_test = chosen("pcut", trained())
    shares = MARKS.float().mean(0)
    assert torch.equal(on_val, pcut(VAL, shares))
    assert torch.equal(on_test, pcut(TEST, shares))
