"""Pruners by their names on the command line."""

from src.sweep.search.pruners.asha import Asha
from src.sweep.search.pruners.base import Pruner
from src.sweep.search.pruners.first_epoch import FirstEpoch
from src.sweep.search.pruners.hyperband import Hyperband
from src.sweep.search.pruners.median import Median


def pruner(name: str, min_epochs: int, reduction_factor: int) -> Pruner | None:
    """Return a pruner, `None` for `none`.

    Args:
        name: `none`, `median`, `asha`, `hyperband` or `first_epoch`.
        min_epochs: that each trial has done before it may be stopped.
        reduction_factor: of `asha` and `hyperband`.
    """
    match name:
        case "median":
            return Median(min_epochs)
        case "asha":
            return Asha(min_epochs, reduction_factor)
        case "hyperband":
            return Hyperband(min_epochs, reduction_factor)
        case "first_epoch":
            return FirstEpoch(min_epochs)
    return None
