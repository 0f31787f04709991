"""Classes, variations and lines that the tests of stems share."""

from typing import Any

import mido

from src.datamodules.synthesized.synth_stems import SynthStems

PIANO, VIOLIN, TRUMPET = 0, 1, 2
PROGRAMS = (0, 40, 56)
CLASSES = [
    {"name": "piano", "program": 0, "low": 48, "high": 72, "relatives": [[0, 1], [8, 0]]},
    {"name": "violin", "program": 40, "low": 55, "high": 80, "relatives": [[0, 41]]},
    {"name": "trumpet", "program": 56, "low": 54, "high": 80},
]
PLAIN = {"relatives": 0.0, "transpose": 0.0, "stretch": 0.0, "generators": 0.0, "velocity": [30, 120]}
VARIED = {"relatives": 0.4, "transpose": 0.5, "stretch": 0.5, "generators": 0.5, "velocity": [30, 120]}


def played(data: SynthStems) -> list[tuple[int, str]]:
    """The class and the soundfont of each voice."""
    return [(voice.label, voice.soundfont.stem) for voice in data.voices]


def lines(data: SynthStems) -> dict[tuple[int, str], list[Any]]:
    """All lines by voice."""
    make = data.maker().stems
    return {
        voice: [make.line(number * data.n_each + i) for i in range(data.n_each)]
        for number, voice in enumerate(played(data))
    }


def messages(line: Any, kind: str) -> list[mido.Message]:
    return [message for _, message in line.score.events() if message.type == kind]


def preset(line: Any) -> tuple[int, int]:
    [change] = messages(line, "program_change")
    return line.bank, change.program
