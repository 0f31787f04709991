"""Options that several networks have; `src.options.checks` holds arguments to them."""

from collections.abc import Sequence
from typing import Annotated

from src.rules import each, flag, number, whole

Count = Annotated[int, whole(1)]
"""A width, or a number of rows or frames."""

Counts = Annotated[Sequence[int], each(whole(1))]
"""One width for each layer or stage."""

MOST_LAYERS = 64
"""In one network or stage; they are built one by one, in time that their number alone decides."""

Layers = Annotated[int, whole(1, MOST_LAYERS)]
"""A number of equal layers."""

MOST_DILATED = 16
"""Blocks each of which is twice as dilated as the one before; the last looks back 2^16 steps and more."""

Dropout = Annotated[float, number(0, 1, below=True)]
"""The share of the features that is dropped in training."""

Flag = Annotated[bool, flag]
