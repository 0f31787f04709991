"""Checks that libraries load and a note can be rendered; prints a line of JSON before and after each check.

`python -m src.probe` checks everything, `python -m src.probe LIBRARY …` those libraries until one fails to load.
`src.requirements.probe` reads the lines.
"""

import importlib
import json
import sys
from collections.abc import Callable
from functools import partial

from src.requirements import MODULES, installed_version


def main() -> None:
    """Run the checks that the command line names."""
    if asked := sys.argv[1:]:
        all(_check(name, partial(_library, name)) for name in asked)
        return
    for name in MODULES:
        _check(name, partial(_library, name))
    _check("devices", _devices)
    _check("FluidSynth", _fluidsynth)
    _check("note", _note)


def _check(name: str, look: Callable[[], str]) -> bool:
    _say(name=name)
    try:
        text, works = look(), True
    except Exception as error:
        text, works = _described(error), False
    _say(name=name, works=works, text=text)
    return works


def _say(**said: object) -> None:
    print(f"\n{json.dumps(said)}", flush=True)


def _described(error: Exception) -> str:
    """Return the message of an error of this project; for others, class and message of the original cause."""
    if type(error).__module__.startswith("src."):
        return str(error)
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    return f"{type(first).__name__}: {first}"


def _library(name: str) -> str:
    importlib.import_module(MODULES[name])
    return installed_version(name) or "of unknown version"


def _devices() -> str:
    import torch

    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    mps = ["Apple GPU (mps)"] if torch.backends.mps.is_available() else []
    return ", ".join(names + mps) or f"no GPU; {torch.get_num_threads()} CPU threads"


def _fluidsynth() -> str:
    from src.audio.fluid import version

    return version()


def _note() -> str:
    import mido
    import numpy as np

    from src.audio.soundfonts.installed import find_soundfont
    from src.audio.synthesis import Synthesizer

    soundfont = find_soundfont("TimGM6mb")
    sound = Synthesizer(soundfont).render([(0.0, mido.Message("note_on", note=60, velocity=100))], 0.5)
    loudest = float(np.abs(sound).max())
    if not 0.001 < loudest < 2:
        raise RuntimeError(f"{soundfont.name} plays a note with a peak of {loudest:.3g}, not of about 0.1")
    return f"middle C of {soundfont.name}, peak {loudest:.2f}"


if __name__ == "__main__":
    main()
