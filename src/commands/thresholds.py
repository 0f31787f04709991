"""`thresholds=`: how a test chooses the thresholds above which a label counts as present."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from src.errors import UserError
from src.metrics.item_groups import Groups
from src.metrics.measuring import validation_threshold
from src.metrics.threshold import Threshold, cross_fitted, pcut, scut
from src.tasks.base import Trained


def check_thresholds(chosen: str, trained: Trained, *, other_classes: bool) -> None:
    """Refuse thresholds by class where they cannot be chosen.

    Args:
        chosen: `single`, `scut` or `pcut`.
        trained: the first of the checkpoints.
        other_classes: whether `class_map` is set: another data set is tested, with the checkpoint's own threshold.

    Raises:
        UserError: items do not carry several labels, or `class_map` is set.
    """
    if chosen == "single":
        return
    if trained.description["target"] != "multilabel":
        raise UserError(
            f"thresholds={chosen} is for items that carry several labels, but {trained.path} has "
            f"{trained.description['target']} targets; leave it out."
        )
    if other_classes:
        raise UserError(
            f"thresholds={chosen} needs the validation split, and with class_map only the test split is used; leave "
            "one of them out."
        )


def thresholds_of(
    chosen: str,
    trained: Sequence[Trained],
    validation: tuple[Tensor, Any, Groups],
    test: Tensor,
    names: Sequence[str],
) -> tuple[Threshold, Threshold]:
    """Return the thresholds for the outputs on validation and on test.

    For a single checkpoint, `single` is the threshold that it carries, unless it was trained on an overfitted batch. On
    validation, thresholds that were tuned there are cross-fitted over halves of its groups.

    Args:
        chosen: `single`, `scut` or `pcut`, see `src.metrics.threshold`.
        trained: the checkpoints.
        validation: outputs (N, C), targets in the form of the checkpoints' kind, and groups of the items.
        test: outputs (M, C) on the test split; only `pcut` uses them.
        names: the C names.
    """
    val, targets, groups = validation
    first = trained[0]
    if chosen == "pcut":
        shares = targets.float().mean(0)
        return pcut(val, shares), pcut(test, shares)
    if chosen == "scut":
        several = len(np.unique(groups)) > 1
        return cross_fitted(scut, val, targets, groups) if several else scut(val, targets), scut(val, targets)
    assert chosen == "single"
    own = len(trained) == 1 and not first.config.get("overfit_batches")
    kind = first.learner.kind
    single = float(first.learner.threshold) if own else kind.tune(val, targets, names)
    return validation_threshold(kind, val, targets, single, names, groups), single
