"""From a frozen configuration to the objects of a trial."""

import netrc
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from hydra.utils import get_class, get_object
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger, WandbLogger
from torch import nn

from src.audio.mel import LogMel
from src.audio.roll_files import NO_SOUND
from src.audio.soundfonts import find_soundfont
from src.callbacks.music_samples import MusicSamples
from src.datamodules.base import DataModule
from src.errors import UserError
from src.generation.options import Generation
from src.losses.base import Loss
from src.losses.bce import balanced_pos_weight
from src.models.classifier import Classifier
from src.models.generator import Generator
from src.models.learner import Learner
from src.models.networks.sequence_base import SequenceNetwork
from src.models.sequence_classifier import SequenceClassifier
from src.models.transfer import Transfer, load_features

Config = Mapping[str, Any]

KIND = "polysweep"
"""Marks the checkpoints that this project can load."""


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
    shape = {"in_channels": item_shape[0]}
    if issubclass(get_class(str(config["model"]["_target_"])), SequenceNetwork):
        shape["n_rows"] = item_shape[1]
    return cast(nn.Module, make(config["model"], "model", n_classes=n_columns, **shape))


def build_loss(config: Config, data: DataModule | None = None) -> Loss:
    """The loss. `pos_weight=balanced` is counted on the training part of `data`, which must be set up."""
    options = dict(config["loss"])
    if options.get("pos_weight") == "balanced":
        options["pos_weight"] = None if data is None else balanced_pos_weight(training_truth(data))
    return cast(Loss, make(options, "loss"))


def training_truth(data: DataModule) -> torch.Tensor:
    """Zeros and ones of the training part, (N, C); of rolls, every column."""
    features, targets = data.arrays("train")
    return torch.tensor(features if data.target == "rolls" else targets)


def build_learner(config: Config, data: DataModule) -> Learner:
    """The LightningModule, ready to be trained on `data`, which must be set up."""
    statistics = data.statistics()
    learner = assemble(
        config,
        describe(config, data),
        build_loss(config, data),
        None if statistics is None else tuple(torch.from_numpy(values) for values in statistics),
        make_optimizer=make(config["optimizer"], "optimizer"),
        scheduler=config["scheduler"],
        augment=[make(options, "augment") for options in config["augment"].values()],
        regularization=build_regularization(config),
        transfer=build_transfer(config),
    )
    if config["init_from"]:
        load_features(learner.network, features_of(config["init_from"])[1], config["init_from"])
    return learner


def build_regularization(config: Config) -> nn.Module | None:
    """What is added to the training loss, if anything."""
    options = config["regularization"]
    return make(options, "regularization") if options.get("_target_") else None


def build_transfer(config: Config) -> Transfer:
    """How features that come from another checkpoint are trained."""
    target = f"{Transfer.__module__}.{Transfer.__qualname__}"
    return cast(Transfer, make({"_target_": target, **config["transfer"]}, "transfer"))


