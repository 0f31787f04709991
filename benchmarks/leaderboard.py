"""A leaderboard of many finished trials: seconds to read them, to judge them and to write its files.

    python benchmarks/leaderboard.py [--configurations 400] [--seeds 5]

One trial of experiment=debug is run; the others are copies of its folder with other figures. Imports are not counted,
but those of a child process are: `importance` is that of four swept keys.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
from rich.console import Console

import src.sweep.leaderboard
import src.sweep.picture
import src.sweep.tuning_curves  # noqa: F401
from src.paths import ROOT
from src.processes import call
from src.sweep.folder import TrialFolder
from src.sweep.importance.table import importance_of
from src.sweep.ledger import Ledger
from src.sweep.publish import entries, publish
from src.sweep.rows import Entry, data_of
from src.sweep.settings import Settings


def make_up(outputs: Path, configurations: int, seeds: int) -> Path:
    """Run a trial, copy it, and return the folder of a sweep of all copies."""
    command = [sys.executable, "run.py", "experiment=debug", "logger=[]", f"outputs={outputs}"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    [trial] = (outputs / "runs").iterdir()
    metrics = json.loads((trial / "metrics.json").read_text(encoding="utf-8"))
    name, noise = metrics["objective"]["name"], np.random.default_rng(0)
    sweep = outputs / "sweeps" / "many"
    sweep.mkdir(parents=True)
    ledger = Ledger(sweep / "jobs.jsonl")
    for number in range(configurations * seeds):
        configuration, seed = divmod(number, seeds)
        folder = TrialFolder(outputs / "runs" / f"{number:012d}")
        folder.path.mkdir()
        os.link(trial / "predictions.npz", folder.path / "predictions.npz")
        value = 0.5 + 0.0005 * configuration + 0.01 * noise.standard_normal()
        metrics["seed"], metrics["objective"]["value"] = seed, value
        metrics["val"][name] = metrics["test"][name] = value
        (folder.path / "metrics.json").write_text(json.dumps(metrics, indent=2), encoding="utf-8")
        status = json.loads((trial / "status.json").read_text(encoding="utf-8"))
        sizes = {file: (folder.path / file).stat().st_size for file in ("metrics.json", "predictions.npz")}
        folder.update(**{**status, "results": sizes})
        overrides = [f"optimizer.lr={0.001 * (configuration + 1):.3f}", f"seed={seed}"]
        ledger.write(folder.path.name, "finished", overrides=overrides)
    return sweep


def of_four_keys(trials: list[Entry], seeds: int) -> list[Entry]:
    """Return the trials with keys of 4, 5, 5 and as many values as it takes; the second and third explain something."""
    found, noise = [], np.random.default_rng(0)
    for number, entry in enumerate(trials):
        left, values = number // seeds, []
        for size in (4, 5, 5):
            left, value = divmod(left, size)
            values.append(value)
        keys = dict(zip("abcd", map(str, [*values, left]), strict=True))
        value = 0.01 * values[1] + 0.02 * (values[2] == 2) + 0.01 * noise.standard_normal()
        metrics = {**entry.metrics, "objective": {**entry.metrics["objective"], "value": value}}
        found.append(replace(entry, overrides=keys, metrics=metrics))
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configurations", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        outputs = Path(root)
        sweep = make_up(outputs, options.configurations, options.seeds)
        settings = Settings(outputs, "src.trial", name="many")
        call(os.getpid)  # starts the fork server
        begun = time.perf_counter()
        trials = entries(Ledger(sweep / "jobs.jsonl"), outputs)
        read = time.perf_counter()
        for name in ("first", "again"):
            told = time.perf_counter()
            publish(trials, sweep, settings, Console(file=StringIO(), width=160))
            print(f"judge and write, {name:5}  {time.perf_counter() - told:6.2f} s")
        told = time.perf_counter()
        importance_of(of_four_keys(trials, options.seeds), data_of(trials[0]), ())
        print(f"importance              {time.perf_counter() - told:6.2f} s")
        print(f"read {len(trials)} trials    {read - begun:6.2f} s")


if __name__ == "__main__":
    main()
