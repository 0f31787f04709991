"""fANOVA: how much of a random forest's variance over a space is one key's alone, and how much a pair's.

F. Hutter, H. Hoos and K. Leyton-Brown, 'An Efficient Approach for Assessing Hyperparameter Importance', ICML 2014. The
decomposition of each tree is exact: a tree is constant on boxes, and the space a product. It differs from Optuna's
`FanovaImportanceEvaluator` where that leaves the space: that gives choices a one-hot code, whose combinations no trial
can have, and weighs an axis by factors as if it went by differences. On axes of plain numbers the two agree.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_TREES = 64
"""As many as Optuna's evaluator has by default."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Forest:
    """What a forest says of its space.

    Attributes:
        single: share 0..1 of the variance that each axis explains alone, by its column.
        paired: share 0..1 that each two axes explain together, beyond what each does alone; by both columns.
        explained: share of the variance of the objective that trees explain of trials they were not fitted to (R² out
            of the bag); not above 0 where they have learned nothing.
    """

    single: Mapping[int, float]
    paired: Mapping[tuple[int, int], float]
    explained: float


def fit(x: Floats, y: Floats, places: Sequence[Floats], *, n_trees: int = N_TREES) -> Forest | None:
    """Fit a forest, and decompose its variance.

    Args:
        x: (trials, axes), where each trial lies.
        y: (trials,), its objective.
        places: of each axis the positions that make up the space; all count alike.
        n_trees: of the forest.

    Returns:
        `None` where the objective does not vary.
    """
    from sklearn.ensemble import RandomForestRegressor

    y = _standardized(y)
    if not y.any():
        return None
    forest = RandomForestRegressor(n_trees, oob_score=True, random_state=0).fit(x, y)
    trees = [shares for tree in forest.estimators_ if (shares := tree_shares(tree.tree_, places)) is not None]
    if not trees:
        return None
    names = list(trees[0])
    means = dict(zip(names, np.mean([list(tree.values()) for tree in trees], 0).tolist(), strict=True))
    single = {name[0]: value for name, value in means.items() if len(name) == 1}
    paired = {(name[0], name[1]): value for name, value in means.items() if len(name) == 2}
    return Forest(single, paired, float(forest.oob_score_))


def tree_shares(tree: Any, places: Sequence[Floats]) -> dict[tuple[int, ...], float] | None:
    """Return the share of a tree's variance over the space that one axis, or two beyond each alone, explain.

    Args:
        tree: the `tree_` of a regression tree of scikit-learn.
        places: of each axis the positions that make up the space.

    Returns:
        By one or two columns; `None` where the tree is constant over the space.
    """
    inside, values = _boxes(tree, places)
    widths = np.stack(
        [each.mean(1) for each in inside]
    )  # (axes, leaves), the share of each axis that a leaf covers
    volumes = widths.prod(0)
    values = values - values @ volumes
    total = float(np.square(values) @ volumes)
    if total < 1e-12:  # of an objective of variance 1
        return None
    variances: dict[tuple[int, ...], float] = {}
    for (axis,) in itertools.combinations(range(len(places)), 1):
        marginal = (values * np.delete(widths, axis, 0).prod(0)) @ inside[axis]
        variances[axis,] = float(np.square(marginal).mean())
    for one, other in itertools.combinations(range(len(places)), 2):
        others = values * np.delete(widths, (one, other), 0).prod(0)
        marginal = (inside[one] * others[:, None]).T @ inside[other]
        both = float(np.square(marginal).mean())
        variances[one, other] = both - variances[one,] - variances[other,]
    return {name: float(np.clip(variance / total, 0, 1)) for name, variance in variances.items()}


def _boxes(tree: Any, places: Sequence[Floats]) -> tuple[list[Floats], Floats]:
    """Return which places lie within each leaf, (leaves, places) for each axis as 0 or 1, and the leaves' values."""
    bounds = np.empty((tree.node_count, len(places), 2))
    bounds[0] = -np.inf, np.inf
    for node in np.flatnonzero(tree.feature >= 0):  # parents have lower numbers than their children
        axis, threshold = tree.feature[node], tree.threshold[node]
        for child, end in ((tree.children_left[node], 1), (tree.children_right[node], 0)):
            bounds[child] = bounds[node]
            bounds[child, axis, end] = threshold
    leaves = np.flatnonzero(tree.feature < 0)
    inside = [
        ((bounds[leaves, axis, :1] < each) & (each <= bounds[leaves, axis, 1:])).astype(np.float64)
        for axis, each in enumerate(places)
    ]
    return inside, tree.value[leaves].reshape(-1)


def _standardized(y: Floats) -> Floats:
    """Return the objective with mean 0 and variance 1; all 0 where it is equal but for rounding."""
    largest = np.abs(y).max()
    if np.ptp(y / (largest or 1.0)) < 1e-12:
        return np.zeros_like(y)
    scaled = y / largest
    return np.asarray((scaled - scaled.mean()) / scaled.std())
