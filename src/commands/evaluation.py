"""`mode=test`: metrics of a checkpoint, or of the average of several, on the test split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.commands.checkpoint import checkpoint_paths, checkpoints_signature, load_all
from src.commands.open_set import measure_open
from src.commands.other_classes import (
    ClassMap,
    check_compatible,
    class_map,
    known_items,
    with_trained_features,
)
from src.commands.tested_data import check_classes_and_features, check_splits, data_config, is_same_data_set
from src.commands.thresholds import check_thresholds, thresholds_of
from src.configuration.build import build_data, task_of
from src.datamodules.base import DataModule
from src.environment import environment
from src.fingerprint import value_hash, write_json
from src.libraries import configure_libraries
from src.metrics.kinds import direction
from src.metrics.measuring import Measured, measure
from src.models.learner import Learner
from src.pictures import draw_tables
from src.tasks.base import Trained
from src.terminal import line_console
from src.trial import measured_baselines


def test(config: dict[str, Any], overrides: list[str]) -> int:
    """Test checkpoints on the data that they were trained on, or on other data that the command line names.

    A single checkpoint repeats the figures of its trial: same precision, same threshold. The outputs of several are
    averaged, and their threshold is tuned on validation. `thresholds=` chooses one for each class: on validation
    (SCut), or so that each class is answered as often as it occurs in validation (PCut).

    Returns:
        The exit code.
    """
    configure_libraries()
    paths = checkpoint_paths(config["checkpoint"])
    trained = load_all(paths)
    check_thresholds(config["thresholds"], trained[0], other_classes=bool(config["class_map"]))
    tested = data_config(trained[0], config, overrides)
    own, same_data_set = trained[0].config["data"], is_same_data_set(trained[0], tested)
    if config["class_map"]:
        tested["data"] = with_trained_features(tested, trained[0])
    data = build_data(tested)
    data.check()
    if same_data_set:
        data.check_test(own)
    mapping = None
    if config["class_map"]:
        check_compatible(trained[0], data)
        mapping = class_map(config["class_map"], data.classes, trained[0].description["classes"])
        if own.get("root"):
            check_splits(trained[0], data, tested)
    else:
        check_classes_and_features(trained[0], data, tested)
    data.prepare_data()
    data.setup("test")
    for member in trained:
        member.learner.pool = data.pool
    if mapping:
        metrics = _measure_known_classes(trained, data, tested, config["class_map"], mapping)
    else:
        metrics = _measure(trained, data, tested, config["thresholds"])
    name = _folder_name(paths, trained[0], tested, data)
    if config["class_map"]:
        name += f"-{value_hash(config['class_map'])}"
    if config["thresholds"] != "single":
        name += f"-{config['thresholds']}"
    folder = Path(config["outputs"]) / "tested" / name
    write_json(folder / "metrics.json", metrics)
    draw_tables(metrics["test"], folder, metrics["intervals"])
    _print(metrics, folder)
    return 0


def _folder_name(paths: list[Path], trained: Trained, tested: dict[str, Any], data: DataModule) -> str:
    """Return the checkpoints' signature, followed by that of the data where these are not their own."""
    signature = checkpoints_signature(paths)
    own = value_hash(trained.config["data"])
    now = value_hash({**tested["data"], **data.resolved()})
    return signature if own == now else f"{signature}-{value_hash([data.signature, now])}"


def _measure(
    trained: list[Trained], data: DataModule, config: dict[str, Any], thresholds: str
) -> dict[str, Any]:
    first, names = trained[0].learner, data.classes
    val, val_targets, _ = _outputs(trained, data.val_dataloader(), config)
    test, targets, loss = _outputs(trained, data.test_dataloader(), config)
    on_val, on_test = thresholds_of(thresholds, trained, (val, val_targets, data.groups("val")), test, names)
    measured = measure(first.kind, test, targets, on_test, names, loss=loss, groups=data.groups("test"))
    further = {}
    if len(trained) == 1:
        further = task_of(trained[0].description).further_metrics(first, data)
    chosen = dict(zip(names, on_test.tolist(), strict=True)) if isinstance(on_test, Tensor) else on_test
    on_val_split = measure(first.kind, val, val_targets, on_val, names)
    return _described(trained, config, on_val_split.metrics, measured) | {
        "test": {**measured.metrics, **further},
        "threshold": chosen,
        "thresholds": thresholds,
        "baselines": measured_baselines(data),
        "data": data.summary(),
    }


