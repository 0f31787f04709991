"""Whether a Gaussian process proposes as well from 250 of 500 trials as from all of them.

    python benchmarks/fewer_for_gp.py [--known 500] [--further 10] [--searches 10]

Searches of a function over 3 optimizers, 2 losses and two intervals, with ripples and noise, go on from trials at
random points, with all known trials and with those that `src.sweep.search.samplers.fewer` chooses. Printed is the least
value (without noise) of the further proposals, their mean, and the difference of the two ways with its standard error
over the searches, which begin from the same trials.
"""

import argparse
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from asking import space
from numpy.typing import NDArray

from src.sweep.search import study as of_study
from src.sweep.search.record import Outcome, Record
from src.sweep.search.samplers import fewer
from src.sweep.search.space import Choice, Point, Space
from src.sweep.search.study import Study

NOISE = 0.01

Choose = Callable[[Sequence[Record]], list[Record]]


def value(axes: Space, point: Point) -> float:
    """Return what is minimised: each optimizer has its best elsewhere."""
    shares = [axis.share(point[axis.key]) for axis in axes.axes if not isinstance(axis, Choice)]
    first, second = (axis.texts.index(point[axis.key]) for axis in axes.axes if isinstance(axis, Choice))
    bowl = sum((share - 0.3 - 0.2 * first) ** 2 for share in shares)
    return bowl + 0.05 * first + 0.03 * second + 0.03 * math.sin(20 * shares[0]) * math.sin(15 * shares[1])


def proposed(choose: Choose, axes: Space, known: int, further: int, seed: int) -> list[float]:
    """Return the values of further proposals."""
    of_study.fewer = choose
    rng = np.random.default_rng(seed)
    study = Study(axes.axes, lambda *_: True, "gp", seed)
    found: list[float] = []
    for number in range(known + further):
        if number < known:
            point = {axis.key: axis.at(share) for axis, share in zip(axes.axes, rng.random(4), strict=True)}
        else:
            point = study.ask(number, 0)
            found.append(value(axes, point))
        loss = value(axes, point) + NOISE * float(rng.standard_normal())
        study.add(Record(point, Outcome.MEASURED, loss, number=number))
    return found


def told(values: NDArray[np.float64]) -> str:
    """Return mean and standard error."""
    return f"{values.mean():.4f} ± {values.std(ddof=1) / math.sqrt(len(values)):.4f}"


def main() -> None:
    """Search, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--known", type=int, default=500)
    parser.add_argument("--further", type=int, default=10)
    parser.add_argument("--searches", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    axes, size = space(), (options.known, options.further)
    ways: dict[str, Choose] = {"all": list, "fewer": fewer}
    found = {
        name: np.array([proposed(choose, axes, *size, seed) for seed in range(options.searches)])
        for name, choose in ways.items()
    }
    for what, of in (("least", np.min), ("mean", np.mean)):
        everything, some = of(found["all"], axis=1), of(found["fewer"], axis=1)
        print(f"{what:6} all {told(everything)}, fewer {told(some)}, difference {told(some - everything)}")


if __name__ == "__main__":
    main()
