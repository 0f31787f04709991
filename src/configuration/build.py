"""From a frozen configuration to the objects of a trial."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from src.audio.mel import LogMel
from src.audio.roll_files import NO_SOUND
from src.audio.soundfonts.installed import find_soundfont
from src.configuration.checkpoint_files import KIND, read_checkpoint
from src.configuration.make import build, make
from src.configuration.targets import find_class
from src.datamodules.base import DataModule
from src.generation.options import Generation
from src.losses.base import Loss
from src.losses.bce import balanced_pos_weight
from src.losses.uncertainty import variances_of
from src.models.classifier import Classifier
from src.models.generator import Generator
from src.models.learner import Learner
from src.models.sequence_classifier import SequenceClassifier
from src.models.transfer import Transfer, load_features

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


def build_network(config: Config, target: str, n_columns: int, item_shape: Sequence[int]) -> nn.Module:
    """The network with fresh weights.

    Args:
        config: the trial's.
        target: the kind of targets.
        n_columns: of the logits.
        item_shape: of an item of the data.
    """
    if target == "rolls":
        return cast(nn.Module, make(config["model"], "model", n_keys=n_columns))
    asked = inspect.signature(find_class(config["model"]["_target_"], "model")).parameters
    known = dict(zip(("in_channels", "n_rows", "n_frames"), item_shape, strict=True))
    shape = {name: size for name, size in known.items() if name == "in_channels" or name in asked}
    return cast(nn.Module, make(config["model"], "model", n_classes=n_columns, **shape))


def build_loss(config: Config) -> Loss:
    """The loss; what is to be counted on the training part stays open."""
    options = dict(config["loss"])
    if options.get("pos_weight") == "balanced":
        options["pos_weight"] = None
    return cast(Loss, make(options, "loss"))


def counted_loss(options: Config, data: DataModule) -> dict[str, Any]:
    """Give a loss's options with `pos_weight=balanced` and `variances=null` counted on training.

    Args:
        options: the loss's.
        data: set up.
    """
    counted = dict(options)
    if "variances" in counted and counted["variances"] is None:
        counted["variances"] = variances_of(training_truth(data))
    if counted.get("pos_weight") == "balanced":
        counted["pos_weight"] = balanced_pos_weight(training_truth(data))
    return counted


def training_truth(data: DataModule) -> torch.Tensor:
    """Zeros and ones of the training part, (N, C); of rolls, every column."""
    features, targets = data.arrays("train")
    return torch.tensor(features if data.target == "rolls" else targets)


def build_learner(config: Config, data: DataModule) -> Learner:
    """The LightningModule, ready to be trained on `data`, which must be set up."""
    statistics = data.statistics()
    config = {**config, "loss": counted_loss(config["loss"], data)}
    learner = assemble(
        config,
        describe(config, data),
        build_loss(config),
        None if statistics is None else tuple(torch.from_numpy(values) for values in statistics),
        make_optimizer=make(config["optimizer"], "optimizer"),
        scheduler=scheduler_options(config),
        augment=[make(options, "augment") for options in config["augment"].values()],
        regularization=build_regularization(config),
        transfer=build_transfer(config),
    )
    if config["init_from"]:
        load_features(learner.network, features_of(config["init_from"])[1], config["init_from"])
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
    return build(Transfer, config["transfer"], "transfer")


def features_of(path: str | Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Description and weights of a checkpoint.

    Raises:
        UserError: see `read_checkpoint`.
    """
    state = read_checkpoint(path, "init_from")
    return dict(state["hyper_parameters"]), dict(state["state_dict"])


def assemble(
    config: Config,
    description: Config,
    loss: Loss,
    statistics: tuple[torch.Tensor, ...] | None,
    **training: Any,
) -> Learner:
    """Put network and loss into the LightningModule that fits the targets.

    Args:
        config: the trial's.
        description: see `describe`.
        loss: the loss.
        statistics: mean and standard deviation of the features, of spectrograms only.
        training: what is needed for training only; see `Learner`.
    """
    target, names = description["target"], description["classes"]
    network = build_network(config, target, len(names), description["item_shape"])
    loss.prepare(len(names))
    options = {
        "kind": target,
        "names": names,
        "objective": config["objective"],
        "description": description,
        **training,
    }
    if statistics is None:
        return Generator(network, loss, **options)
    options |= {"mean": statistics[0], "std": statistics[1]}
    if description.get("inputs") == "sequences":
        return SequenceClassifier(network, loss, **options)
    features = LogMel(**description["config"]["data"]["features"])
    return Classifier(network, loss, features=features, pool=description.get("pool", "mean"), **options)


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


def generation_options(config: Config) -> Generation:
    """What music is generated with.

    Raises:
        UserError: an option is outside its range, or there is no such soundfont.
    """
    options = build(Generation, config["generation"], "generation")
    if options.soundfont != NO_SOUND:
        find_soundfont(options.soundfont)
    return options
