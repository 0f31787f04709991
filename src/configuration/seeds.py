"""`seeds=k`, short for `seed=1,2,…,k`, and what a race asks of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Override

from src.configuration.settings import RootOptions
from src.errors import UserError

FEWEST = 3
"""Seeds of a race: two are the first that tell anything, and without a third none would be saved."""


def seeds_of(config: Mapping[str, Any], overrides: Sequence[Override]) -> str | None:
    """Return the value of `seed` that `seeds=k` stands for, such as `1,2,3`; `None` without it.

    Args:
        config: that the sweep reads.
        overrides: of the sweep.

    Raises:
        UserError: a value is out of range, or does not go with the others.
    """
    keys = ("mode", "seed", "outputs", "search", "seeds", "race")
    found = RootOptions.read({key: config[key] for key in keys if key in config})
    _check_race(found)
    if found.seeds is None:
        return None
    if found.search != "grid":
        raise UserError(
            f"seeds={found.seeds} is for search=grid; a search runs its best configurations again with fresh seeds, "
            "as many as confirm=3 says: leave seeds out."
        )
    for override in overrides:
        if override.get_key_element() == "seed" and override.is_sweep_override():
            raise UserError(
                f"seeds={found.seeds}: {override.input_line} names the seeds; leave one of the two out."
            )
    return ",".join(str(found.seed + number) for number in range(found.seeds))


def _check_race(found: RootOptions) -> None:
    if found.race and found.search != "grid":
        raise UserError(
            "race=true is for search=grid; a search runs its best configurations again with fresh seeds, as many as "
            "confirm=3 says: leave race out."
        )
    if found.race and found.seeds is None:
        raise UserError(f"race=true: add seeds=5, the most seeds of a configuration, at least {FEWEST}.")
    if found.race and (found.seeds or 0) < FEWEST:
        raise UserError(f"seeds={found.seeds}: a race needs {FEWEST} seeds or more; or leave race=true out.")
