"""`mode=test class_map=…`: a checkpoint is tested on a data set whose classes have other names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.datamodules.base import DataModule
from src.errors import UserError
from src.tasks.base import Trained


@dataclass(frozen=True)
class ClassMap:
    """Which classes of a data set correspond to which of a checkpoint.

    Args:
        columns: the columns of the checkpoint's outputs whose classes the data have.
        names: the names of these classes.
        positions: for each class of the data its position in `columns`; -1 if the checkpoint does not know it.
    """

    columns: tuple[int, ...]
    names: tuple[str, ...]
    positions: tuple[int, ...]

    def outputs(self, outputs: Tensor) -> Tensor:
        """Return the columns of a checkpoint's outputs (N, C) whose classes the data have, (N, len(columns))."""
        return outputs[:, list(self.columns)]

    def targets(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Translate targets of the data to the classes of `columns`.

        Args:
            targets: (N,) class numbers, or (N, K) zeros and ones.

        Returns:
            The translated targets, (N, len(columns)), uint8; and which items have at least one of these classes and
            no other class, bool (N,).
        """
        marks = (
            targets if targets.ndim == 2 else torch.nn.functional.one_hot(targets.long(), len(self.positions))
        )
        translated = torch.zeros(len(marks), len(self.columns), dtype=torch.uint8)
        for number, position in enumerate(self.positions):
            if position >= 0:
                translated[:, position] |= marks[:, number].to(torch.uint8)
        unknown = marks[:, [position < 0 for position in self.positions]].sum(1) > 0
        return translated, (translated.sum(1) > 0) & ~unknown


def class_map(names: Mapping[str, str], of_data: Sequence[str], of_checkpoint: Sequence[str]) -> ClassMap:
    """Match the classes of a data set with those of a checkpoint.

    Args:
        names: by the name of a class in data sets, its name in the checkpoint; equal names need no entry.
        of_data: the classes of the data.
        of_checkpoint: the classes of the checkpoint.

    Raises:
        UserError: a name is none of the checkpoint's, or fewer than two classes match.
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
            f"class_map: of the data's classes {', '.join(of_data)} the checkpoint knows {len(columns)}, and a "
            "test needs two; add names to the mapping (conf/mode/test/class_map)"
        )
    positions = tuple(columns.index(column) if column >= 0 else -1 for column in found)
    return ClassMap(columns, tuple(of_checkpoint[column] for column in columns), positions)


def with_trained_features(config: Mapping[str, Any], trained: Trained) -> dict[str, Any]:
    """Return the options of the data with the features and the length of clips that a checkpoint was trained on.

    Raises:
        UserError: the data set has no such features.
    """
    own, data = trained.config["data"], dict(config["data"])
    kept = [key for key in ("features", "clip_seconds") if key in own]
    if missing := [key for key in kept if key not in data]:
        raise UserError(
            f"data.{missing[0]} is no option of this data set, so it has no sounds; choose one with sounds, such as "
            "data=tinysol"
        )
    return data | {key: own[key] for key in kept}


def check_compatible(trained: Trained, data: DataModule) -> None:
    """Refuse data or a checkpoint without classes of sounds, and data of a shape that the network cannot take.

    Raises:
        UserError: the message says which of them it is.
    """
    for subject, target in (
        (trained.path, trained.description["target"]),
        (f"data {data.name}", data.target),
    ):
        if target not in ("multilabel", "multiclass"):
            raise UserError(f"class_map: {subject} has no classes of sounds, but {target} targets")
    takes, has = trained.description["item_shape"], list(data.item_shape)
    if takes != has:
        raise UserError(
            f"class_map: {trained.path} takes items of {takes} (channels, rows, frames), but data {data.name} has "
            f"{has}; if only the channels differ, set data.channels"
        )


def known_items(
    mapping: ClassMap, data: DataModule, outputs: Tensor, targets: Tensor, *, one_class: bool
) -> tuple[Tensor, Tensor, np.ndarray]:
    """Return outputs, targets and groups of the items whose classes a checkpoint knows, all of them.

    Args:
        mapping: between the classes of the data and of the checkpoint.
        data: the data set of the items.
        outputs: the checkpoint's, (N, C).
        targets: the data's, (N,) or (N, K).
        one_class: whether the checkpoint answers one class for each item: targets become (n,), and items of several
            classes are left out.

    Returns:
        Outputs (n, C) and, in the classes of the mapping's columns, targets (n, len(columns)) or (n,), and the groups
        of the n items.

    Raises:
        UserError: there is no such item.
    """
    translated, known = mapping.targets(targets)
    if one_class:
        known &= translated.sum(1) == 1
    if not bool(known.any()):
        raise UserError(
            f"{data.name}: no item of the test split has only classes that the checkpoint knows; add names to class_map"
        )
    truth = translated.argmax(1) if one_class else translated
    return outputs[known], truth[known], data.groups("test")[known.numpy()]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", str(name)).strip().lower()
