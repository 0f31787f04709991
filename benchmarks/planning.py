"""Planning a sweep: what each further configuration costs, composed and checked one by one or what they share once.

    python benchmarks/planning.py [--configurations 200] [--json FILE]

Three sweeps: seeds only; learning rates, each with three seeds; learning rates only. The other way is Hydra's own
composition and a freeze for each, of a tenth of the configurations. The size is that of the plan's jobs, pickled.
"""

import argparse
import json
import pickle
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

import src.trial
from src.configuration.composing import Composer
from src.paths import CONF
from src.sweep.identity import signature
from src.sweep.job import Job
from src.sweep.plan import Freezer

Overrides = list[str]


def sweeps(count: int) -> dict[str, list[Overrides]]:
    """Return the overrides of each configuration, by sweep."""
    rates = [f"optimizer.lr={1e-4 + 1e-6 * number:.6f}" for number in range(count)]
    return {
        "seeds": [["optimizer=adam", f"seed={number}"] for number in range(count)],
        "rates and 3 seeds": [[rate, f"seed={seed}"] for rate in rates[: count // 3] for seed in (1, 2, 3)],
        "rates": [[rate] for rate in rates],
    }


def seconds(plan: Callable[[Sequence[Overrides]], Any], jobs: Sequence[Overrides]) -> float:
    """Return CPU seconds of a further configuration."""
    plan(jobs[:1])
    begun = time.process_time()
    plan(jobs[1:])
    return (time.process_time() - begun) / (len(jobs) - 1)


def measure(count: int) -> dict[str, dict[str, float]]:
    """Return milliseconds a configuration of both ways, and kilobytes."""
    found = {}
    outputs = Path(tempfile.mkdtemp())
    memory = outputs / "cache" / "content_hashes.json"
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", [f"outputs={outputs}"], RunMode.MULTIRUN)

        def own(values: Mapping[str, Any]) -> dict[str, Any]:
            return {key: value for key, value in values.items() if key != "trust"} | {"outputs": str(outputs)}

        def one_by_one(jobs: Sequence[Overrides]) -> None:
            for typed in jobs:
                config = loader.load_sweep_config(master, typed)
                with open_dict(config):
                    del config["hydra"]
                values = OmegaConf.to_container(config, resolve=True)
                assert isinstance(values, dict)
                frozen = src.trial.freeze(own({str(key): value for key, value in values.items()}))
                signature(frozen, src.trial.roles(frozen), memory)

        for name, jobs in sweeps(count).items():
            composer, freezer = Composer(loader, master), Freezer(src.trial, memory)

            def shared(
                jobs: Sequence[Overrides], composer: Composer = composer, freezer: Freezer = freezer
            ) -> list[Job]:
                return [
                    Job(found, config, tuple(typed), outputs, "src.trial", "", inputs=inputs)
                    for typed in jobs
                    for config, found, inputs in [
                        freezer.freeze(own(composer.resolve(typed, lambda _: None)))
                    ]
                ]

            took = seconds(shared, jobs)
            kept = shared(jobs)
            held = len(pickle.dumps(kept)) / len(kept)
            found[name] = {
                "one_by_one_ms": 1e3 * seconds(one_by_one, jobs[: max(2, count // 10)]),
                "shared_ms": 1e3 * took,
                "kilobytes": held / 1e3,
            }
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configurations", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.configurations)
    for name, of_sweep in found.items():
        ratio = of_sweep["one_by_one_ms"] / of_sweep["shared_ms"]
        print(
            f"{name:20} {of_sweep['one_by_one_ms']:7.1f} ms one by one, {of_sweep['shared_ms']:6.1f} ms shared "
            f"({ratio:.1f} times as fast), {of_sweep['kilobytes']:.1f} kB a configuration"
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
