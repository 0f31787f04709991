"""`mode=doctor`: what is installed here, what works, and what to do about the rest.

It must run even where libraries are broken, so it imports only the standard library and modules that need nothing else.
"""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from src.configuration.wandb_login import answers, server, wandb_mode
from src.errors import UserError
from src.requirements import MODULES, Check, complaint, installed_version, pinned_version, probe

OLDEST, NEWEST = (3, 11), (3, 13)
"""The versions of Python that the tests are run with."""

_FREE_GB = 2
"""More than enough for a sweep on the default data and its checkpoints."""
_MARKS = {True: "✓", False: "✗"}
_PLAIN_MARKS = {True: "ok", False: "!!"}


def doctor(arguments: Sequence[str]) -> int:
    """Print a line for each library, program and resource that a run needs or uses.

    Args:
        arguments: those of the command line, with `mode=doctor`; `outputs=DIR` names the disk to look at.

    Returns:
        Exit code: 0, or 2 where something that every run needs does not work.

    Raises:
        UserError: there is another argument; it would have no effect.
    """
    outputs = Path("outputs")
    for argument in arguments:
        if argument.startswith("outputs="):
            outputs = Path(argument.partition("=")[2]).expanduser()
        elif argument != "mode=doctor":
            raise UserError(f"{argument} has no effect with mode=doctor; leave it out.")
    marks = _MARKS if _can_print(_MARKS) else _PLAIN_MARKS
    works = True
    for check in _checks(outputs):
        print(f"{marks[check.works]:2} {check.name:14} {check.text}", flush=True)
        works &= check.works
    if works:
        print("Everything that a run needs is here.")
    return 0 if works else 2


def _checks(outputs: Path) -> Iterator[Check]:
    yield _python()
    for check in probe():
        yield _library(check) if check.name in MODULES else check
    yield _disk(outputs)
    yield _wandb()
    yield _slurm()
    yield _ray()


def _python() -> Check:
    supported = OLDEST <= sys.version_info[:2] <= NEWEST
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
    remedy = "" if supported else f": use {oldest} to {newest}, e.g. `make setup PYTHON=python{newest}`"
    where = "" if sys.prefix == sys.base_prefix else f" in {sys.prefix}"
    return Check("Python", supported, f"{platform.python_version()}{where}{remedy}")


def _library(check: Check) -> Check:
    if not check.works:
        return Check(check.name, False, complaint(check))
    wanted = pinned_version(check.name)
    same = wanted is None or check.text.partition("+")[0] == wanted
    return check if same else Check(check.name, True, f"{check.text} (tested: {wanted})")


def _disk(outputs: Path) -> Check:
    folder = next(folder for folder in (outputs.absolute(), *outputs.absolute().parents) if folder.exists())
    free_gb = shutil.disk_usage(folder).free / 1e9
    enough = free_gb >= _FREE_GB
    remedy = "" if enough else f": make room for {_FREE_GB} GB, or write elsewhere with outputs=DIR"
    return Check("free disk", enough, f"{free_gb:.0f} GB below {folder}{remedy}")


def _wandb() -> Check:
    told = {
        "disabled": "WANDB_MODE=disabled: no runs are recorded",
        "offline": "none: runs stay offline; `wandb login`",
        "online": "found: runs go online",
    }
    mode = wandb_mode("auto")
    if mode == "online" and not answers(server()):
        return Check("W&B login", True, f"found, but {server()} does not answer: runs stay offline")
    return Check("W&B login", True, told[mode])


def _slurm() -> Check:
    if not shutil.which("sinfo"):
        return Check("Slurm", True, "not on this machine")
    try:
        answer = subprocess.run(
            ["sinfo", "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check("Slurm", True, f"does not answer ({error}); only runs on this machine are possible")
    return Check("Slurm", True, answer.stdout.strip())


def _ray() -> Check:
    return Check("Ray", True, installed_version("ray") or "not installed")


def _can_print(marks: dict[bool, str]) -> bool:
    try:
        "".join(marks.values()).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
