import pytest

from src.errors import UserError
from src.fingerprint import content_hash
from src.options import Role
from src.sweep import planning_progress
from src.sweep.plan import Freezer
from src.sweep.planning_progress import Progress


class Counting:
    """A trial that counts how often it freezes."""

    def __init__(self):
        self.frozen = []

    def freeze(self, config, known):
        self.frozen.append(config)
        if config["lr"] < 0:
            raise UserError("lr: choose another.")
        return {**config, "more": {"a": 1}}

    def roles(self, config):
        return {"outputs": frozenset({Role.NO_EFFECT}), "root": frozenset({Role.INPUT})}


def test_seeds_are_frozen_once_and_have_signatures_of_their_own(tmp_path):
    trial = Counting()
    freezer = Freezer(trial, tmp_path / "hashes.json")
    found = [freezer.freeze({"lr": lr, "seed": seed}) for lr in (1, 2) for seed in (1, 2, 3)]
    assert len(trial.frozen) == 2
    assert [frozen.config["seed"] for frozen in found] == [1, 2, 3] * 2
    assert len({frozen.signature for frozen in found}) == 6
    alone = Freezer(Counting(), tmp_path / "hashes.json").freeze({"lr": 2, "seed": 3})
    assert found[-1] == alone


def test_each_configuration_has_the_hashes_of_its_own_inputs(tmp_path):
    freezer, files = Freezer(Counting(), tmp_path / "hashes.json"), [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_text(file.name)
    found = [freezer.freeze({"lr": 1, "seed": s, "root": str(file)}) for file in files for s in (1, 2)]
    assert [frozen.inputs for frozen in found] == [
        {str(file): content_hash(file)} for file in files for _ in (1, 2)
    ]


def test_inputs_that_have_changed_are_seen(tmp_path):
    trial, file = Counting(), tmp_path / "a"
    file.write_text("before")
    freezer, config = Freezer(trial, tmp_path / "hashes.json"), {"lr": 1, "seed": 1, "root": str(file)}
    first = freezer.freeze(config)
    freezer.look_again()
    assert freezer.freeze(config) == first
    assert len(trial.frozen) == 1
    file.write_text("afterwards")
    freezer.look_again()
    assert freezer.freeze(config).inputs == {str(file): content_hash(file)} != first.inputs
    assert len(trial.frozen) == 2


def test_what_is_refused_is_refused_for_all_seeds(tmp_path):
    trial = Counting()
    freezer = Freezer(trial, tmp_path / "hashes.json")
    for seed in (1, 2):
        with pytest.raises(UserError, match="choose another"):
            freezer.freeze({"lr": -1, "seed": seed})
    assert len(trial.frozen) == 1


def test_a_long_planning_says_how_far_it_is(monkeypatch, capsys):
    times = iter([0.0, 1.0, 2.5, 2.5, 3.0])
    monkeypatch.setattr(planning_progress.time, "monotonic", lambda: next(times))
    progress = Progress("configurations are checked", 3)
    for _ in range(3):
        progress.step()
    monkeypatch.undo()
    assert capsys.readouterr().err == "configurations are checked: 1 of 3\n"
