"""Clips in which the model misses a class, one for each class, to listen to."""

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
    """Write for each class the clip that has it but gets the lowest probability for it, if the model misses it there.

    Args:
        folder: created if needed. File names say which class is missed and which are predicted instead:
            `missed_violin_answered_trumpet+piano_test00012.wav`.
        write: writes a clip.
        classes: their names.
        outputs: (N, C), probabilities.
        targets: (N, C), 0 or 1.
        threshold: a class with a higher probability is predicted.

    Returns:
        The paths of the written files, without suffixes.
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
        answered = "+".join(classes[label] for label in wrong) or "nothing"
        folder.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^\w+]", "-", f"missed_{name}_answered_{answered}")[:_LONGEST_NAME]
        stems.append(folder / f"{plain}_test{clip:05d}")
        write(clip, stems[-1])
    return stems
