"""PED-ANOVA: how much the best trials differ from all trials in a key's values.

S. Watanabe, A. Bansal and F. Hutter, 'PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces', IJCAI 2023, by Optuna's `PedAnovaImportanceEvaluator`, which takes keys that only some trials have as its
authors' conditional PED-ANOVA does. Only the order of the trials counts, so that one very bad trial decides nothing.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from src.sweep.importance.scales import Scale

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

BEST = 0.1
"""Share of the trials that are the best ones, as in the paper."""

LEAST_BEST = 5
"""So many are the best at least, as Optuna's documentation advises."""


def ped_anova(
    points: Sequence[Mapping[str, str]], losses: Sequence[float], scales: Mapping[str, Scale]
) -> dict[str, float]:
    """Return the importance of each key, as its share 0..1 of the sum; empty where no trials are better than others.

    Args:
        points: of the trials, by key the value as typed, without the keys that a trial does not have.
        losses: of the trials, less is better.
        scales: of all keys.
    """
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental to leave shares as they are
        study = optuna.create_study()
        study.add_trials([_trial(point, loss, scales) for point, loss in zip(points, losses, strict=True)])
        evaluator = PedAnovaImportanceEvaluator(target_quantile=max(BEST, LEAST_BEST / len(points)))
        found = get_param_importances(study, evaluator=evaluator, normalize=False)
    total = sum(found.values())
    return {key: value / total for key, value in found.items()} if total > 0 else {}


def _trial(point: Mapping[str, str], loss: float, scales: Mapping[str, Scale]) -> Any:
    from optuna.trial import create_trial

    return create_trial(
        value=loss,
        params={key: _value(scales[key], text) for key, text in point.items()},
        distributions={key: _distribution(scales[key]) for key in point},
    )


def _distribution(scale: Scale) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if scale.kind == "interval":
        return FloatDistribution(0, 1)
    last = int(max(scale.positions.values()))
    return IntDistribution(0, last) if scale.kind == "steps" else CategoricalDistribution(range(last + 1))


def _value(scale: Scale, text: str) -> float | int:
    position = scale.positions[text]
    return position if scale.kind == "interval" else int(position)
