"""What is resolved and refused where the data are piano rolls."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.configuration.checks import freeze
from src.errors import UserError
from tests.conftest import CONF


@pytest.fixture
def frozen(tmp_path: Path) -> Any:
    """Freezes `piano_midi` with overrides, on a folder with one file."""
    (tmp_path / "a.mid").write_bytes(b"not read before work")

    def freeze_it(*overrides: str) -> dict[str, Any]:
        places = [f"data.root={tmp_path}", f"outputs={tmp_path}", "logger=[]", "trainer.accelerator=cpu"]
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = compose("config", ["experiment=piano_midi", *places, *overrides])
            plain: Any = OmegaConf.to_container(config, resolve=True)
        return freeze(plain)

    return freeze_it


def test_rolls_are_judged_by_the_smallest_nll(frozen: Any) -> None:
    config = frozen()
    assert config["objective"] == "nll"
    assert (config["callbacks"]["best"]["monitor"], config["callbacks"]["best"]["mode"]) == ("val/nll", "min")


def test_another_objective_is_followed_in_its_direction(frozen: Any) -> None:
    assert frozen("objective=onset_f1")["callbacks"]["best"]["mode"] == "max"


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("adam", 1.6e-2), ("adamw", 1.6e-2), ("rmsprop", 8e-3), ("sgd", 5.0)]
)
def test_each_optimizer_has_a_learning_rate_of_its_own(frozen: Any, optimizer: str, rate: float) -> None:
    config = frozen(f"optimizer={optimizer}")
    assert config["optimizer"]["lr"] == config["scheduler"]["max_lr"] == rate


def test_a_typed_learning_rate_goes_before_it(frozen: Any) -> None:
    config = frozen("optimizer=sgd", "optimizer.lr=0.25")
    assert config["optimizer"]["lr"] == config["scheduler"]["max_lr"] == 0.25


def test_freezing_is_idempotent(frozen: Any) -> None:
    config = frozen()
    assert freeze(config) == config


def test_options_of_generation_are_refused_for_clips(composed: Any) -> None:
    assert "generation" not in composed()
    with pytest.raises(
        UserError, match=r"generation is for data with rolls.*synth_instruments has spectrograms"
    ):
        freeze(composed("+generation.steps=3"))


def test_rolls_without_options_of_generation_are_refused(frozen: Any) -> None:
    with pytest.raises(UserError, match=r"generation is not set.*defaults: \[rolls/generation, _self_\]"):
        frozen("~generation")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("callbacks.ema.decay=1", "callbacks.ema.decay"),
        ("callbacks.music_samples.every_n_epochs=0", "every_n_epochs=0"),
        ("model.dropout=1", "model.dropout"),
        ("model.causal=false", "kernel_size=4.*odd"),
        ("data.grid=bars", "beats or seconds"),
        ("data.rate=0.5", "data.rate=0.5: choose a number from 1 to 100"),
        ("data.lowest_note=100", "0..127"),
        ("data.split_by=tune", "file or composer"),
        ("data.n_steps=0", "data.n_steps=0"),
        ("generation.temperature=0", "generation.temperature=0"),
        ("+generation.barz=4", "barz"),
        ("objective=nll_onsets", "nll_onsets is not measured"),
        ("augment.transpose.semitones=-1", "augment.transpose.semitones"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(frozen: Any, override: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        frozen(override)
    assert "\n" not in str(refused.value)


def test_bars_need_beats(frozen: Any) -> None:
    with pytest.raises(UserError, match=r"generation\.bars=4.*set generation\.steps"):
        frozen("data.grid=seconds", "generation.bars=4")
