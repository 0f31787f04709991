"""The share of time in which hydra-optuna-sweeper keeps slots busy, with the trials of `benchmarks/slots_busy.py`.

    pip install hydra-core hydra-optuna-sweeper==1.3.0 hydra-joblib-launcher   # in an environment of their own
    python benchmarks/slots_busy_peer.py [--trials 40] [--slots 4] [--shortest 5] [--longest 40]

Its sweeper asks for a batch of as many trials as there are slots, hands them to the launcher, and waits for all of
them. The sampler is its TPE with its defaults.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from slots_busy import length_s, objective, told

CONFIG = {"optimizer": "adam", "x": 0.5, "y": 0.1, "shortest": 5.0, "longest": 40.0, "spans": ""}


def trial(config: Any) -> float:
    """Sleep, and append when it began and ended to a file."""
    begun = time.time()
    time.sleep(length_s(config.optimizer, config.x, config.y, config.shortest, config.longest))
    with Path(config.spans).open("a", encoding="utf-8") as file:
        file.write(json.dumps([begun, time.time()]) + "\n")
    return objective(config.x, config.y)


def main() -> None:
    """Run the sweep, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--shortest", type=float, default=5.0)
    parser.add_argument("--longest", type=float, default=40.0)
    options = parser.parse_args()
    import hydra
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store("config", CONFIG)
    with tempfile.TemporaryDirectory() as folder:
        spans = Path(folder) / "spans.jsonl"
        sys.argv[1:] = [
            "-m", "hydra/sweeper=optuna", "hydra/launcher=joblib", "hydra.sweeper.sampler.seed=1",
            f"hydra.sweeper.n_trials={options.trials}", f"hydra.sweeper.n_jobs={options.slots}",
            f"hydra.launcher.n_jobs={options.slots}", "hydra.sweeper.direction=maximize",
            f"hydra.sweep.dir={folder}", f"spans={spans}", f"shortest={options.shortest}",
            f"longest={options.longest}", "optimizer=adam,sgd,adamw", "x=interval(0,1)", "y=tag(log,interval(1e-3,1))",
        ]  # fmt: skip
        hydra.main(version_base="1.3", config_path=None, config_name="config")(trial)()
        found = [tuple(json.loads(line)) for line in spans.read_text(encoding="utf-8").splitlines()]
    print(f"by trials' clocks {told(found, options.slots)}")


if __name__ == "__main__":
    main()
