"""`thresholds=`: how a test chooses the thresholds above which a label counts as present."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from src.errors import UserError
from src.metrics.threshold import Threshold, pcut, scut
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
    chosen: str, trained: Sequence[Trained], val: Tensor, val_targets: Any, test: Tensor, names: Sequence[str]
) -> tuple[Threshold, Threshold]:
    """Return the thresholds for the outputs on validation and on test.

    For a single checkpoint, `single` is the threshold that it carries, unless it was trained on an overfitted batch.

    Args:
        chosen: `single`, `scut` or `pcut`, see `src.metrics.threshold`.
        trained: the checkpoints.
        val: outputs (N, C) on validation.
        val_targets: the targets of validation, in the form of the checkpoints' kind.
        test: outputs (M, C) on the test split; only `pcut` uses them.
        names: the C names.

    Returns:
        Two thresholds; by class they are (C,).
    """
    if chosen == "pcut":
        shares = val_targets.float().mean(0)
        return pcut(val, shares), pcut(test, shares)
    if chosen == "scut":
        by_class = scut(val, val_targets)
        return by_class, by_class
    assert chosen == "single"
    first = trained[0]
    own = len(trained) == 1 and not first.config.get("overfit_batches")
    single = float(first.learner.threshold) if own else first.learner.kind.tune(val, val_targets, names)
    return single, single
