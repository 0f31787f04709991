"""From a frozen configuration to the objects of a trial."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from src.configuration.checkpoint_files import KIND, read_checkpoint
from src.configuration.make import make
from src.configuration.targets import find_class, find_task
from src.datamodules.base import DataModule
from src.losses.base import Loss
from src.losses.bce import balanced_pos_weight
from src.losses.uncertainty import variances_of
from src.models.learner import Learner
from src.models.transfer import Transfer, load_features
from src.tasks.base import Task

Config = Mapping[str, Any]


def build_data(config: Config) -> DataModule:
    """The LightningDataModule; nothing is built or read yet."""
    return cast(
        DataModule,
        make(
            config["data"],
            "data",
            cache_dir=Path(config["outputs"]) / "cache",
            batch_size=config["batch_size"],
            shuffle_seed=config["seed"],
        ),
    )


def build_network(config: Config, task: Task, n_columns: int, item_shape: Sequence[int]) -> nn.Module:
    """The network with fresh weights.

    Args:
        config: the trial's.
        task: of the items.
        n_columns: of the logits.
        item_shape: of an item of the data.
    """
    asked = inspect.signature(find_class(config["model"]["_target_"], "model")).parameters
    known = task.network_arguments(n_columns, item_shape)
    given = {name: value for name, value in known.items() if name in asked}
    return cast(nn.Module, make(config["model"], "model", **given))


def build_loss(config: Config) -> Loss:
    """The loss; what is to be counted on the training part stays open."""
    options = dict(config["loss"])
    if options.get("pos_weight") == "balanced":
        options["pos_weight"] = None
    return cast(Loss, make(options, "loss"))


def counted_loss(options: Config, data: DataModule) -> dict[str, Any]:
    """Return a loss's options with `pos_weight=balanced` and `variances=null` counted on training.

    Args:
        options: the loss's.
        data: set up.
    """
    counted = dict(options)
    if "variances" in counted and counted["variances"] is None:
        counted["variances"] = variances_of(torch.tensor(data.training_truth()))
    if counted.get("pos_weight") == "balanced":
        counted["pos_weight"] = balanced_pos_weight(torch.tensor(data.training_truth()))
    return counted


def build_learner(config: Config, data: DataModule) -> Learner:
    """The LightningModule, ready to be trained on `data`, which must be set up."""
    config = {**config, "loss": counted_loss(config["loss"], data)}
    learner = assemble(
        config,
        describe(config, data),
        build_loss(config),
        [torch.from_numpy(values) for values in data.statistics()],
        make_optimizer=make(config["optimizer"], "optimizer"),
        scheduler=scheduler_options(config),
        augment=[make(options, "augment") for options in config["augment"].values()],
        regularization=build_regularization(config),
        transfer=build_transfer(config),
    )
    if config["init_from"]:
        weights = read_checkpoint(config["init_from"], "init_from")["state_dict"]
        load_features(learner.network, weights, config["init_from"])
    return learner


def scheduler_options(config: Config) -> dict[str, Any]:
    """The scheduler's options with its class in place of the class's name."""
    options = dict(config["scheduler"])
    if options.get("_target_"):
        options["_target_"] = find_class(options["_target_"], "scheduler")
    return options


def build_regularization(config: Config) -> nn.Module | None:
    """What is added to the training loss, if anything."""
    options = config["regularization"]
    return make(options, "regularization") if options.get("_target_") else None


def build_transfer(config: Config) -> Transfer:
    """How features that come from another checkpoint are trained."""
    return Transfer.read(config["transfer"])


def assemble(
    config: Config,
    description: Config,
    loss: Loss,
    statistics: Sequence[torch.Tensor],
    **training: Any,
) -> Learner:
    """Put network and loss into the LightningModule of the task.

    Args:
        config: the trial's.
        description: see `describe`.
        loss: the loss.
        statistics: of the training split, those that the task names.
        training: what is needed for training only; see `Learner`.
    """
    task, names = task_of(description), description["classes"]
    network = build_network(config, task, len(names), description["item_shape"])
    loss.prepare(len(names))
    return task.learner(
        network,
        loss,
        description,
        kind=description["target"],
        names=names,
        objective=config["objective"],
        **dict(zip(task.statistics, statistics, strict=True)),
        **training,
    )


def task_of(description: Config) -> Task:
    """Return the task of a checkpoint.

    Args:
        description: see `describe`; checkpoints of early versions do not name their task.
    """
    early = "rolls" if description["target"] == "rolls" else "spectrograms"
    return find_task(str(description.get("inputs") or early))


def describe(config: Config, data: DataModule) -> dict[str, Any]:
    """What a checkpoint carries beside its weights, as plain values."""
    return {
        "kind": KIND,
        "config": dict(config),
        "classes": list(data.classes),
        "inputs": data.inputs,
        "target": data.target,
        "item_shape": list(data.item_shape),
        "pool": data.pool,
        "level": data.level,
    }
