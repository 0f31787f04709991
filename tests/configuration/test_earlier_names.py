"""Names of earlier versions are answered with those of today, and read where they are stored."""

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.configuration.checkpoint_files import KIND, read_checkpoint
from src.configuration.earlier_names import CHOICES, GROUPS, KEYS, answer_earlier_names, with_current_names
from src.errors import UserError
from src.rank import run_placed
from src.sweep.executors import worker
from src.sweep.job import Job
from tests.conftest import CONF

STEMS = "src.datamodules.synthesized.synth_stems.SynthStems"


@pytest.mark.parametrize(
    ("typed", "today"),
    [
        ("unheard=fluidr3", "data/synth_stems/unseen=fluidr3"),
        ("variation=all,none", "data/synth_stems/variation=all,none"),
        ("class_map=recorded", "mode/test/class_map=recorded"),
        ("++data.heard=true", "data.seen=true"),
        ("experiment=debug,synth_instruments_unheard", "experiment=debug,synth_instruments_unseen"),
    ],
)
def test_an_earlier_name_is_answered_with_that_of_today(typed, today):
    with pytest.raises(UserError) as refused:
        answer_earlier_names(["seed=1", typed])
    assert f"{typed} is now called {today}" in str(refused.value)
    assert "\n" not in str(refused.value)
    answer_earlier_names([today])


def test_other_arguments_pass():
    answer_earlier_names(["-m", "data.variation.stretch=0", "++class_map.cello=violin", "experiment=debug"])


def test_names_of_today_can_be_composed():
    for group in GROUPS.values():
        assert list((CONF / group).glob("*.yaml"))
    for group, names in CHOICES.items():
        assert all((CONF / group / f"{name}.yaml").is_file() for name in names.values())
    with initialize_config_dir(str(CONF), version_base="1.3"):
        data = compose("config", ["data=synth_stems"]).data
    assert all(key.removeprefix("data.") in data for key in KEYS.values())


def test_stored_options_get_their_names_of_today():
    stored = {
        "seed": 1,
        "data": {"_target_": "src.datamodules.synth_stems.SynthStems", "heard": True, "n_stems": 3},
    }
    assert with_current_names(stored) == {"seed": 1, "data": {"_target_": STEMS, "seen": True, "n_stems": 3}}
    other = {"data": {"_target_": "my_package.Data", "heard": True}}
    assert with_current_names(other) == other
    assert with_current_names({"seed": 1}) == {"seed": 1}


def test_a_checkpoint_is_read_with_the_names_of_today(tmp_path):
    data = {"_target_": "src.datamodules.synth_stems.SynthStems", "heard": False}
    model, loss = {"_target_": "src.models.networks.cnn.CNN"}, {"_target_": "src.losses.bce.BCE"}
    config = {
        "data": data,
        "model": model,
        "loss": loss,
        "generation": None,
        "class_map": {},
        "thresholds": "single",
        "input": None,
        "seed": 0,
        "batch_size": 1,
        "objective": "f1_macro",
        "trainer": {"accelerator": "cpu", "precision": "32-true", "devices": 1},
    }
    items = {"classes": ["flute"], "target": "multilabel", "item_shape": [1, 32, 32]}
    state = {
        "state_dict": {"mean": torch.zeros(32)},
        "hyper_parameters": {"kind": KIND, "config": config, **items},
    }
    torch.save(state, tmp_path / "a.ckpt")
    read = read_checkpoint(tmp_path / "a.ckpt")["hyper_parameters"]["config"]
    assert read["data"] == {"_target_": STEMS, "seen": False}


def test_a_trial_that_goes_on_is_given_the_names_of_today(tmp_path, monkeypatch):
    folder = tmp_path / "runs" / "abc"
    data = {"_target_": "src.datamodules.synth_stems.SynthStems", "heard": True}
    network = {
        "model": {"_target_": "src.models.networks.cnn.CNN"},
        "loss": {"_target_": "src.losses.bce.BCE"},
    }
    job = Job("abc", {"data": data, **network}, (), tmp_path, "src.trial", "c")
    job.folder.mkdir(parents=True)
    OmegaConf.save(job.config, folder / "config.yaml")
    job.write()
    worked = []
    monkeypatch.setattr(worker, "work", lambda job, *_: worked.append(job.config) or 0)
    assert run_placed(folder) == 0
    assert worked == [{"data": {"_target_": STEMS, "seen": True}, **network}]
