"""The rows of a feature file: 128 of mel, then 12 of chroma, and the parts that are chosen of them."""

from src.audio.music_features import N_CHROMA, N_MELS
from src.errors import UserError

N_ROWS = N_MELS + N_CHROMA

ROWS = {"mel": slice(0, N_MELS), "chroma": slice(N_MELS, N_ROWS), "fused": slice(0, N_ROWS)}
"""The rows of each choice of `data.features`."""

MAX_FRAMES = {False: 1293, True: 129}
"""Frames that are kept of a clip, as published: of 30 s, and of its beats where features are beat-synchronous."""


def rows(features: str) -> slice:
    """Give the rows of a choice.

    Raises:
        UserError: there is no such choice.
    """
    if not isinstance(features, str) or features not in ROWS:
        raise UserError(f"data.features={features}: choose {', '.join(ROWS)}")
    return ROWS[features]
