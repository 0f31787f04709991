"""The share of time in which the slots of a search are busy, with trials of unequal length.

    python benchmarks/slots_busy.py [--trials 40] [--slots 4] [--shortest 5] [--longest 40] [--json FILE]

A search by TPE through the real command. Its trials sleep, each for as long as its configuration says (by a checksum,
evenly between the two lengths). Printed is the share of slots and time, from the first start until the last trial
begins, and until all have ended:
- by `jobs.jsonl`: a slot is busy from `running` until the sweep has noted the end;
- by the trials' own clocks: from their first line until their last, the only times that another program tells, too
  (`benchmarks/slots_busy_peer.py`).

This file is the module of the trial, too (`hydra.launcher.trial`).
"""

# ruff: noqa: ARG001 - a trial's functions have the arguments that the sweep gives them
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPACE = ("optimizer=adam,sgd,adamw", "+sleep.x=interval(0,1)", "+sleep.y=tag(log,interval(1e-3,1))")

Span = tuple[float, float]
"""Begin and end of a trial, in seconds."""


def freeze(config: Mapping[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration without data."""
    return dict(config) | {"data": {}}


def roles(config: Mapping[str, Any]) -> Any:
    """Return those of the keys at the root."""
    from src.configuration.settings import root_roles

    return root_roles()


def incomparable(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return nothing: all can be ranked together."""
    return []


def gpus() -> list[str]:
    """Return none."""
    return []


def gpus_needed(config: Mapping[str, Any]) -> int:
    """Return that a trial needs none."""
    return 0


def prepare(configs: Sequence[Mapping[str, Any]]) -> None:
    """Do nothing: trials share no data."""


def jackknife(folders: Sequence[Path], metric: str, blocks: int = 100) -> list[None]:
    """Return that there are no items."""
    return [None] * len(folders)


def length_s(choice: str, x: float, y: float, shortest: float, longest: float) -> float:
    """Return how long a trial sleeps."""
    share = zlib.crc32(f"{choice} {x:.9g} {y:.9g}".encode()) / 2**32
    return shortest + share * (longest - shortest)


def objective(x: float, y: float) -> float:
    """Return what a search maximises; the best is at .3 of each."""
    return 0.5 - 0.1 * ((x - 0.3) ** 2 + (y - 0.3) ** 2)


def run(
    config: Mapping[str, Any],
    folder: Path,
    report: Callable[[dict[str, Any]], None],
    info: Mapping[str, Any],
) -> float:
    """Sleep, and write when it began and ended."""
    begun, own = time.time(), config["sleep"]
    x, y = float(own["x"]), float(own["y"])
    time.sleep(length_s(config["optimizer"]["_target_"], x, y, own["shortest"], own["longest"]))
    value = objective(x, y)
    report({"epoch": 1, "epochs": 1, "objective": value, "direction": "max"})
    metrics = {
        "objective": {"name": "accuracy", "value": value, "direction": "max"},
        "seed": config["seed"],
        "val": {"accuracy": value},
        "time": {"fit_s": time.time() - begun, "total_s": time.time() - begun, "epochs": 1},
        "baselines": {},
        "span": (begun, time.time()),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return value


def busy(spans: Sequence[Span], slots: int) -> tuple[float, float]:
    """Return the share of time in which slots are busy until the last trial begins, and until all have ended."""
    first = min(begin for begin, _ in spans)

    def until(last: float) -> float:
        used = sum(max(0.0, min(end, last) - begin) for begin, end in spans)
        return used / (slots * (last - first))

    return until(max(begin for begin, _ in spans)), until(max(end for _, end in spans))


def told(spans: Sequence[Span], slots: int) -> str:
    """Return the figures of trials as a line."""
    begins, ends = zip(*spans, strict=True)
    until_last, until_end = busy(spans, slots)
    lengths = [end - begin for begin, end in spans]
    return (
        f"{100 * until_last:.1f} % until the last trial begins, {100 * until_end:.1f} % until all have ended; "
        f"{len(spans)} trials of {min(lengths):.1f} to {max(lengths):.1f} s, {mean(lengths):.1f} s in the mean, "
        f"in {max(ends) - min(begins):.0f} s"
    )


def search(outputs: Path, options: argparse.Namespace) -> None:
    """Run the search; show its output if it fails."""
    slots = ",".join(map(str, range(options.slots)))
    command = (
        "-m", "hydra.launcher.trial=slots_busy", *SPACE, f"+sleep.shortest={options.shortest}",
        f"+sleep.longest={options.longest}", f"search={options.search}", f"n_trials={options.trials}", "confirm=0",
        f"hydra.launcher.gpus=[{slots}]", "sweep.name=s", f"outputs={outputs}",
    )  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent), "WANDB_MODE": "offline"}
    done = subprocess.run(
        [sys.executable, "run.py", *command],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"the search exited with {done.returncode}\n{done.stdout}\n{done.stderr}")


def noted(outputs: Path) -> dict[str, dict[str, Any]]:
    """Return by signature when each trial was proposed, was running and had ended, and its slot."""
    found: dict[str, dict[str, Any]] = {}
    for line in (outputs / "sweeps" / "s" / "jobs.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        of_trial = found.setdefault(entry["signature"], {})
        of_trial[entry["state"]] = datetime.fromisoformat(entry["time"]).timestamp()
        of_trial["slot"] = entry["slot"] or of_trial.get("slot")
    return found


def gaps(trials: Mapping[str, Mapping[str, Any]], own: Mapping[str, Span]) -> list[tuple[float, ...]]:
    """Return how long slots were free: from a trial's last line until its end was noted, until another was proposed.

    And then until that began, in seconds.
    """
    found = []
    for slot in {trial["slot"] for trial in trials.values()}:
        names = sorted(
            (name for name in trials if trials[name]["slot"] == slot), key=lambda name: own[name][0]
        )
        for before, after in pairwise(names):
            ended, proposed = trials[before]["finished"], trials[after]["queued"]
            found.append((ended - own[before][1], proposed - ended, own[after][0] - proposed))
    return found


def main() -> None:
    """Run the search, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--shortest", type=float, default=5.0)
    parser.add_argument("--longest", type=float, default=40.0)
    parser.add_argument("--search", default="tpe")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder)
        search(outputs, options)
        trials = noted(outputs)
        files = {name: outputs / "runs" / name / "metrics.json" for name in trials}
        own = {name: tuple(json.loads(path.read_text())["span"]) for name, path in files.items()}
    of_ledger = [(trial["running"], trial["finished"]) for trial in trials.values()]
    print(f"by jobs.jsonl     {told(of_ledger, options.slots)}")
    print(f"by trials' clocks {told(list(own.values()), options.slots)}")
    parts = [median(part) for part in zip(*gaps(trials, own), strict=True)]
    print(
        f"a slot is free for {sum(parts):.2f} s: {parts[0]:.2f} s until the end is noted, {parts[1]:.2f} s until the "
        f"next trial is proposed, {parts[2]:.2f} s until it begins (medians)"
    )
    if options.json:
        figures = {
            "jobs.jsonl": busy(of_ledger, options.slots),
            "clocks": busy(list(own.values()), options.slots),
        }
        options.json.write_text(json.dumps(figures | {"gap_s": parts}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
