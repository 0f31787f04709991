"""Metrics where a checkpoint may answer with any of its classes, and the data have only some of them.

An answer is chosen among all classes of the checkpoint; one that the data do not have is wrong (compare Scheirer et
al., 'Toward open set recognition', 2013). To be told which classes there are is worth something, so what the checkpoint
would answer then is measured beside it, as `<metric>_of_judged`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from src.commands.other_classes import ClassMap
from src.metrics.item_groups import Groups
from src.metrics.kinds import KINDS
from src.metrics.measuring import Measured, measure

OPEN = {
    "multilabel": (
        "top_1",
        "top_n_recall",
        "top_n_exact",
        "label_ranking_average_precision",
        "subset_accuracy",
        "f1_micro",
        "precision_micro",
        "recall_micro",
        "right_of_n",
        "top_n_recall_by_class",
        "label_confusion",
    ),
    "multiclass": (
        "accuracy",
        "f1_micro",
        "precision_micro",
        "recall_micro",
        "f1_by_class",
        "precision_by_class",
        "recall_by_class",
        "confusion",
    ),
}
"""Metrics and tables of all classes of the checkpoint; others are means over the judged classes."""

_MACRO = ("f1_macro", "precision_macro", "recall_macro")


def measure_open(
    target: str,
    mapping: ClassMap,
    classes: Sequence[str],
    outputs: Tensor,
    truth: Tensor,
    threshold: float,
    groups: Groups,
) -> Measured:
    """Measure the items whose classes a checkpoint knows.

    Of labels, each class is answered by itself. So macro averages and the average precision are those of the judged
    classes, and a false answer of another class changes them only as far as the right one is missing. Where one class
    is answered for each item, an answer that is not judged counts as missed in the recall of the true class, and is no
    false answer of any judged class.

    Args:
        target: of the checkpoint, `multilabel` or `multiclass`.
        mapping: between the classes of the data and of the checkpoint, whose names are the judged classes.
        classes: of the checkpoint, C names.
        outputs: (n, C).
        truth: in the judged classes, (n, J) zeros and ones, or (n,) numbers.
        threshold: of the checkpoint.
        groups: of the n items.

    Returns:
        The metrics and intervals of answers among all classes, and those of answers among the judged classes as
        `<metric>_of_judged`; only the first where all classes are judged.
    """
    kind, columns = KINDS[target], list(mapping.columns)
    closed = measure(kind, mapping.outputs(outputs), truth, threshold, mapping.names, groups=groups)
    if len(columns) == len(classes):
        return closed
    one_class = target == "multiclass"
    marks = torch.nn.functional.one_hot(truth.long(), len(columns)) if one_class else truth
    every = torch.zeros_like(outputs, dtype=marks.dtype)
    every[:, columns] = marks
    opened = measure(
        kind, outputs, every.argmax(1) if one_class else every, threshold, classes, groups=groups
    )
    kept, intervals = _only(opened.metrics, OPEN[target]), _only(opened.intervals, OPEN[target])
    if one_class:
        macro = _macro_of_answers(outputs, marks, columns, groups)
        kept, intervals = macro.metrics | kept, macro.intervals | intervals
    metrics = _beside(kept, closed.metrics)
    return Measured(
        {name: _of_rows(value, mapping.names) for name, value in metrics.items()},
        _beside(intervals, closed.intervals),
    )


def _macro_of_answers(outputs: Tensor, marks: Tensor, columns: list[int], groups: Groups) -> Measured:
    """Return the macro averages over the judged classes that occur or are answered, the best-scored class answered."""
    answers = torch.nn.functional.one_hot(outputs.argmax(1), outputs.shape[1])[:, columns]
    occur = (answers + marks).any(0)
    answers, marks = answers[:, occur].float(), marks[:, occur]
    names = [str(column) for column in range(marks.shape[1])]
    measured = measure(KINDS["multilabel"], answers, marks, 0.5, names, groups=groups)
    return Measured(_only(measured.metrics, _MACRO), _only(measured.intervals, _MACRO))


def _only(named: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name in names}


def _beside(opened: Mapping[str, Any], closed: Mapping[str, Any]) -> dict[str, Any]:
    """Return each metric of the open set followed by that of the judged classes; tables once."""
    both: dict[str, Any] = {}
    for name, value in closed.items():
        both[name] = opened.get(name, value)
        if name in opened and not isinstance(value, Mapping):
            both[f"{name}_of_judged"] = value
    return both


def _of_rows(value: Any, names: Sequence[str]) -> Any:
    """Return the rows of judged classes of a table by class; other values as they are."""
    if isinstance(value, Mapping) and set(names) <= set(value):
        return {name: value[name] for name in names}
    return value
