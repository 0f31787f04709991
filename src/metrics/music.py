"""Musical measures of piano rolls, and the distance of generated from held-out pieces in terms of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

Array = NDArray[Any]
Measures = dict[str, float]

MAJOR = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], dtype=bool)
MINOR = np.array([1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0], dtype=bool)
"""Natural minor."""

SCALES = np.stack([np.roll(scale, root) for scale in (MAJOR, MINOR) for root in range(12)])
"""(24, 12): the pitch classes of each key."""

DENSE = 2
"""Steps with more simultaneous pitches count for `polyphony_rate`."""


def measures(
    sounding: Array, onsets: Array | None, *, steps_per_beat: int | None, beats_per_bar: int = 4
) -> Measures:
    """Measure a piece.

    Definitions are those of muspy 0.5 (Dong et al., 'MusPy: A Toolkit for Symbolic Music Generation', 2020), and
    so are the values of a piece that ends with a note. None depends on the key that column 0 stands for.

    Args:
        sounding: (T, n_notes) bool; the piece ends at T, in silence or not.
        onsets: (T, n_notes) bool, where notes start, in addition to the steps where a key begins to sound; `None`:
            only there.
        steps_per_beat: `None` where beats are unknown; measures of beats are then left out.
        beats_per_bar: beats of a bar, ≥ 1.

    Returns:
        By name; NaN where a measure is undefined, as for a piece without notes.

        Of notes: `pitch_class_entropy` (bits, 0..3.58), `scale_consistency` (0..1, the share of notes within the
        best of the 24 major and natural minor keys), `n_pitches_used`, `pitch_range` (semitones from the lowest
        to the highest) and `note_length` (mean, in steps; not of muspy).

        Of steps: `polyphony` (mean number of keys where any sounds), `polyphony_rate` (share of steps with more
        than two) and `silence` (share of steps where nothing sounds; not of muspy).

        Of beats: `empty_beat_rate` (share of beats where nothing sounds) and `groove_consistency` (1 − the share
        of steps at which neighbouring bars differ in having an onset). As in muspy, a note still counts for the
        beat on whose first step it ends, and a piece has one more beat and bar where it ends with a whole one.
    """
    sounding = np.asarray(sounding, dtype=bool)
    starts = _starts(sounding, onsets)
    measured = _measures_of_notes(starts) | _measures_of_steps(sounding)
    if steps_per_beat is not None:
        measured["empty_beat_rate"] = _empty_beat_rate(sounding, steps_per_beat)
        measured["groove_consistency"] = _groove_consistency(starts, steps_per_beat * beats_per_bar)
    measured["note_length"] = _ratio(sounding.sum(), starts.sum())
    return measured


def summarise(pieces: Sequence[Measures]) -> Measures:
    """Return the mean of each measure over the pieces for which it is defined; measures without any are left out."""
    return {name: float(values.mean()) for name, values in _columns(pieces).items()}


def distances(generated: Sequence[Measures], held_out: Sequence[Measures]) -> Measures:
    """Return the distance of each measure's distribution from that of held-out pieces, in their standard deviations.

    It is the Wasserstein-1 distance (scipy) between the empirical distributions, the average change of the measure
    that turns one collection into the other, divided by the standard deviation of the held-out pieces: 0 means equal
    distributions, 1 a difference as great as the spread of held-out pieces. Short pieces vary more than long ones, so
    compare pieces of equal length.

    Args:
        generated: `measures` of each generated piece.
        held_out: `measures` of each held-out piece.

    Returns:
        `<measure>_distance` ≥ 0. A measure is left out where it is undefined for all pieces of one side, or equal for
        all held-out pieces.
    """
    own, reference = _columns(generated), _columns(held_out)
    found = {}
    for name in own.keys() & reference.keys():
        spread = reference[name].std()
        if spread > 1e-9 * np.abs(reference[name]).max():
            found[f"{name}_distance"] = float(wasserstein_distance(own[name], reference[name]) / spread)
    return dict(sorted(found.items()))


def _starts(sounding: Array, onsets: Array | None) -> Array:
    starts = sounding.copy()
    starts[1:] &= ~sounding[:-1]
    return starts if onsets is None else starts | (sounding & np.asarray(onsets, dtype=bool))


def _measures_of_notes(starts: Array) -> Measures:
    notes = starts.sum(0)
    used, n_notes = np.flatnonzero(notes), notes.sum()
    classes = np.bincount(np.arange(len(notes)) % 12, weights=notes, minlength=12)
    shares = classes[classes > 0] / max(n_notes, 1)
    return {
        "pitch_class_entropy": float((shares * np.log2(1 / shares)).sum()) if n_notes else np.nan,
        "scale_consistency": _ratio((SCALES @ classes).max(), n_notes),
        "n_pitches_used": float(len(used)),
        "pitch_range": float(np.ptp(used)) if n_notes else 0.0,
    }


def _measures_of_steps(sounding: Array) -> Measures:
    keys = sounding.sum(1)
    return {
        "polyphony": _ratio(keys.sum(), (keys > 0).sum()),
        "polyphony_rate": _ratio((keys > DENSE).sum(), len(keys)),
        "silence": _ratio((keys == 0).sum(), len(keys)),
    }


def _empty_beat_rate(sounding: Array, steps_per_beat: int) -> float:
    if not len(sounding):
        return np.nan
    active = sounding.any(1)
    until_end = np.append(active, False) | np.append(False, active)
    return float(1 - _in_units(until_end, steps_per_beat).any(1).mean())


def _groove_consistency(starts: Array, steps_per_bar: int) -> float:
    bars = _in_units(np.append(starts.any(1), False), steps_per_bar)
    return 1 - _ratio((bars[1:] != bars[:-1]).sum(), bars[1:].size)


def _in_units(steps: Array, size: int) -> Array:
    """Cut steps (T,) into beats or bars, padding the last one: (units, size)."""
    return np.append(steps, np.zeros(-len(steps) % size, dtype=bool)).reshape(-1, size)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else float("nan")


def _columns(pieces: Sequence[Measures]) -> dict[str, Array]:
    """Return the values of each measure that are not NaN; measures without any are left out."""
    names = dict.fromkeys(name for piece in pieces for name in piece)
    columns = {name: np.array([piece[name] for piece in pieces if name in piece]) for name in names}
    kept = {name: values[~np.isnan(values)] for name, values in columns.items()}
    return {name: values for name, values in kept.items() if len(values)}
