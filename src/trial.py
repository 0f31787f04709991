"""One trial, from its configuration to `metrics.json`."""

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.fabric.utilities.data import sized_len
from lightning.pytorch.callbacks import ModelCheckpoint
from threadpoolctl import threadpool_limits

from src.callbacks.history import History
from src.callbacks.kept_outputs import KeptOutputs
from src.callbacks.progress import ProgressReport
from src.callbacks.seed_epochs import SeedEpochs
from src.callbacks.stay_stopped import StayStopped
from src.configuration.atomic_checkpoints import checkpoint_to_resume, forget_unneeded
from src.configuration.build import build_data, build_learner
from src.configuration.build_loggers import build_loggers, close_loggers, log_objective
from src.configuration.build_trainer import build_trainer
from src.configuration.checkpoint_checks import BEST
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.checks import freeze, incomparable
from src.configuration.devices import visible_gpus
from src.configuration.roles import key_roles
from src.configuration.targets import find_task
from src.configuration.trainer_arguments import check_validation
from src.datamodules.base import DataModule
from src.datamodules.first_batches import overfitted
from src.environment import environment
from src.errors import NotFiniteError, UserError
from src.fingerprint import code_hash, value_hash, write_json
from src.jackknife import Jackknife
from src.libraries import configure_libraries
from src.messages import dispensable
from src.metrics.baseline_data import BaselineData, Split
from src.metrics.halves import judge_epochs
from src.metrics.item_groups import Groups
from src.metrics.kept import FILE, Answered, read_jackknife, write_kept
from src.metrics.kinds import KINDS, cautions, direction, further_baselines, matters
from src.metrics.measuring import Measured
from src.models.learner import Answers, Learner, StepOutput
from src.options import Role
from src.pictures import learning_curves
from src.splitting.splits import SPLITS
from src.tasks.base import Finished

__all__ = ["freeze", "gpus", "gpus_needed", "incomparable", "jackknife", "prepare", "roles", "run"]

Config = Mapping[str, Any]
Report = Callable[[dict[str, Any]], None]


def roles(config: Config) -> dict[str, frozenset[Role]]:
    """What the keys of a configuration are to a trial, as the classes say that it names."""
    return key_roles(config)


def gpus() -> list[str]:
    """Return the names of the GPUs that trials may be placed on."""
    return visible_gpus()


def gpus_needed(config: Config) -> int:
    """Return the number of GPUs that a trial occupies; 0 on a CPU."""
    return int(config["trainer"]["devices"]) if config["trainer"]["accelerator"] == "cuda" else 0


def prepare(configs: Sequence[Config]) -> None:
    """Build the data sets of some trials and measure their baselines, each data set once."""
    prepared = set()
    for config in configs:
        data = build_data(config)
        key = value_hash({"data": config["data"], "batch_size": config["batch_size"]})
        if key not in prepared:
            prepared.add(key)
            data.prepare_data()
            data.setup("fit")
            measured_baselines(data)


def run(config: Config, folder: Path, report: Report, info: Mapping[str, Any]) -> float:
    """Train, test the best checkpoint, and write `predictions.npz`, `metrics.json` and `samples/`.

    Without `info["test"]` the best checkpoint is measured on validation only: its answers and metrics on test, and what
    is made of them, are left out.

    Training continues from `checkpoints/last.ckpt` if it exists, or the one before if that can't be read; where the
    `best.ckpt` that it names is gone, training begins anew. With `overfit_batches` the best checkpoint is the best on
    those batches; the test is on the whole test split, as ever. A picture or other sample that can't be written is
    left out.

    Args:
        config: frozen.
        folder: of the trial.
        report: called with `{"epoch", "epochs", "objective", "direction"}` after each epoch with a validation.
        info: `signature`, `attempt`, `sweep` and `overrides`, for the loggers; `test`: whether the test split is read.

    Returns:
        The objective.

    Raises:
        FloatingPointError: a loss or an output is not finite.
        UserError: training ended without a validation.
    """
    begun = time.monotonic()
    configure_libraries()
    _threads_and_seed(config["seed"])
    with threadpool_limits(torch.get_num_threads(), user_api="blas"):
        return _run(config, folder, report, info, begun)


def jackknife(
    folders: Sequence[Path], metric: str, blocks: int = 100, split: str = "test"
) -> list[Jackknife | None]:
    """Compute a metric of finished trials from their kept answers, with and without each block of groups.

    Args:
        folders: of the trials.
        metric: its name.
        blocks: the most blocks that groups are dealt to.
        split: `test` or `val`.

    Returns:
        For each trial, `None` where nothing is kept or the metric can't be computed from it, such as `loss`.
    """
    with threadpool_limits(1):  # which is faster for so little, and gives sums one order
        return [read_jackknife(folder / FILE, metric, blocks, split) for folder in folders]


