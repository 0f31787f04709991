"""`mode=test` on other data, such as recordings: a mapping of names says which classes a checkpoint knows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from src.datamodules.base import DataModule
from src.errors import UserError
from src.tasks.base import Trained


@dataclass(frozen=True)
class ClassMap:
    """Which classes of a data set are which of a checkpoint.

    Args:
        columns: of the checkpoint's outputs, those that the data have.
        names: of these.
        of_data: for each class of the data its position in `columns`, or -1.
    """

    columns: tuple[int, ...]
    names: tuple[str, ...]
    of_data: tuple[int, ...]

    def outputs(self, outputs: Tensor) -> Tensor:
        """From a checkpoint's outputs (N, C) to those of the classes that the data have."""
        return outputs[:, list(self.columns)]

    def targets(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Translate targets.

        Args:
            targets: (N,) numbers of classes, or (N, K) zeros and ones.

        Returns:
            (N, len(columns)), uint8, and which items have one of these classes and no other, bool (N,).
        """
        marks = (
            targets if targets.ndim == 2 else torch.nn.functional.one_hot(targets.long(), len(self.of_data))
        )
        translated = torch.zeros(len(marks), len(self.columns), dtype=torch.uint8)
        for number, position in enumerate(self.of_data):
            if position >= 0:
                translated[:, position] |= marks[:, number].to(torch.uint8)
        unknown = marks[:, [position < 0 for position in self.of_data]].sum(1) > 0
        return translated, (translated.sum(1) > 0) & ~unknown


def class_map(names: Mapping[str, str], of_data: Sequence[str], of_checkpoint: Sequence[str]) -> ClassMap:
    """Read a mapping.

    Args:
        names: from names in data sets to the checkpoint's.
        of_data: the classes of the data.
        of_checkpoint: the classes of the checkpoint.

    Raises:
        UserError: it leads to a class that the checkpoint does not have, or to fewer than two.
    """
    unknown = [known for known in names.values() if known not in of_checkpoint]
    if unknown:
        raise UserError(
            f"class_map: the checkpoint has no class {unknown[0]}; it has {', '.join(of_checkpoint)}"
        )
    plain = {_plain(name): of_checkpoint.index(known) for name, known in names.items()}
    plain |= {_plain(name): number for number, name in enumerate(of_checkpoint) if _plain(name) not in plain}
    found = [plain.get(_plain(name), -1) for name in of_data]
    columns = tuple(sorted({column for column in found if column >= 0}))
    if len(columns) < 2:
        raise UserError(
            f"class_map: of the data's classes {', '.join(of_data)} the checkpoint knows {len(columns)}; add names "
            "to the mapping (conf/class_map), two at least"
        )
    positions = tuple(columns.index(column) if column >= 0 else -1 for column in found)
    return ClassMap(columns, tuple(of_checkpoint[column] for column in columns), positions)


def as_trained(config: Mapping[str, Any], trained: Trained) -> dict[str, Any]:
    """Give the data's options with the features and the length of clips that a checkpoint was trained on.

    Raises:
        UserError: the data set has no such features.
    """
    own, data = trained.config["data"], dict(config["data"])
    kept = [key for key in ("features", "clip_seconds") if key in own]
    if missing := [key for key in kept if key not in data]:
        raise UserError(
            f"data.{missing[0]} is no option of this data set; choose one of sounds, such as data=tinysol"
        )
    return data | {key: own[key] for key in kept}


def check_alike(trained: Trained, data: DataModule) -> None:
    """Refuse data and checkpoints without classes, and data that a checkpoint's network cannot take.

    Raises:
        UserError: one of those.
    """
    for what, target in ((trained.path, trained.description["target"]), (f"data {data.name}", data.target)):
        if target not in ("multilabel", "multiclass"):
            raise UserError(f"class_map: {what} has no classes of sounds, but {target}")
    takes, has = trained.description["item_shape"], list(data.item_shape)
    if takes != has:
        raise UserError(
            f"class_map: {trained.path} takes items (channels, rows, frames) of {takes}, data {data.name} has {has}; "
            "where only the channels differ, give data.channels"
        )


def known_items(
    mapping: ClassMap, data: DataModule, outputs: Tensor, targets: Tensor, *, one_class: bool
) -> tuple[Tensor, Tensor]:
    """Give outputs and targets of the items that a checkpoint knows.

    Args:
        mapping: of the data's classes.
        data: where they are from.
        outputs: the checkpoint's, (N, C).
        targets: the data's, (N,) or (N, K).
        one_class: the checkpoint gives one class an item: targets become (N,), items of several are left out.

    Raises:
        UserError: there are none.
    """
    translated, known = mapping.targets(targets)
    if one_class:
        known &= translated.sum(1) == 1
    if not bool(known.any()):
        raise UserError(f"{data.name}: no item of the test part has only classes that class_map names")
    truth = translated.argmax(1) if one_class else translated
    return mapping.outputs(outputs)[known], truth[known]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", str(name)).strip().lower()