def _described(
    trained: list[Trained], config: dict[str, Any], on_val: Mapping[str, Any], on_test: Measured
) -> dict[str, Any]:
    """Return the entries that every `metrics.json` of a test has."""
    objective = config["objective"]
    return {
        "objective": {"name": objective, "value": on_val.get(objective), "direction": direction(objective)},
        "checkpoints": [str(member.path) for member in trained],
        "val": on_val,
        "test": on_test.metrics,
        "intervals": on_test.intervals,
        "environment": environment(config["trainer"]),
    }


def _measure_known_classes(
    trained: list[Trained],
    data: DataModule,
    config: dict[str, Any],
    names: dict[str, str],
    mapping: ClassMap,
) -> dict[str, Any]:
    """Return metrics on the items of another data set whose classes the checkpoints know, at their own threshold."""
    learners = [member.learner for member in trained]
    target, classes = (trained[0].description[key] for key in ("target", "classes"))
    logits, targets = _logits(learners, data.test_dataloader(), config["trainer"])
    outputs = _mean_outputs(learners, logits)
    outputs, truth, groups = known_items(mapping, data, outputs, targets, one_class=target == "multiclass")
    threshold = float(torch.stack([learner.threshold for learner in learners]).mean())
    measured = measure_open(target, mapping, classes, outputs, truth, threshold, groups)
    return _described(trained, config, {}, measured) | {
        "threshold": threshold,
        "thresholds": "single",
        "baselines": {},
        "data": data.summary() | {"tested_items": len(truth), "class_map": names},
    }


def _outputs(
    trained: list[Trained], batches: Any, config: dict[str, Any]
) -> tuple[Tensor, Any, float | None]:
    """Return the mean outputs (N, C), the targets, and, for a single checkpoint, the loss."""
    learners = [member.learner for member in trained]
    logits, targets = _logits(learners, batches, config["trainer"])
    outputs = _mean_outputs(learners, logits)
    truth = learners[0].kind.truth(targets)
    loss = float(learners[0].loss(logits[0], truth)) if len(learners) == 1 else None
    return outputs, targets, loss


def _mean_outputs(learners: list[Learner], logits: list[Tensor]) -> Tensor:
    outputs = [learner.outputs(of_learner) for learner, of_learner in zip(learners, logits, strict=True)]
    return torch.stack(outputs).mean(0)


def _logits(learners: list[Learner], batches: Any, trainer: dict[str, Any]) -> tuple[list[Tensor], Any]:
    """Return the logits of each checkpoint, (N, C) each, and the targets of the N items.

    Args:
        learners: of the checkpoints.
        batches: of items, as a data loader yields them.
        trainer: the options of the trial's trainer; its precision is used, so that figures equal the trial's.
    """
    # The checkpoint may come from a machine with a device that this one lacks.
    device = torch.device(trainer["accelerator"] if _is_available(trainer["accelerator"]) else "cpu")
    precision = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(trainer["precision"])
    logits: list[list[Tensor]] = [[] for _ in learners]
    targets = []
    with torch.inference_mode(), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        for batch in batches:
            on_device = tuple(tensor.to(device) for tensor in batch)
            for learner, of_learner in zip(learners, logits, strict=True):
                of_batch, truth = learner.to(device).logits_and_targets(learner.prepare(on_device))  # (B, C)
                # Only logits are kept, on the CPU and in full precision: metrics are computed from all items at once.
                of_learner.append(of_batch.float().cpu())
            # The targets do not depend on the checkpoint: those of the last one count for all.
            targets.append(truth)
    return [torch.cat(of_learner) for of_learner in logits], learners[0].kind.join(targets)


def _is_available(accelerator: str) -> bool:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return available.get(accelerator, False)


def _print(metrics: dict[str, Any], folder: Path) -> None:
    console = line_console()
    for name, value in metrics["test"].items():
        if isinstance(value, float):
            low, high = metrics["intervals"].get(name, (None, None))
            interval = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
            console.print(f"test {name}: {value:.4f}{interval}")
    console.print(f"written: {folder}/metrics.json")