def features_of(path: str | Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Description and weights of a checkpoint.

    Raises:
        UserError: the file is missing, no checkpoint, or one of another kind.
    """
    if not Path(path).expanduser().is_file():
        raise UserError(
            f"init_from={path}: there is no such file; outputs/runs/*/checkpoints/ holds checkpoints."
        )
    try:
        state = torch.load(Path(path).expanduser(), map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"init_from={path}: it cannot be read as a checkpoint; give a best.ckpt.") from error
    description = state.get("hyper_parameters") if isinstance(state, Mapping) else None
    if not isinstance(description, Mapping) or description.get("kind") != KIND:
        raise UserError(f"init_from={path}: it is of another kind; give a best.ckpt that mode=train wrote.")
    return dict(description), dict(state["state_dict"])


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
    }


def generation_options(config: Config) -> Generation:
    """What music is generated with.

    Raises:
        UserError: an option is outside its range, or there is no such soundfont.
    """
    target = f"{Generation.__module__}.{Generation.__qualname__}"
    options = cast(Generation, make({"_target_": target, **config["generation"]}, "generation"))
    if options.soundfont != NO_SOUND:
        find_soundfont(options.soundfont)
    return options


def build_trainer(
    config: Config, folder: Path, callbacks: list[Callback], loggers: list[Logger]
) -> lightning.Trainer:
    """Lightning's Trainer with the configuration's callbacks before those given."""
    options = dict(config["trainer"])
    quiet = {"enable_model_summary": False, "num_sanity_val_steps": 0, "use_distributed_sampler": False}
    chosen = build_callbacks(config, folder, logged=bool(loggers))
    bar = any("ProgressBar" in type(callback).__name__ for callback in chosen)
    trainer = make(
        {**quiet, "enable_progress_bar": bar, "log_every_n_steps": 10**9, **options},
        "trainer",
        callbacks=[*chosen, *callbacks],
        logger=loggers or False,
        default_root_dir=folder,
    )
    return cast(lightning.Trainer, trainer)


def build_callbacks(config: Config, folder: Path, *, logged: bool) -> list[Callback]:
    """The callbacks of the configuration; checkpoints lie in `checkpoints/`, music in `samples/`.

    A progress bar needs a terminal, and a log of learning rates a logger: without, they are left out.
    """
    built = []
    for options in config["callbacks"].values():
        target = options["_target_"]
        if "ProgressBar" in target and not os.isatty(1):
            continue
        if "LearningRateMonitor" in target and not logged:
            continue
        more: dict[str, Any] = {}
        if target.endswith(ModelCheckpoint.__name__):
            more = {"dirpath": folder / "checkpoints"}
        elif target.endswith(MusicSamples.__name__):
            more = {"folder": folder / "samples", "options": config["generation"]}
        built.append(make(options, "callbacks", **more))
    return built


def build_loggers(config: Config, folder: Path, info: Mapping[str, Any]) -> list[Logger]:
    """The loggers of the configuration, writing into the trial's folder.

    A W&B run is named by the trial's overrides, its id is signature and attempt, its group the sweep.
    """
    return [cast(Logger, _logger(options, config, folder, info)) for options in config["logger"].values()]


def _logger(options: Config, config: Config, folder: Path, info: Mapping[str, Any]) -> Any:
    if not options["_target_"].endswith(WandbLogger.__name__):
        return make(options, "logger", save_dir=folder, name="", version="")
    settings = {key: value for key, value in options.items() if key != "mode"}
    overrides = list(info["overrides"])
    return make(
        settings,
        "logger",
        save_dir=folder,
        offline=wandb_mode(str(options.get("mode", "auto"))) == "offline",
        id=f"{info['signature']}-{info['attempt']}",
        name=" ".join(overrides) or "defaults",
        group=info["sweep"] or None,
        tags=[text[:64] for text in overrides],
        config=dict(config),
        settings=_wandb_settings(),
    )


def _wandb_settings() -> Any:
    import wandb

    return wandb.Settings(console="off", silent=True, x_disable_stats=True, x_save_requirements=False)


def wandb_mode(mode: str) -> str:
    """Turn `auto` into `online` where a login is found (environment or netrc), else `offline`.

    Raises:
        UserError: another word.
    """
    if mode in ("online", "offline"):
        return mode
    if mode != "auto":
        raise UserError(f"logger.wandb.mode={mode}: choose auto, online or offline.")
    asked = os.environ.get("WANDB_MODE")
    if asked:
        return "online" if asked == "online" else "offline"
    if os.environ.get("WANDB_API_KEY"):
        return "online"
    host = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").split("://")[-1].split("/")[0]
    try:
        return "online" if netrc.netrc().authenticators(host) else "offline"
    except (OSError, netrc.NetrcParseError):
        return "offline"


def make(options: Config, group: str, /, **more: Any) -> Any:
    """Call `_target_` with the other options; with `_partial_`, what still wants arguments is given back.

    Plain values reach the target as they are (Hydra's `instantiate` would rebuild them as its own types).

    Raises:
        UserError: an option that the target does not take, or a value that it refuses.
    """
    known = {key: value for key, value in options.items() if not (key.startswith("_") and key.endswith("_"))}
    target = str(options.get("_target_"))
    try:
        called = get_object(target)
        return partial(called, **known, **more) if options.get("_partial_") else called(**known, **more)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{group} ({target}) cannot be built: {_first_line(error)}; check the keys of {group}."
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
