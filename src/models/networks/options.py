"""Options that several networks have; `src.options.checks` holds arguments to them."""

from collections.abc import Sequence
from typing import Annotated

from src.rules import each, flag, number, whole

Count = Annotated[int, whole(1)]
"""A width, or a number of layers, rows or frames."""

Counts = Annotated[Sequence[int], each(whole(1))]
"""One number for each layer or stage."""

Dropout = Annotated[float, number(0, 1, below=True)]
"""The share of the features that is dropped in training."""

Flag = Annotated[bool, flag]
