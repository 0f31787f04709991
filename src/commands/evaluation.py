"""`mode=test`: the test figures of a checkpoint, or of the average of several."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from src.commands.checkpoint import checkpoint_paths, checkpoints_signature, load_all
from src.commands.other_classes import ClassMap, as_trained, check_alike, class_map, known_items
from src.commands.tested_data import data_config, is_same_set, same_classes, same_parts
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
from src.trial import measured_baselines


def test(config: dict[str, Any], overrides: list[str]) -> int:
    """Test checkpoints on the data they were trained for, or as `data.…` on the command line changes it.

    A single checkpoint repeats the figures of its trial: same precision, same threshold. Several are averaged,
    and the threshold is tuned anew on validation. Those by class are, too (SCut), or cut each part at validation's
    shares (PCut).

    Returns:
        The exit code.
    """
    configure_libraries()
    paths = checkpoint_paths(config["checkpoint"])
    trained = load_all(paths)
    check_thresholds(config["thresholds"], trained[0], other_classes=bool(config["class_map"]))
    tested = data_config(trained[0], config, overrides)
    own, same_set = trained[0].config["data"], is_same_set(trained[0], tested)
    if config["class_map"]:
        tested["data"] = as_trained(tested, trained[0])
    data = build_data(tested)
    data.check()
    if same_set:
        data.check_test(own)
    mapping = None
    if config["class_map"]:
        check_alike(trained[0], data)
        mapping = class_map(config["class_map"], data.classes, trained[0].description["classes"])
        if own.get("root"):
            same_parts(trained[0], data, tested)
    else:
        same_classes(trained[0], data, tested)
    data.prepare_data()
    data.setup("test")
    for member in trained:
        member.learner.pool = data.pool
    if mapping:
        metrics = _measure_others(trained, data, tested, config["class_map"], mapping)
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
    """The checkpoint's signature; tested on other data than its own, both."""
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
    on_val, on_test = thresholds_of(thresholds, trained, val, val_targets, test, names)
    measured = measure(first.kind, test, targets, on_test, names, loss=loss, intervals=True)
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
    """What every `metrics.json` of a test says, whatever was tested."""
    objective = config["objective"]
    return {
        "objective": {"name": objective, "value": on_val.get(objective), "direction": direction(objective)},
        "checkpoints": [str(member.path) for member in trained],
        "val": on_val,
        "test": on_test.metrics,
        "intervals": on_test.intervals,
        "environment": environment(config["trainer"]),
    }


def _measure_others(
    trained: list[Trained],
    data: DataModule,
    config: dict[str, Any],
    names: dict[str, str],
    mapping: ClassMap,
) -> dict[str, Any]:
    """Figures on the items of other data whose classes the checkpoints know, at the threshold that they carry."""
    kind, learners = trained[0].learner.kind, [member.learner for member in trained]
    one_class = trained[0].description["target"] == "multiclass"
    logits, targets = _logits(learners, data.test_dataloader(), config["trainer"])
    outputs = torch.stack([one.outputs(its) for one, its in zip(learners, logits, strict=True)]).mean(0)
    outputs, truth = known_items(mapping, data, outputs, targets, one_class=one_class)
    threshold = float(torch.stack([one.threshold for one in learners]).mean())
    measured = measure(kind, outputs, truth, threshold, mapping.names, intervals=True)
    return _described(trained, config, {}, measured) | {
        "threshold": threshold,
        "thresholds": "single",
        "baselines": {},
        "data": data.summary() | {"tested_items": len(truth), "class_map": names},
    }


def _outputs(
    trained: list[Trained], batches: Any, config: dict[str, Any]
) -> tuple[Tensor, Any, float | None]:
    """Outputs (averaged), targets, and of one checkpoint the loss, in the trial's own precision."""
    learners = [member.learner for member in trained]
    logits, targets = _logits(learners, batches, config["trainer"])
    outputs = torch.stack([one.outputs(its) for one, its in zip(learners, logits, strict=True)]).mean(0)
    truth = learners[0].kind.truth(targets)
    loss = float(learners[0].loss(logits[0], truth)) if len(learners) == 1 else None
    return outputs, targets, loss


def _logits(learners: list[Learner], batches: Any, trainer: dict[str, Any]) -> tuple[list[Tensor], Any]:
    """Logits of each checkpoint, and targets; one batch at a time is held in memory."""
    device = torch.device(trainer["accelerator"] if _there(trainer["accelerator"]) else "cpu")
    precision = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(trainer["precision"])
    logits: list[list[Tensor]] = [[] for _ in learners]
    targets = []
    with torch.inference_mode(), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        for batch in batches:
            there = tuple(part.to(device) for part in batch)
            for learner, kept in zip(learners, logits, strict=True):
                of_batch, truth = learner.to(device).logits_and_targets(learner.prepare(there))
                kept.append(of_batch.float().cpu())
            targets.append(truth)
    return [torch.cat(kept) for kept in logits], learners[0].kind.join(targets)


def _there(accelerator: str) -> bool:
    return {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.get(
        accelerator, True
    )


def _print(metrics: dict[str, Any], folder: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for name, value in metrics["test"].items():
        if isinstance(value, float):
            low, high = metrics["intervals"].get(name, (None, None))
            console.print(
                f"test {name}: {value:.4f}" + (f" [{low:.3f}, {high:.3f}]" if low is not None else ""),
                markup=False,
            )
    console.print(f"written: {folder}/metrics.json")
