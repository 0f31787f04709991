"""Samples a second of the training loop in two environments, which take turns: does another PyTorch cost speed?

    python benchmarks/two_environments.py OLD/bin/python NEW/bin/python [--turns 5] [--clips 1280] [--json FILE]

Each turn is `benchmarks/training_loop.py` in a process of its own; the medians of the turns are compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def samples_a_second(python: Path, clips: int) -> float:
    """Measure the training loop once in an environment.

    Args:
        python: the environment's.
        clips: of an epoch.
    """
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        command = [python, ROOT / "benchmarks" / "training_loop.py", "--clips", str(clips), "--repeats", "3"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([*command, "--json", figures], check=True, env=environment, capture_output=True)
        return float(json.loads(figures.read_text())["samples_a_second"])


def torch_version(python: Path) -> str:
    """Return the version of PyTorch in an environment."""
    command = [python, "-c", "from importlib.metadata import version; print(version('torch'))"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--clips", type=int, default=1280)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pythons = {"old": options.old.absolute(), "new": options.new.absolute()}
    measured: dict[str, list[float]] = {"old": [], "new": []}
    for turn in range(options.turns):
        for name in ("old", "new") if turn % 2 == 0 else ("new", "old"):
            measured[name].append(samples_a_second(pythons[name], options.clips))
    medians = {name: statistics.median(values) for name, values in measured.items()}
    figures = {
        "torch": {name: torch_version(python) for name, python in pythons.items()},
        "samples_a_second": measured,
        "ratio": round(medians["new"] / medians["old"], 3),
    }
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
