"""`thresholds=`: where a test takes the thresholds from above which a label is answered."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from src.errors import UserError
from src.metrics.threshold import Threshold, pcut, scut
from src.tasks.base import Trained


def check_thresholds(chosen: str, trained: Trained, *, other_classes: bool) -> None:
    """Refuse thresholds by class where there is nothing to choose them by.

    Args:
        chosen: `single`, `scut` or `pcut`.
        trained: the first of the checkpoints.
        other_classes: the data are another set, with the threshold that the checkpoint carries.

    Raises:
        UserError: items do not carry several labels, or other data are tested.
    """
    if chosen == "single":
        return
    if trained.description["target"] != "multilabel":
        raise UserError(
            f"thresholds={chosen} is for items that carry several labels, but {trained.path} gives "
            f"{trained.description['target']}; leave it out."
        )
    if other_classes:
        raise UserError(
            f"thresholds={chosen} needs the validation part, and with class_map only the test part is heard; leave one "
            "of them out."
        )


def thresholds_of(
    chosen: str, trained: Sequence[Trained], val: Tensor, val_targets: Any, test: Tensor, names: Sequence[str]
) -> tuple[Threshold, Threshold]:
    """Give what validation and test outputs are compared with.

    A single checkpoint's `single` is the one that it carries, unless it is that of an overfitted batch.

    Args:
        chosen: `single`, `scut` or `pcut`, see `src.metrics.threshold`.
        trained: the checkpoints.
        val: outputs (N, C) on validation.
        val_targets: its targets, of the checkpoints' kind.
        test: outputs (M, C) on the test part; only `pcut` looks at them.
        names: the C names.
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
