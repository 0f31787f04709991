"""The required libraries: whether each loads, and which version was tested.

Only the standard library is imported here, so that this module works where nothing else does.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from src.paths import CONSTRAINTS, ROOT

MODULES = {
    "hydra-core": "hydra",
    "omegaconf": "omegaconf",
    "filelock": "filelock",
    "rich": "rich",
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-learn": "sklearn.linear_model",
    "joblib": "joblib",
    "threadpoolctl": "threadpoolctl",
    "torch": "torch",
    "torchaudio": "torchaudio",
    "torchmetrics": "torchmetrics",
    "lightning": "lightning.pytorch",
    "wandb": "wandb",
    "tensorboard": "tensorboard",
    "pandas": "pandas",
    "matplotlib": "matplotlib.figure",
    "optuna": "optuna",
    "cmaes": "cmaes",
    "greenlet": "greenlet",
    "librosa": "librosa",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "av": "av",
    "mido": "mido",
    "pretty_midi": "pretty_midi",
    "symusic": "symusic",
    "music21": "music21",
}
"""By distribution, the module that is imported to check whether it loads. (pyfluidsynth also needs FluidSynth's
library: `src.audio.fluid` loads both.)"""

BUILT_FOR = {"torchaudio": "torch"}
"""Libraries that load only with certain versions of another."""

DOCTOR = "`python run.py mode=doctor` checks everything."
_PROBE_S = 120
_LONGEST = 160


@dataclass(frozen=True)
class Check:
    """The result of a check.

    Args:
        name: a library, or `devices`, `FluidSynth`, `note`.
        works: whether it does.
        text: what was found, or one line on what is wrong.
    """

    name: str
    works: bool
    text: str


def installed_version(distribution: str) -> str | None:
    """Return the installed version of a library, or `None`."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def pinned_version(distribution: str) -> str | None:
    """Return the version of a library that the tests passed with on this platform, or `None` if it is not listed."""
    if not CONSTRAINTS.is_file():
        return None
    wanted = distribution.lower().replace("_", "-")
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        pinned, _, marker = line.partition(";")
        name, _, number = pinned.partition("==")
        if name == wanted and _applies(marker.strip()):
            return number.strip()
    return None


def may_be_a_broken_library(error: BaseException) -> bool:
    """Whether an error may be due to a library that fails to load, or to a process that died of that."""
    of_loader = type(error) is OSError and error.errno is None
    return of_loader or isinstance(error, ImportError | EOFError | ConnectionError)


def broken_library(error: BaseException) -> str | None:
    """Load one library after another in a separate process.

    Args:
        error: that occurred; libraries that it mentions are loaded first.

    Returns:
        One line on the first library that fails to load, with the remedy; `None` if all load.
    """
    said = f"{error} {getattr(error, 'name', '')}"
    suspects = sorted(
        MODULES, key=lambda name: not re.search(rf"\b{MODULES[name].partition('.')[0]}\b", said)
    )
    broken = next((check for check in probe(*suspects) if not check.works), None)
    return None if broken is None else f"{complaint(broken)} {DOCTOR}"


def complaint(check: Check) -> str:
    """Return one line on a library that fails to load: its version, that of the library it needs, and the remedy."""
    here, partner = installed_version(check.name), BUILT_FOR.get(check.name)
    names = [partner, check.name] if partner else [check.name]
    wanted = " ".join(f"{name}=={version}" if (version := pinned_version(name)) else name for name in names)
    remedy = f"run `make setup`, or `pip install {wanted}`."
    if here is None:
        return f"{check.name} is not installed: {remedy}"
    beside = f" beside {partner} {installed_version(partner) or '(not installed)'}" if partner else ""
    return f"{check.name} {here} does not load{beside} ({_short(check.text)}): {remedy}"


def probe(*libraries: str) -> Iterator[Check]:
    """Run `src.probe` in a separate process, which a library may crash.

    Args:
        libraries: to load, until one fails; without any, all libraries and everything else are checked.
    """
    paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(ROOT))))
    # -P: don't import a `src` in the current folder.
    command = [sys.executable, "-P", "-m", "src.probe", *libraries]
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        asked = None
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            said = json.loads(line)
            asked = said["name"] if "works" not in said else None
            if asked is None:
                yield Check(**said)
    if asked is not None:
        yield Check(asked, False, _ending(process.returncode))


def _ending(code: int) -> str:
    return (
        f"it ends Python by {signal.Signals(-code).name}"
        if code < 0
        else f"it ends Python with exit code {code}"
    )


def _applies(marker: str) -> bool:
    try:
        from packaging.markers import Marker
    except ImportError:  # a missing packaging is not what is being checked
        return not marker
    return not marker or Marker(marker).evaluate()


def _short(text: str) -> str:
    """Return a library's error message on one line, without folders."""
    line = re.sub(r"(?:/[^\s/:]+)+/", "", " ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
