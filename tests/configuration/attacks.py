"""Configurations that somebody put into a file so that reading it runs a command of theirs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Config = dict[str, Any]


def _loss(target: str, **options: Any) -> Callable[[Config, Path], Config]:
    def attack(config: Config, mark: Path) -> Config:
        given = {key: value.replace("MARK", str(mark)) for key, value in options.items()}
        return config | {"loss": {"_target_": target, **given}}

    return attack


def _group(group: str, options: Any) -> Callable[[Config, Path], Config]:
    def attack(config: Config, mark: Path) -> Config:
        return config | {group: _filled(options, mark)}

    return attack


def _filled(options: Any, mark: Path) -> Any:
    if isinstance(options, dict):
        return {key: _filled(value, mark) for key, value in options.items()}
    return options.replace("MARK", str(mark)) if isinstance(options, str) else options


SYSTEM = {"_target_": "os.system", "command": "touch MARK"}

ATTACKS: dict[str, Callable[[Config, Path], Config]] = {
    "a command as loss": _loss("os.system", command="touch MARK"),
    "by an alias in a loss's module": _loss("src.losses.bce.torch.os.system", command="touch MARK"),
    "by an alias in the standard library": _loss("logging.os.system", command="touch MARK"),
    "a file that is unpickled": _loss("pandas.read_pickle", filepath_or_buffer="MARK.pickle"),
    "code that is evaluated": _loss("builtins.eval", source="open('MARK', 'w')"),
    "a process, partially": _group("loss", {**SYSTEM, "_partial_": True}),
    "a module that runs as it is imported": _loss("evil_module.Loss"),
    "a class of another kind": _loss("src.models.networks.cnn.CNN"),
    "a class where it is not defined": _loss("src.losses.bce.Loss"),
    "a function of this project": _loss("src.losses.base.in_range"),
    "a command as network": _group("model", SYSTEM),
    "a command as data": _group("data", {"_target_": "subprocess.check_output", "args": "touch MARK"}),
    "a command as optimizer": _group("optimizer", SYSTEM),
    "a command as scheduler": _group("scheduler", SYSTEM),
    "a command as callback": _group("callbacks", {"best": SYSTEM}),
    "a command as logger": _group("logger", {"wandb": SYSTEM}),
    "a command as trainer": _group("trainer", SYSTEM),
    "a command as augmentation": _group("augment", {"mixing": SYSTEM}),
    "a command as transfer": _group("transfer", SYSTEM),
    "a command within options": _group("generation", {"soundfont": SYSTEM}),
    "trust from the file itself": lambda config, mark: (
        _loss("evil_module.Loss")(config, mark) | {"trust": ["evil_module"]}
    ),
}
"""By what they try: from the configuration of a checkpoint and the file that a command would touch to the attack."""

EVIL_MODULE = """
from pathlib import Path
from src.losses.bce import BCE

Path({mark!r}).touch()


class Loss(BCE):
    pass
"""
