"""The options of a data set of rolls, checked."""

from collections.abc import Mapping

from src.errors import UserError


def at_least(option: str, value: int | None, least: int) -> int | None:
    """Check a length in columns or steps; `None` is no limit.

    Raises:
        UserError: it is no whole number from `least`.
    """
    if value is not None and (not isinstance(value, int) or value < least):
        raise UserError(
            f"data.{option}={value}: choose a whole number from {least}, or null for whole pieces."
        )
    return value


def checked_seed(seed: int | None) -> int | None:
    """Check the seed of a split; `None` where there is none.

    Raises:
        UserError: it is no whole number from 0.
    """
    if seed is not None and (not isinstance(seed, int) or seed < 0):
        raise UserError(f"data.seed={seed}: choose a whole number from 0.")
    return seed


def checked_shares(split: Mapping[str, float]) -> dict[str, float]:
    """Check the shares of `val` and `test`.

    Raises:
        UserError: one is missing or not above 0, or they leave nothing to train on.
    """
    shares = {name: split.get(name) for name in ("val", "test")}
    numbers = [float(share) for share in shares.values() if isinstance(share, int | float)]
    if set(split) != set(shares) or len(numbers) != 2 or not (min(numbers) > 0 and sum(numbers) < 1):
        raise UserError(
            f"data.split={dict(split)}: give {{val: share, test: share}}, each > 0, together < 1."
        )
    return dict(zip(shares, numbers, strict=True))
