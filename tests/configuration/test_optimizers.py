"""conf/optimizer: a choice named like an optimizer is that optimizer as torch defines it, but for its learning rate."""

import inspect
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from tests.conftest import CONF

DIFFERENT = {"adamw_short": {"betas": [0.9, 0.98], "weight_decay": 0.05}}
"""What a choice changes of its optimizer."""

SHORT = (
    "chinese",
    "genre",
    "irmas",
    "mixtures",
    "mood",
    "nottingham",
    "synth_instruments",
    "synth_instruments_unseen",
)


def optimizer(*overrides: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        options: Any = OmegaConf.to_container(compose("config", list(overrides)).optimizer, resolve=True)
    return dict(options)


@pytest.mark.parametrize("choice", sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml")))
def test_only_listed_options_differ_from_torch(choice: str) -> None:
    options = optimizer(f"optimizer={choice}")
    kind = getattr(torch.optim, options.pop("_target_").rpartition(".")[2])
    defaults = {name: each.default for name, each in inspect.signature(kind).parameters.items()}

    for name in ("_partial_", "lr"):
        del options[name]
    defaults["betas"] = list(defaults.get("betas", ()))
    different = {name: value for name, value in options.items() if value != defaults[name]}
    assert different == DIFFERENT.get(choice, {})


@pytest.mark.parametrize("preset", SHORT)
def test_presets_for_short_trainings_keep_their_second_beta(preset: str) -> None:
    assert optimizer(f"experiment={preset}")["betas"] == [0.9, 0.98]


def test_another_optimizer_of_a_preset_takes_nothing_of_the_preset_but_the_rate() -> None:
    assert optimizer("experiment=mixtures", "optimizer=adam") == optimizer(
        "optimizer=adam", "optimizer.lr=3e-3"
    )
