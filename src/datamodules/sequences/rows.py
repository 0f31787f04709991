"""The rows of a feature file, 128 of mel and then 12 of chroma, and which of them `data.features` chooses."""

from src.audio.music_features import N_CHROMA, N_MELS
from src.errors import UserError

N_ROWS = N_MELS + N_CHROMA

ROWS = {"mel": slice(0, N_MELS), "chroma": slice(N_MELS, N_ROWS), "fused": slice(0, N_ROWS)}
"""The rows of each choice of `data.features`."""

MAX_FRAMES = {False: 1293, True: 129}
"""Number of frames kept of a clip of 30 s, as published, by whether frames are beats."""


def rows(features: str) -> slice:
    """Return the rows that a value of `data.features` chooses.

    Raises:
        UserError: the value is unknown.
    """
    if not isinstance(features, str) or features not in ROWS:
        raise UserError(f"data.features={features}: choose {', '.join(ROWS)}")
    return ROWS[features]
