import sys
from pathlib import Path
from typing import Any

import pytest

from src.commands.tee import tee
from src.configuration.settings import check_settings, refuse_empty_groups, refuse_swept_settings
from src.errors import UserError

CONF = Path(__file__).resolve().parents[2] / "conf"
GOOD: dict[str, Any] = {
    "dry_run": False,
    "retry": True,
    "reuse": "any",
    "mode": "train",
    "timeout": 3.5,
    "seed": 0,
    "outputs": "outputs",
}


def test_good_settings_pass() -> None:
    assert check_settings(GOOD) is None
    assert check_settings(GOOD | {"timeout": None}) is None
    assert check_settings({"mode": "test", "thresholds": "pcut", "seed": 0, "outputs": "outputs"}) is None


@pytest.mark.parametrize(
    "bad",
    [
        {"dry_run": "maybe"},
        {"retry": 1},
        {"reuse": "anny"},
        {"thresholds": "tcut", "mode": "test"},
        {"timeout": "abc"},
        {"timeout": 0},
        {"timeout": True},
        {"seed": True},
        {"seed": -1},
        {"seed": 1.5},
        {"outputs": None},
    ],
)
def test_bad_settings_are_refused_by_name(bad: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(bad))):
        check_settings(GOOD | bad)


@pytest.mark.parametrize("argument", ["logger=null", "scheduler=3", "augment="])
def test_a_group_without_a_choice_is_refused_with_its_choices(argument: str) -> None:
    with pytest.raises(UserError, match="choose one of"):
        refuse_empty_groups([argument], CONF)


def swept(*trials: tuple[dict[str, Any], str]) -> None:
    shared = {"mode": "train", "timeout": None, "sweep": {"name": "a", "matters": None}}
    refuse_swept_settings(shared, [(shared | config, ["seed=1", typed]) for config, typed in trials])


@pytest.mark.parametrize(
    ("key", "trials"),
    [
        ("timeout", [({"timeout": 1}, "timeout=1"), ({"timeout": 1000}, "timeout=1000")]),
        ("sweep.name", [({}, "optimizer=sgd"), ({"sweep": {"name": "b", "matters": None}}, "experiment=b")]),
        ("hydra.launcher.gpus", [({}, "hydra.launcher.gpus=[0]"), ({}, "hydra.launcher.gpus=[1]")]),
        ("logger", [({}, "logger=csv"), ({}, "logger=wandb")]),
    ],
)
def test_settings_of_the_sweep_are_not_swept(key: str, trials: list[tuple[dict[str, Any], str]]) -> None:
    with pytest.raises(UserError, match=rf"^{key} can't be swept"):
        swept(*trials)


def test_what_tells_trials_apart_is_swept() -> None:
    swept(({}, "optimizer=sgd"), ({}, "optimizer=adam"))
    swept(({}, "learning_rates.torch.optim.SGD=.1"), ({}, "learning_rates.torch.optim.SGD=.2"))
    swept(({}, "seed=1"))


def test_other_arguments_pass() -> None:
    arguments = ["experiment=null", "logger=[]", "seed=3", "-m", "hydra", "scheduler=none", "timeout=null"]
    assert refuse_empty_groups(arguments, CONF) is None


def test_what_is_printed_is_kept_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tee(tmp_path / "log"):
        print("to the output")
        print("to the errors", file=sys.stderr)
    print("after")
    assert (tmp_path / "log").read_text() == "to the output\nto the errors\n"
    shown = capsys.readouterr()
    assert shown.out == "to the output\nafter\n"
    assert shown.err == "to the errors\n"
