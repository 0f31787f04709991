"""The notes of a data set like TinySOL, played by a soundfont instead of recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from src.datamodules.notes.note import Note
from src.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """An instrument of the soundfont.

    Args:
        name: of the class.
        program: General MIDI, from 0.
        low: lowest note, MIDI.
        high: highest note, MIDI.

    Raises:
        UserError: a number is outside 0..127, or low is above high.
    """

    name: str
    program: int
    low: int
    high: int

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high <= 127 and 0 <= self.program <= 127):
            raise UserError(
                f"data.instruments: {self.name}: choose program and 0 <= low <= high within 0..127"
            )


def instruments(entries: Sequence[Mapping[str, Any]]) -> tuple[Instrument, ...]:
    """Read the list of instruments.

    Raises:
        UserError: an entry has other keys, or a name occurs twice.
    """
    for entry in entries:
        if set(entry) != {"name", "program", "low", "high"}:
            raise UserError(
                f"data.instruments: {dict(entry)}: each needs name, program, low and high, and nothing else"
            )
    listed = tuple(Instrument(**entry) for entry in entries)
    if len({instrument.name for instrument in listed}) < len(listed) or not listed:
        raise UserError("data.instruments: give at least one, and each name once")
    return listed


def soundfont_notes(
    listed: Sequence[Instrument], velocities: Mapping[str, int]
) -> tuple[list[Note], list[tuple[int, int, int]]]:
    """Return every pitch of every instrument at every dynamics.

    Args:
        listed: the instruments.
        velocities: MIDI velocity (1..127) by dynamics.

    Returns:
        The notes, all of fold 0, and program, pitch and velocity of each.

    Raises:
        UserError: a velocity is outside its range, or none is given.
    """
    if not velocities or not all(1 <= velocity <= 127 for velocity in velocities.values()):
        raise UserError(f"data.velocities is {dict(velocities)}: give MIDI velocities 1..127 by dynamics")
    combinations = [
        (instrument, pitch, dynamics)
        for instrument in listed
        for pitch in range(instrument.low, instrument.high + 1)
        for dynamics in velocities
    ]
    notes = [
        Note(
            name=f"{instrument.name} {pitch} {dynamics}",
            instrument=instrument.name,
            pitch=pitch,
            dynamics=dynamics,
            fold=0,
        )
        for instrument, pitch, dynamics in combinations
    ]
    return notes, [
        (instrument.program, pitch, velocities[dynamics]) for instrument, pitch, dynamics in combinations
    ]
