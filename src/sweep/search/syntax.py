"""From Hydra's parsed overrides to a search space, in Hydra's own grammar.

`a,b` and `choice(a,b)`; `range(1,8)`, without its end; `shuffle(…)`, the same values, since a search has its own order;
`interval(1e-4,1e-1)`, `tag(log,interval(…))`, `int(interval(1,8))`, `tag(log,int(interval(1,128)))`, with both ends.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override

from src.errors import UserError
from src.sweep.search.space import Axis, Choice, Interval, Space

LOG = "log"


def with_params(arguments: Sequence[str], params: Mapping[str, Any] | None) -> list[str]:
    """Return the arguments with those of `hydra.sweeper.params` before them; what is typed takes their place.

    Args:
        arguments: of the command line.
        params: by key, a value in the grammar of the command line.
    """
    typed = {argument.partition("=")[0].lstrip("+") for argument in arguments}
    further = [f"{key}={value}" for key, value in (params or {}).items() if key.lstrip("+") not in typed]
    return [*further, *arguments]


def read_space(overrides: Sequence[Override]) -> Space:
    """Return the search space of overrides; of those with the same key the last one counts.

    Raises:
        UserError: an interval has no numbers in it, or a tag no effect.
    """
    last = {override.get_key_element(): override for override in overrides}
    axes = {key: _axis(override) for key, override in last.items() if override.is_sweep_override()}
    fixed = [_fixed(override) for key, override in last.items() if key not in axes]
    return Space(tuple(axes.values()), tuple(fixed), tuple(last))


def refuse_intervals(overrides: Sequence[Override]) -> None:
    """Refuse intervals where all combinations are to be run.

    Raises:
        UserError: there is one.
    """
    for override in overrides:
        if override.is_interval_sweep():
            raise UserError(
                f"{override.input_line}: an interval has no end of values; add search=random n_trials=20 "
                "to draw from it, or list values with commas."
            )


def _fixed(override: Override) -> str:
    if override.is_delete():
        return str(override.input_line)
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _axis(override: Override) -> Axis:
    values: Any = override.value()
    tags = set(getattr(values, "tags", ()))
    if unknown := tags - {LOG}:
        raise UserError(f"{override.input_line}: there is no tag {min(unknown)}; the only one is log.")
    if isinstance(values, IntervalSweep):
        return _interval(override, values, log=LOG in tags)
    if tags:
        raise UserError(f"{override.input_line}: tag(log,…) is for an interval(…); leave it out.")
    if getattr(values, "shuffle", False):
        override = replace(override, _value=replace(values, shuffle=False))
    texts = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not texts:
        raise UserError(f"{override.input_line}: there is no value in it; give one or more.")
    return Choice(override.get_key_element(), texts, ordered=override.is_range_sweep())


def _interval(override: Override, values: IntervalSweep, *, log: bool) -> Interval:
    low, high, typed = values.start, values.end, override.input_line
    assert low is not None
    assert high is not None
    if not math.isfinite(float(high) - float(low)):
        raise UserError(f"{typed}: its ends must be finite numbers.")
    if low >= high:
        raise UserError(f"{typed}: the interval is upside down or empty; give the smaller end first.")
    if log and low <= 0:
        raise UserError(f"{typed}: factors never reach zero; begin above it, or leave tag(log,…) out.")
    return Interval(override.get_key_element(), low, high, log, isinstance(low, int))
