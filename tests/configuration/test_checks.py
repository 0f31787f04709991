from collections.abc import Callable
from typing import Any

import pytest
import torch

from src.configuration.checks import freeze
from src.configuration.devices import cpu_has_bf16, resolve_accelerator, resolve_precision
from src.errors import UserError

Compose = Callable[..., dict[str, Any]]


def test_every_auto_is_resolved(composed: Compose) -> None:
    frozen = freeze(composed("trainer.accelerator=auto"))
    left = [key for key, value in leaves(frozen) if value == "auto"]
    assert left == []
    assert frozen["objective"] == "f1_macro"
    assert frozen["callbacks"]["early_stopping"]["monitor"] == "val/f1_macro"
    assert frozen["callbacks"]["best"]["mode"] == "max"
    assert frozen["trainer"]["accelerator"] in ("cpu", "cuda", "mps")


def test_freezing_leaves_the_configuration_as_it_is_and_is_idempotent(composed: Compose) -> None:
    config = composed()
    before = repr(config)
    once = freeze(config)
    assert repr(config) == before
    assert freeze(once) == once


def test_an_objective_to_minimise(composed: Compose) -> None:
    frozen = freeze(composed("objective=loss", "scheduler=plateau"))
    assert frozen["callbacks"]["best"]["mode"] == "min"


def test_another_metric_is_monitored_in_its_direction(composed: Compose) -> None:
    callbacks = freeze(
        composed("callbacks.best.monitor=val/average_precision", "callbacks.early_stopping.monitor=loss")
    )["callbacks"]
    assert (callbacks["best"]["monitor"], callbacks["best"]["mode"]) == ("val/average_precision", "max")
    assert (callbacks["early_stopping"]["monitor"], callbacks["early_stopping"]["mode"]) == (
        "val/loss",
        "min",
    )


def test_names_of_one_precision_are_one_trial(composed: Compose) -> None:
    assert freeze(composed("trainer.precision=bf16")) == freeze(composed("trainer.precision=bf16-mixed"))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("loss=mse", ["loss=asymmetric, bce, focal", "MSE"]),
        ("loss=cross_entropy", ["multilabel"]),
        ("loss.pos_weight=[1,2]", ["12"]),
        ("batch_size=33", ["33", "32 items", "smaller"]),
        ("seed=abc", ["whole number"]),
        ("seed=-1", ["whole number"]),
        ("batch_size=0", ["batch_size=0", "from 1"]),
        ("objective=f1_makro", ["f1_macro"]),
        ("objective=spearman", ["multilabel", "f1_macro"]),
        ("optimizer.lr=-1", ["optimizer"]),
        ("+optimizer.nesterov=true", ["optimizer", "nesterov"]),
        ("model.channels=[4,4,4,4,4,4]", ["too small"]),
        ("+model.depth=3", ["model", "depth"]),
        ("+trainer.max_epoch=3", ["Did you mean max_epochs"]),
        ("trainer.max_epochs=0", ["a whole number from 1"]),
        ("trainer.devices=none", ["devices"]),
        ("trainer.accelerator=tpux", ["cpu"]),
        ("augment=mixing augment.mixing.probability=2", ["a share from 0 to 1"]),
        ("augment=mixing data.features.scaling=z_norm", ["db_max or db", "leave it out"]),
        ("data.max_instruments=13", ["12"]),
        ("data.classes=[{name: x, program: 200, low: 1, high: 2}]", ["program"]),
        ("data.soundfonts=[nothing]", ["nothing"]),
        ("data.features.n_mels=0", ["n_mels"]),
        ("trainer.precision=bf17", ["bf16-mixed"]),
        ("+trainer.strategy=dpp", ["trainer", "dpp"]),
        ("+trainer.logger=false", ["trainer", "logger"]),
        ("trainer.max_epochs=1.5", ["whole number"]),
        ("callbacks.best.monitor=val/f1", ["callbacks.best.monitor=val/f1"]),
        ("+callbacks.early_stopping.patienc=3", ["Did you mean patience"]),
        ("callbacks=[checkpoint] +callbacks.early_stopping.patience=3", ["add early_stopping to callbacks"]),
        ("loss._target_=nope", ["no such class"]),
        ("scheduler.interval=foo", ["step or epoch"]),
        ("optimizer.lr=abc", ["optimizer"]),
        ("logger=[wandb] logger.wandb.mode=of", ["auto, online or offline"]),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(composed: Compose, override: str, words: list[str]) -> None:
    parts = override.split(" ") if "classes" not in override else [override]
    with pytest.raises(UserError) as refused:
        freeze(composed(*parts))
    message = str(refused.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_precision_follows_a_fixed_table(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {(9, 0): "bf16-mixed", (8, 0): "bf16-mixed", (7, 5): "16-mixed", (6, 1): "32-true"}
    for capability, precision in table.items():
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda c=capability: c)
        assert resolve_precision("auto", "cuda") == precision
    assert resolve_precision("auto", "mps") == "32-true"
    assert resolve_precision("auto", "cpu") == ("bf16-mixed" if cpu_has_bf16() else "32-true")
    assert resolve_precision("16-mixed", "cpu") == "16-mixed"


def test_accelerator_auto_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_accelerator("auto") == resolve_accelerator("gpu") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_accelerator("auto") == "cpu"
    with pytest.raises(UserError, match="trainer=cpu"):
        resolve_accelerator("gpu")


def leaves(config: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if not isinstance(config, dict):
        return [(prefix, config)]
    return [leaf for key, value in config.items() for leaf in leaves(value, f"{prefix}.{key}".lstrip("."))]
