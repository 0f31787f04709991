"""The three parts of every data set, and the options that say how they are drawn."""

from collections.abc import Mapping, Sequence

from src.errors import UserError

SPLITS = ("train", "val", "test")


def checked_seed(seed: int | None) -> int | None:
    """Check the seed of a split; `None` where there is none.

    Raises:
        UserError: it is no whole number from 0.
    """
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise UserError(f"data.seed={seed}: choose a whole number from 0.")
    return seed


def checked_shares(split: Mapping[str, float], parts: Sequence[str] = SPLITS[1:]) -> dict[str, float]:
    """Check the shares of the parts that are drawn.

    Args:
        split: the option.
        parts: its names, of `val` and `test`.

    Raises:
        UserError: a share is missing or not above 0, or they leave nothing to train on.
    """
    numbers = [float(share) for share in split.values() if isinstance(share, int | float)]
    if sorted(split) != sorted(parts) or len(numbers) != len(parts) or min(numbers) <= 0 or sum(numbers) >= 1:
        wanted = ", ".join(f"{part}: share" for part in parts)
        raise UserError(f"data.split={dict(split)}: give {{{wanted}}}, each > 0, together < 1.")
    return {part: float(split[part]) for part in parts}
