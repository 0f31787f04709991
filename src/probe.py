"""Load each library and render a note: a line of JSON before each check, and one after it.

`python -m src.probe [--until-broken]`; `src.requirements.probe` reads the lines.
"""

import importlib
import json
import sys
from collections.abc import Callable

from src.requirements import MODULES, installed_version

UNTIL_BROKEN = "--until-broken"


def main() -> None:
    """Run the checks that the command line asks for."""
    until_broken = UNTIL_BROKEN in sys.argv
    for distribution, module in MODULES.items():
        works = _check(distribution, lambda d=distribution, m=module: _library(d, m))  # type: ignore[misc]
        if until_broken and not works:
            return
    if not until_broken:
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
    own = type(error).__module__.startswith("src.")
    return str(error) if own else f"{type(error).__name__}: {error}"


def _library(distribution: str, module: str) -> str:
    importlib.import_module(module)
    return installed_version(distribution) or "of unknown version"


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