def _run(config: Config, folder: Path, report: Report, info: Mapping[str, Any], begun: float) -> float:
    data = build_data(config)
    data.prepare_data()
    data.setup("fit")
    learner = build_learner(config, data)
    history, kept = History(folder / "history.csv"), KeptOutputs()
    objective = f"val/{config['objective']}"
    loggers = build_loggers(config, folder, info)
    failed = True
    try:
        callbacks = [
            SeedEpochs(config["seed"]),
            StayStopped(),
            history,
            ProgressReport(report, objective, direction(config["objective"])),
            kept,
        ]
        trainer = build_trainer(config, folder, callbacks, loggers)
        resumed = checkpoint_to_resume(folder / "checkpoints", learner.state_dict())
        groups = {split: data.groups(split) for split in SPLITS[1:]}
        learner.validation_groups = None if config["overfit_batches"] else groups["val"]
        with overfitted(data, config["overfit_batches"]):
            check_validation(config["trainer"], sized_len(data.train_dataloader()))
            trainer.fit(learner, data, ckpt_path=resumed, weights_only=True)
        fit_s, epochs = time.monotonic() - begun, trainer.current_epoch
        if not history.rows:
            raise UserError(
                "training ended before its first validation; raise trainer.max_time or max_epochs."
            )
        splits = SPLITS[1:] if info["test"] else SPLITS[1:2]
        _evaluate_best(trainer, learner, data, splits)
        measured = {split: _measured(learner, split, kept.outputs[split], groups[split]) for split in splits}
        val = measured["val"][1]
        if trainer.is_global_zero:
            answered = {
                split: Answered(answers.outputs, answers.targets, groups[split])
                for split, (answers, _) in measured.items()
            }
            write_kept(
                folder / FILE,
                data.target,
                answered,
                float(learner.threshold),
                learner.names,
                config["objective"],
            )
            samples = folder / "samples"
            with dispensable(samples):
                samples.mkdir(exist_ok=True)
            metrics = _on_validation(config, learner, data, val, history)
            finished = Finished(config, learner, data, samples, *measured["test"]) if info["test"] else None
            if finished:
                _add_test(metrics, finished)
            seconds = {
                "fit_s": round(fit_s, 3),
                "epochs": epochs,
                "total_s": round(time.monotonic() - begun, 3),
            }
            write_json(folder / "metrics.json", metrics | {"time": seconds})
            if finished:
                _write_samples(finished)
            _draw_curves(samples, history, config)
            forget_unneeded(folder / "checkpoints")
            log_objective(loggers, config, val.metrics[config["objective"]])
        failed = False
    finally:
        close_loggers(loggers, failed=failed)
    return float(val.metrics[config["objective"]])


def measured_baselines(data: DataModule) -> dict[str, Any]:
    """Return the baselines' metrics on the test split, cached with the data.

    They are computed in one thread, so that sums have one order and metrics agree to the last digit everywhere.
    """
    source = Path(__file__).resolve().parent
    path = data.folder / f"baselines-{code_hash([source / 'metrics'], source)}{data.statistics_suffix}.json"
    with suppress(OSError, ValueError):
        cached: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cached
    with threadpool_limits(1):
        train, val, test = (Split(*data.arrays(split)) for split in SPLITS)
        splits = BaselineData(train, val, test, data.classes)
        baselines = dict(KINDS[data.target].baselines(splits))
        baselines |= further_baselines(data.target, splits)
    write_json(path, baselines)
    return baselines


def _threads_and_seed(seed: int) -> None:
    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _evaluate_best(
    trainer: lightning.Trainer, learner: Learner, data: DataModule, splits: Sequence[str]
) -> None:
    best = _best_checkpoint(trainer)
    if best is not None:
        try:
            learner.load_state_dict(read_checkpoint(best)["state_dict"])
        except NotFiniteError as error:
            raise FloatingPointError("weights of the best epoch are not all finite numbers") from error
    trainer.validate(learner, data, verbose=False)
    if "test" in splits:
        trainer.test(learner, data, verbose=False)


def _best_checkpoint(trainer: lightning.Trainer) -> Path | None:
    """Return the checkpoint of the best weights; `None` where no callback keeps them."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.filename == BEST and callback.best_model_path:
            return Path(callback.best_model_path)
    return None


def _measured(
    learner: Learner, split: str, outputs: Sequence[StepOutput], groups: Groups
) -> tuple[Answers, Measured]:
    answers = learner.answers(outputs)
    threshold = learner.validation_threshold(answers, groups) if split == "val" else None
    return answers, learner.measure(answers, groups, threshold=threshold)


def _on_validation(
    config: Config, learner: Learner, data: DataModule, val: Measured, history: History
) -> dict[str, Any]:
    """Return the content of `metrics.json`, without what is measured on test, and without times."""
    objective = config["objective"]
    judged = judge_epochs(history.rows, f"val/{objective}", direction(objective))
    interval = val.intervals.get(objective)
    return {
        "objective": {
            "name": objective,
            "value": val.metrics[objective],
            "direction": direction(objective),
            "matters": matters(objective),
            "cautions": cautions(objective),
            **({} if judged is None else {"judged": judged.value, "flattered": judged.flattered}),
        },
        "seed": config["seed"],
        "val": val.metrics,
        "threshold": float(learner.threshold),
        "intervals": {} if interval is None else {f"val_{objective}": interval},
        "baselines": measured_baselines(data),
        "data": data.summary(),
        "parameters": sum(p.numel() for p in learner.network.parameters()),
        "environment": environment(config["trainer"]),
    }


def _add_test(metrics: dict[str, Any], finished: Finished) -> None:
    """Add to `metrics.json` what is measured on test, and the task's results."""
    task = find_task(finished.data.inputs)
    further = task.further_metrics(finished.learner, finished.data)
    findings = task.finish(finished)
    metrics["test"] = {**finished.test.metrics, **further, **findings.test}
    metrics["intervals"] = {**finished.test.intervals, **metrics["intervals"]}
    metrics["baselines"] = {
        name: {**values, **findings.baselines.get(name, {})} for name, values in metrics["baselines"].items()
    }
    metrics.update(findings.entries)


def _write_samples(finished: Finished) -> None:
    with dispensable(finished.samples):
        find_task(finished.data.inputs).write_samples(finished)


def _draw_curves(samples: Path, history: History, config: Config) -> None:
    curves = samples / "learning_curves.png"
    with dispensable(curves):
        learning_curves(history.rows, f"val/{config['objective']}", curves, config["overfit_batches"])
