"""Reads mutants one after the other, in a process that may crash: `worker.py TARGET SEED FIRST COUNT FOLDER`.

Before each mutant a line with its number is written to the standard output, after it one with what came of it: `read`,
`refused`, or what must not be. A mutant that takes too long ends the process by SIGALRM.
"""

import faulthandler
import os
import random
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.processes import limit_memory
from tests.fuzz.mutations import mutant
from tests.fuzz.targets import TARGETS, Target

MOST_SECONDS = 20
MOST_MEMORY = 2**30  # bytes beyond what the imports take
_COMMANDS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "subprocess.Popen",
    "shutil.rmtree",
    "ctypes.dlopen",
)


def content(target: Target, name: str, seed: int, number: int, seeds: list[bytes]) -> bytes:
    """Return a mutant; the same for the same numbers."""
    return mutant(seeds, target.mutations, random.Random(f"{seed} {name} {number}"))


def main(name: str, seed: int, first: int, count: int, folder: Path) -> None:
    """Read mutants, and write what came of each."""
    said = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    faulthandler.enable()
    target = TARGETS[name]
    (folder / "seeds").mkdir(exist_ok=True)
    seeds = target.seeds(folder / "seeds")
    target.beside(folder)
    path = folder / target.file
    for whole in seeds:  # imports happen here, and a seed that is refused would make the whole run vain
        path.write_bytes(whole)
        target.read(path)
    seen = _watch(folder)
    limit_memory(MOST_MEMORY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in range(first, first + count):
        path.write_bytes(content(target, name, seed, number, seeds))
        print(number, file=said)
        signal.alarm(MOST_SECONDS)
        seen.clear()
        came = ending(target, path)
        signal.alarm(0)
        print(f"ran {seen[0]}" if seen else came, file=said)


def ending(target: Target, path: Path) -> str:
    """Return what comes of reading a mutant, in a line."""
    try:
        target.read(path)
    except UserError as error:
        return "refused" if str(error).strip() else "refused without a word"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return f"raised {type(error).__name__} at {place}: {' '.join(str(error).split())[:200]}"
    return "read"


def _watch(folder: Path) -> list[str]:
    """Return a list to which commands that are run, and files that are opened for writing elsewhere, are added."""
    seen: list[str] = []

    def notice(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _COMMANDS:
            seen.append(f"{event} {arguments[:1]}")
        elif (
            event == "open"
            and isinstance(arguments[0], str)
            and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        ):
            opened = str(Path(arguments[0]).absolute())
            if not opened.startswith((str(folder), "/dev/", "/tmp/pymp-")):
                seen.append(f"open {opened}")

    sys.addaudithook(notice)
    return seen


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5]))
