"""Builds the objects of a trial from its frozen configuration."""

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
    """Return the LightningDataModule; nothing is prepared or read yet."""
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
    """Return the network, freshly initialized.

    Args:
        config: the trial's configuration.
        task: the task of the items.
        n_columns: number of columns of the logits.
        item_shape: shape of an item of the data, without the batch.
    """
    parameters = inspect.signature(find_class(config["model"]["_target_"], "model")).parameters
    known = task.network_arguments(n_columns, item_shape)
    arguments = {name: value for name, value in known.items() if name in parameters}
    return cast(nn.Module, make(config["model"], "model", **arguments))


def build_loss(config: Config) -> Loss:
    """Return the loss; `pos_weight=balanced` stays unset, see `resolve_loss_options`."""
    options = dict(config["loss"])
    if options.get("pos_weight") == "balanced":
        options["pos_weight"] = None
    return cast(Loss, make(options, "loss"))


def resolve_loss_options(options: Config, data: DataModule) -> dict[str, Any]:
    """Return the options of a loss with `pos_weight=balanced` and `variances=null` computed from training targets.

    Args:
        options: of the loss.
        data: the data, set up.
    """
    resolved = dict(options)
    if "variances" in resolved and resolved["variances"] is None:
        resolved["variances"] = variances_of(torch.tensor(data.training_truth()))
    if resolved.get("pos_weight") == "balanced":
        resolved["pos_weight"] = balanced_pos_weight(torch.tensor(data.training_truth()))
    return resolved


def build_learner(config: Config, data: DataModule) -> Learner:
    """Return the LightningModule, ready to be trained on `data`, which must be set up."""
    config = {**config, "loss": resolve_loss_options(config["loss"], data)}
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
    """Return the scheduler's options with its class in place of the class's name."""
    options = dict(config["scheduler"])
    if options.get("_target_"):
        options["_target_"] = find_class(options["_target_"], "scheduler")
    return options


def build_regularization(config: Config) -> nn.Module | None:
    """Return the regularization that is added to the training loss, if there is one."""
    options = config["regularization"]
    return make(options, "regularization") if options.get("_target_") else None


def build_transfer(config: Config) -> Transfer:
    """Return how features that come from another checkpoint are trained."""
    return Transfer.read(config["transfer"])


def assemble(
    config: Config,
    description: Config,
    loss: Loss,
    statistics: Sequence[torch.Tensor],
    **training: Any,
) -> Learner:
    """Return the LightningModule of the task with its network and loss.

    Args:
        config: the trial's configuration.
        description: see `describe`.
        loss: the loss.
        statistics: of the training split, in the order of the task's `statistics`.
        training: arguments that only training needs; see `Learner`.
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
        description: see `describe`; in checkpoints of early versions it lacks `inputs`, the name of the task.
    """
    early = "rolls" if description["target"] == "rolls" else "spectrograms"
    return find_task(str(description.get("inputs") or early))


def describe(config: Config, data: DataModule) -> dict[str, Any]:
    """Return what a checkpoint carries besides its weights, as plain values."""
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
