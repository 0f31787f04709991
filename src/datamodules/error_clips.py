"""Clips in which a class is missed, to be heard: one for each class."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

_LONGEST_NAME = 180  # characters; file systems end at 255

WriteClip = Callable[[int, Path], None]
"""Writes a test clip, by its number, to files that begin with a path."""


def write_error_clips(
    folder: Path, write: WriteClip, classes: Sequence[str], outputs: Tensor, targets: Tensor, threshold: float
) -> list[Path]:
    """Write for each class the test clip that has it and in which its probability is least, if that is a miss.

    Args:
        folder: where to; it is made. Names say what is missed and what is answered instead:
            `missed_violin_answered_trumpet+piano_test00012.wav`.
        write: writes a clip.
        classes: their names.
        outputs: (N, C), probabilities.
        targets: (N, C), 0 or 1.
        threshold: what is above it is answered.

    Returns:
        What the names of the files begin with.
    """
    stems = []
    for number, name in enumerate(classes):
        having = targets[:, number].nonzero()[:, 0]
        if not len(having):
            continue
        clip = int(having[outputs[having, number].argmin()])
        if outputs[clip, number] > threshold:
            continue
        wrong = ((outputs[clip] > threshold) & (targets[clip] == 0)).nonzero()[:, 0].tolist()
        answered = "+".join(classes[other] for other in wrong) or "nothing"
        folder.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^\w+]", "-", f"missed_{name}_answered_{answered}")[:_LONGEST_NAME]
        stems.append(folder / f"{plain}_test{clip:05d}")
        write(clip, stems[-1])
    return stems
