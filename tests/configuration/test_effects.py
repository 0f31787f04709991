"""A key without effect for what is run is refused."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.configuration.effects import (
    EVERY_MODE,
    READS,
    refuse_idle,
    refuse_unknown,
    refuse_without_effect,
)
from src.errors import UserError
from tests.conftest import CONF


def roots(mode):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        groups = {path.name for path in CONF.iterdir() if path.is_dir() and path.name != "hydra"}
        return {*compose("config", [f"mode={mode}"]), *groups}


@pytest.mark.parametrize(
    ("arguments", "key", "modes"),
    [
        (["mode=test", "optimizer=adam"], "optimizer", "mode=train"),
        (["mode=test", "optimizer.lr=1"], "optimizer.lr", "mode=train"),
        (["checkpoint=a"], "checkpoint", "mode=test, predict or generate"),
        (["-m", "thresholds=scut,pcut"], "thresholds", "mode=test"),
        (["+mode/test/class_map=recorded"], "mode/test/class_map", "mode=test"),
        (["mode=predict", "data.seed=2"], "data.seed", "mode=train, prepare, test or generate"),
        (["mode=predict", "data/synth_stems/unseen=opl3"], "data/synth_stems/unseen", "mode=train, prepare"),
        (["mode=prepare", "generation.pieces=3"], "generation.pieces", "mode=train or generate"),
        (["mode=test", "dry_run=true"], "dry_run", "mode=train"),
        (["mode=generate", "~callbacks.best"], "callbacks.best", "mode=train"),
    ],
)
def test_a_key_of_another_mode_is_refused_with_its_modes(arguments, key, modes):
    with pytest.raises(UserError) as refused:
        refuse_without_effect(arguments)
    assert str(refused.value).startswith(f"{key} has no effect with mode=")
    assert f"it is for {modes}" in str(refused.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["seed=2", "data=chorales", "generation.pieces=3", "+trainer.limit_train_batches=2", "outputs=o"],
        [
            "mode=test",
            "checkpoint=a",
            "data.seed=2",
            "thresholds=scut",
            "++class_map.a=b",
            "experiment=debug",
        ],
        ["mode=generate", "checkpoint=a", "generation.pieces=3", "seed=2", "trust=mine"],
        ["-m", "sweep.name=a", "hydra.launcher.gpus=[0]", "seed=1,2"],
        ["mode=trian", "checkpoint=a"],
        ["--cfg", "job", "checkpoint=a", "sweep.name=a"],
        ["unknown=3"],
    ],
)
def test_other_keys_pass(arguments):
    refuse_without_effect(arguments)


@pytest.mark.parametrize(
    "typed",
    [
        "sweep.name=a",
        "hydra.launcher.gpus=[0]",
        "hydra/launcher=pool",
        "sweep=grid",
        "search=tpe",
        "n_trials=3",
    ],
)
def test_what_is_of_sweeps_needs_one(typed):
    with pytest.raises(UserError, match=r"is for a sweep: add -m"):
        refuse_without_effect([typed])


def test_every_key_at_the_root_of_conf_is_read_by_a_mode_that_has_it():
    for mode, keys in READS.items():
        assert {*EVERY_MODE, *keys} - {"generation", "experiment", "data"} <= {*roots(mode), "hydra"}
    read = {*EVERY_MODE, *(key for keys in READS.values() for key in keys)}
    assert set().union(*map(roots, READS)) <= read


def idle(*overrides, **config):
    refuse_idle([({"generation": {"bars": None, "threshold": None}, **config}, overrides)])


@pytest.mark.parametrize(
    ("typed", "config", "when"),
    [
        ("generation.beats_per_bar=3", {}, "without generation.bars"),
        ("generation.steps=3", {"generation": {"bars": 4}}, "with generation.bars"),
        ("generation.temperature=1", {"generation": {"threshold": 0.0}}, "with generation.threshold"),
        ("callbacks.early_stopping.patience=2", {"overfit_batches": 1}, "with overfit_batches"),
        ("callbacks.learning_rate.logging_interval=step", {"logger": {}}, "without a logger"),
        ("n_trials=3", {"search": "grid"}, "with search=grid"),
        ("max_hours=3", {"search": "grid"}, "with search=grid"),
        ("max_epochs_total=3", {"search": "grid"}, "with search=grid"),
        ("sweep.reference='lr=1'", {"search": "tpe"}, "with a search"),
    ],
)
def test_a_key_whose_effect_others_take_is_refused(typed, config, when):
    with pytest.raises(UserError, match=when):
        idle(typed, **config)


def test_a_key_with_effect_passes():
    idle(
        "generation.steps=3",
        "generation.temperature=1",
        "callbacks.early_stopping.patience=2",
        "~callbacks.learning_rate",
    )
    idle("n_trials=3", search="tpe")
    idle("sweep.reference='lr=1'", search="grid")


def test_in_a_sweep_an_effect_in_one_trial_is_enough():
    drawn, answered = ({"generation": {"bars": None, "threshold": threshold}} for threshold in (None, 0.5))
    overrides = ("generation.temperature=1",)
    refuse_idle([(answered, overrides), (drawn, overrides)])
    with pytest.raises(UserError, match=r"with generation\.threshold"):
        refuse_idle([(answered, overrides), (answered, overrides)])


def test_a_root_key_that_nothing_reads_is_refused():
    config = OmegaConf.create({"optimizer": {"lr": 1}, "sede": 2})
    with pytest.raises(UserError, match=r"sede: nothing reads this key.* Did you mean seed\?"):
        refuse_unknown(config, ["+sede=2"], CONF)


def test_a_root_key_that_another_names_is_read():
    config = OmegaConf.create({"optimizer": {"lr": "${rates.fast}"}, "rates": {"fast": 2}})
    refuse_unknown(config, ["+rates.fast=2", "+trainer.limit_val_batches=1"], CONF)
