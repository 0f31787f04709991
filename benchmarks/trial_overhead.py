"""The overhead of a trial besides training: a sweep of trials with one training step each, against fresh processes.

    python benchmarks/trial_overhead.py [--trials 8] [--json FILE]

Everything is on that a sweep has on by default: W&B offline, checkpoints, history, pictures, metrics with
bootstrap intervals, baselines. The data are built beforehand. The overhead of a trial after the first is the wall
time of a sweep of N trials, less that of a sweep of one, divided by N - 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TINY = (
    "experiment=debug",
    "data.n_clips={train: 64, val: 32, test: 32}",
    "trainer.max_epochs=1",
    "+trainer.limit_train_batches=1",
)


def wall_s(*arguments: str) -> float:
    """Return the seconds that a command takes; show its output if it fails."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "run.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{arguments} exited with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - begun


def seeds(first: int, count: int) -> str:
    """Return `seed=` with values that no other sweep of this benchmark has."""
    return "seed=" + ",".join(str(seed) for seed in range(first, first + count))


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        common = (*TINY, f"outputs={folder}")
        wall_s("-m", *common, "seed=0")
        one = wall_s("-m", *common, seeds(100, 1))
        several = wall_s("-m", *common, seeds(200, options.trials))
        fresh = [wall_s(*common, seeds(300 + number, 1)) for number in range(3)]
    overhead = (several - one) / (options.trials - 1)
    figures = {
        "sweep_of_one_s": round(one, 2),
        f"sweep_of_{options.trials}_s": round(several, 2),
        "trial_after_the_first_s": round(overhead, 3),
        "trial_in_a_fresh_process_s": round(sorted(fresh)[1], 2),
        "ratio": round(sorted(fresh)[1] / overhead, 1),
    }
    for name, value in figures.items():
        print(f"{name:28} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
