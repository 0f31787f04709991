"""The three splits of every data set, and checks of the options that they are drawn by."""

from collections.abc import Mapping, Sequence

from src.errors import UserError

SPLITS = ("train", "val", "test")


def checked_seed(seed: int | None) -> int | None:
    """Check the seed of a draw, which may be `None`.

    Raises:
        UserError: it is no whole number from 0.
    """
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise UserError(f"data.seed={seed}: choose a whole number from 0.")
    return seed


def checked_shares(split: Mapping[str, float], drawn: Sequence[str] = SPLITS[1:]) -> dict[str, float]:
    """Check the option `data.split`: shares of the splits that are drawn.

    Args:
        split: the option.
        drawn: the splits that need a share, among `val` and `test`.

    Raises:
        UserError: a share is missing or not above 0, or they leave nothing to train on.
    """
    numbers = [float(share) for share in split.values() if isinstance(share, int | float)]
    if sorted(split) != sorted(drawn) or len(numbers) != len(drawn) or min(numbers) <= 0 or sum(numbers) >= 1:
        wanted = ", ".join(f"{name}: share" for name in drawn)
        raise UserError(f"data.split={dict(split)}: give {{{wanted}}}, each > 0, together < 1.")
    return {name: float(split[name]) for name in drawn}
