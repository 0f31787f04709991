"""Fuzzing: this project's readers are given damaged and hostile files, and must read or refuse each of them.

    python -m tests.fuzz.fuzz [--mutants 10000] [--seed 0] [--only ckpt,midi] [--keep FOLDER]

A reader may answer or raise a UserError. It may not crash, hang, run out of memory, raise anything else, run a command
or write a file elsewhere. Exit code 1 where one did; what it read is in the folder.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from src.paths import ROOT
from src.processes import cores
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import content

GOOD = ("read", "refused")


@dataclass
class Report:
    """What came of the mutants of a target.

    Attributes:
        endings: how many were read, were refused, or ended otherwise.
        faults: number and ending of each that was neither read nor refused.
    """

    endings: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, ending: str) -> None:
        """Count a mutant."""
        self.endings[ending.split(" ")[0]] += 1
        if ending not in GOOD:
            self.faults.append((number, ending))


def fuzz(name: str, mutants: int, seed: int, keep: Path) -> Report:
    """Read mutants of a target in a process that is started again where it dies.

    Args:
        name: of the target.
        mutants: how many.
        seed: of their random generators.
        keep: folder for those that were neither read nor refused; the errors of the workers are there, too.
    """
    report, first = Report(), 0
    while first < mutants:
        ended = list(_run(name, seed, first, mutants - first, keep))
        if not ended:
            raise RuntimeError(f"{name}: the worker does not start; see {keep / name}.log")
        for number, ending in ended:
            report.add(number, ending)
        first = ended[-1][0] + 1
    for number, _ in report.faults:
        _keep(name, seed, number, keep)
    return report


def _run(name: str, seed: int, first: int, count: int, keep: Path) -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as folder, (keep / f"{name}.log").open("ab") as errors:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", name, str(seed), str(first), str(count), folder],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert worker.stdout is not None
        number = None
        for line in worker.stdout:
            if number is None:
                number = int(line)
            else:
                yield number, line.rstrip("\n")
                number = None
        code = worker.wait()
        if number is not None:
            yield number, _death(code)


def _death(code: int) -> str:
    if code == -signal.SIGALRM:
        return "hung"
    return f"crashed ({signal.Signals(-code).name})" if code < 0 else f"crashed (exit code {code})"


def _keep(name: str, seed: int, number: int, keep: Path) -> None:
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        seeds = target.seeds(Path(folder))
    kept = keep / name / str(number) / target.file
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content(target, name, seed, number, seeds))


def main() -> int:
    """Fuzz all targets, or those that are named, and print what came of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=10_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=0, help="by default 0; another one makes other mutants")
    parser.add_argument(
        "--only", default=",".join(TARGETS), help="names of targets, with commas between them"
    )
    parser.add_argument("--keep", type=Path, default=Path("outputs/fuzz"), help="folder for what was found")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(TARGETS):
        parser.error(f"--only={','.join(sorted(unknown))}: choose among {', '.join(TARGETS)}")
    shutil.rmtree(options.keep, ignore_errors=True)
    options.keep.mkdir(parents=True)
    each = -(-options.mutants // len(names))
    order = random.Random(0).sample(names, len(names))
    faults = 0
    with ThreadPoolExecutor(cores()) as pool:
        for name, report in zip(
            order, pool.map(lambda name: fuzz(name, each, options.seed, options.keep), order), strict=True
        ):
            counts = ", ".join(f"{count} {ending}" for ending, count in sorted(report.endings.items()))
            print(f"{name:12} {counts}", flush=True)
            for number, ending in report.faults:
                print(f"    {number}: {ending}", flush=True)
            faults += len(report.faults)
    print(
        f"{each * len(names)} mutants, {faults} neither read nor refused"
        + (f": {options.keep}" if faults else "")
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
