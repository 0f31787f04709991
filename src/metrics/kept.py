"""`predictions.npz`: what a trial answered, so that its metrics can be computed again on a part of the items."""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.fingerprint import replacing
from src.jackknife import Jackknife
from src.metrics.compact import items_hash
from src.metrics.item_groups import Groups, dealt, numbered, weights_without
from src.metrics.kinds import KINDS
from src.metrics.weighted import measure_of

FILE = "predictions.npz"

BLOCKS = 100
"""The most blocks that groups of items are dealt to."""

_JACKKNIVES = "jackknives"

UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)
"""What a missing, damaged or foreign file raises."""


class Answered(NamedTuple):
    """The answers to a split.

    Attributes:
        outputs: (N, C), probabilities or predictions; of rolls (F, C), of all frames.
        targets: of the N items, in the form of their kind.
        groups: of the N items.
    """

    outputs: Tensor
    targets: Any
    groups: Groups


def write_kept(
    path: Path, kind: str, splits: Mapping[str, Answered], threshold: float, names: Sequence[str], metric: str
) -> None:
    """Write the answers atomically; about 80 kB for 1,600 items of 12 classes.

    Args:
        path: of the file.
        kind: of the targets, a key of `KINDS`.
        splits: by name.
        threshold: of decisions.
        names: of the C columns.
        metric: whose jackknife is written, too, since leaderboards ask many trials for that of their objective.
    """
    arrays: dict[str, NDArray[Any]] = {
        "kind": np.array(kind),
        "names": np.array(list(names)),
        "threshold": np.array(threshold, np.float32),
    }
    jackknives: dict[str, Any] = {"metric": metric}
    for split, (outputs, targets, groups) in splits.items():
        kept = KINDS[kind].compact(outputs, targets, threshold, names) | {"groups": groups}
        arrays |= {f"{split}_{name}": array for name, array in kept.items()}
        found = _jackknife(kind, names, float(arrays["threshold"]), kept, metric, BLOCKS)
        if found is not None:
            jackknives[split] = found._replace(without=found.without.tolist())._asdict()
    arrays[_JACKKNIVES] = np.array(json.dumps(jackknives))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_jackknife(path: Path, metric: str, blocks: int = BLOCKS, split: str = "test") -> Jackknife | None:
    """Return a metric of kept answers, once for all items and once without each block of groups.

    Args:
        path: of the file.
        metric: its name.
        blocks: the most blocks; where there are more groups, they are dealt to so many.
        split: `val` or `test`.

    Returns:
        `None` where there is no such file, the metric can't be computed from it, or a block would leave no item.
    """
    try:
        if blocks == BLOCKS and (found := _written_jackknife(path, metric, split)):
            return found
        kind, names, threshold, arrays = _read(path, split)
    except UNREADABLE:
        return None
    return _jackknife(kind, names, threshold, arrays, metric, blocks)


def _written_jackknife(path: Path, metric: str, split: str) -> Jackknife | None:
    with np.load(path, allow_pickle=False) as kept:
        written = json.loads(str(kept[_JACKKNIVES])) if _JACKKNIVES in kept.files else {}
    if written.get("metric") != metric or split not in written:
        return None
    found = Jackknife(**written[split])
    return found._replace(without=np.array(found.without))


def _jackknife(
    kind: str,
    names: Sequence[str],
    threshold: float,
    kept: Mapping[str, NDArray[Any]],
    metric: str,
    blocks: int,
) -> Jackknife | None:
    groups = kept["groups"]
    arrays = {name: array for name, array in kept.items() if name != "groups"}
    measure = measure_of(KINDS[kind].kept(arrays, threshold, names), metric)
    numbers, n_groups = numbered(groups)
    blocks = min(blocks, n_groups)
    if measure is None or blocks < 2:
        return None
    parts = list(weights_without(numbers, dealt(n_groups, blocks), blocks))
    weights = torch.cat([torch.ones(len(numbers), 1), *parts], dim=1)
    if not weights.any(0).all():
        return None
    value, *without = measure(weights)[metric].double().tolist()
    return Jackknife(value, np.array(without), items_hash(arrays, groups))


def _read(path: Path, split: str) -> tuple[str, list[str], float, dict[str, NDArray[Any]]]:
    """Return the kind of targets, the names of the columns, the threshold and the arrays of a split."""
    prefix = f"{split}_"
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name.removeprefix(prefix): kept[name] for name in kept.files if name.startswith(prefix)}
        kind, names, threshold = str(kept["kind"]), kept["names"].tolist(), float(kept["threshold"])
    if kind not in KINDS or "groups" not in arrays:
        raise ValueError(f"{path} has no {split} items of a known kind")
    return kind, names, threshold, arrays
