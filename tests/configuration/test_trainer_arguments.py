from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from src.configuration.checks import freeze
from src.configuration.trainer_arguments import check_arguments, check_validation, planned_batches
from src.errors import UserError

Compose = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("callbacks", [], ["trainer.callbacks", "set callbacks=[…]"]),
        ("logger", False, ["trainer.logger", "set logger=[…]"]),
        ("default_root_dir", "x", ["trainer.default_root_dir", "outputs=DIR"]),
        ("limit_val_batches", 0, ["trainer.limit_val_batches=0", "1.0", "whole splits"]),
        ("limit_val_batches", 1, ["trainer.limit_val_batches=1: choose 1.0"]),
        ("limit_test_batches", 0.5, ["trainer.limit_test_batches=0.5", "1.0"]),
        ("num_sanity_val_steps", 2, ["choose 0, or -1"]),
        ("overfit_batches", 3, ["set overfit_batches="]),
        ("fast_dev_run", True, ["choose False", "experiment=debug"]),
        ("barebones", True, ["choose False"]),
        ("num_nodes", 2, ["trainer.num_nodes=2", "choose 1", "one machine"]),
        ("limit_train_batches", 0, ["trainer.limit_train_batches=0", "from 1"]),
        ("limit_train_batches", 2.0, ["above 0 to 1.0"]),
        ("val_check_interval", 1, ["from 2, or a share"]),
        ("val_check_interval", "00:00:00:10", ["trainer.val_check_interval=00:00:00:10"]),
        ("check_val_every_n_epoch", 0, ["trainer.check_val_every_n_epoch=0", "from 1"]),
        ("max_steps", 0, ["trainer.max_steps=0", "from 1, or -1"]),
        ("max_epochs", 0, ["a whole number from 1"]),
        ("accumulate_grad_batches", 0, ["trainer.accumulate_grad_batches=0"]),
    ],
)
def test_what_no_trial_can_be_run_with_is_refused(key: str, value: Any, words: list[str]) -> None:
    with pytest.raises(UserError) as refused:
        check_arguments({"max_epochs": 2, key: value})
    for word in words:
        assert word in str(refused.value)


def check(n_batches: int | None, overfit: int | None = None, **trainer: Any) -> None:
    config: dict[str, Any] = {
        "trainer": {"max_epochs": 3, "devices": 1, **trainer},
        "batch_size": 4,
        "overfit_batches": overfit,
    }
    data: Any = SimpleNamespace(epoch_items=n_batches and 4 * n_batches + 3)
    check_validation(config["trainer"], planned_batches(config, data))


@pytest.mark.parametrize(
    "trainer",
    [
        {"check_val_every_n_epoch": 3},
        {"max_steps": 8},
        {"max_steps": 2, "accumulate_grad_batches": 5},
        {"max_steps": 4, "val_check_interval": 0.5},
        {"max_steps": 20, "val_check_interval": 20, "check_val_every_n_epoch": None},
        {"val_check_interval": 8},
        {"limit_train_batches": 0.2, "max_steps": 1},
        {"devices": 2, "max_steps": 4},
    ],
)
def test_a_training_with_one_validation_is_enough(trainer: dict[str, Any]) -> None:
    check(8, **trainer)


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ({"check_val_every_n_epoch": 4}, "the first comes after 32 batches, and training ends after 24"),
        ({"max_steps": 7}, "after 8 batches, and training ends after 7"),
        ({"max_steps": 1, "accumulate_grad_batches": 5}, "training ends after 5"),
        ({"max_steps": 3, "val_check_interval": 0.5}, "after 4 batches, and training ends after 3"),
        ({"val_check_interval": 25, "check_val_every_n_epoch": None}, "after 25 batches"),
        ({"val_check_interval": 9}, "an epoch has only 8 batches"),
        ({"limit_train_batches": 0.1}, "less than one of the 8 batches"),
        ({"limit_train_batches": 4, "val_check_interval": 5}, "an epoch has only 4 batches"),
        ({"devices": 2, "val_check_interval": 5}, "an epoch has only 4 batches"),
        ({"overfit": 2, "val_check_interval": 3}, "an epoch has only 2 batches"),
    ],
)
def test_a_training_without_a_validation_is_refused(trainer: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        check(8, **trainer)


def test_before_the_items_are_counted_epochs_are_compared() -> None:
    check(None, max_steps=1)
    with pytest.raises(UserError, match="after 4 epochs, and training ends after 3"):
        check(None, check_val_every_n_epoch=4)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["+trainer.check_val_every_n_epoch=5"], "there would be no validation"),
        (["+trainer.enable_checkpointing=false"], "enable_checkpointing=False"),
        (["+trainer.barebones=true"], "trainer.barebones=True"),
        (
            ["+trainer.check_val_every_n_epoch=null", "+trainer.val_check_interval=4", "scheduler=plateau"],
            "trainer.check_val_every_n_epoch=None",
        ),
        (["scheduler=plateau", "scheduler.interval=step"], "scheduler.interval=step"),
    ],
)
def test_the_whole_trainer_is_checked_before_the_start(
    composed: Compose, overrides: list[str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        freeze(composed(*overrides))


def test_arguments_that_the_trial_sets_itself_may_be_set_where_they_change_nothing(composed: Compose) -> None:
    freeze(composed("+trainer.enable_model_summary=true", "+trainer.enable_progress_bar=false"))
    freeze(composed("+trainer.enable_checkpointing=false", "callbacks=[early_stopping]"))
