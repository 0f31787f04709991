"""Generates and measures the music of a finished trial on piano rolls."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.generation.composing import compose
from src.generation.judging import judge
from src.generation.options import Generation
from src.generation.roll_data import RollData
from src.generation.writing import write_pieces
from src.messages import dispensable
from src.models.learner import Learner

WRITTEN = 3
"""Pieces that are written to files; all are measured."""


def music_of_trial(
    learner: Learner, data: RollData, options: Mapping[str, Any], seed: int, samples: Path
) -> dict[str, Any]:
    """Generate pieces, write a few of them where that is possible, and measure all.

    Args:
        learner: trained.
        data: set up.
        options: of `Generation`.
        seed: of the draws; the held-out pieces to continue are the same for all seeds.
        samples: folder for the files.

    Returns:
        See `src.generation.judging.judge`.
    """
    generation = Generation(**options)
    pieces = compose([learner], data, generation, seed, choice=0)
    with dispensable(f"{samples}/piece_…"):
        write_pieces(pieces[:WRITTEN], samples, data, generation)
    return judge(pieces, data, generation)
