"""Bad input of a search: exit code 2, one line that names the remedy, nothing started."""

from typing import NamedTuple

import pytest
from conftest import FAKE

RATE = "optimizer.lr=tag(log,interval(1e-4,1e-1))"


class Case(NamedTuple):
    arguments: tuple[str, ...]
    remedy: tuple[str, ...]


CASES = {
    "interval without a search": Case((RATE,), (RATE, "search=random n_trials=20", "commas")),
    "upside down": Case(("search=tpe", "n_trials=2", "optimizer.lr=interval(1,0)"), ("upside down", "smaller end")),
    "empty": Case(("search=tpe", "n_trials=2", "optimizer.lr=interval(1,1)"), ("empty", "smaller end")),
    "without end": Case(("search=tpe", "n_trials=2", "optimizer.lr=interval(0,inf)"), ("finite numbers",)),
    "factors of zero": Case(
        ("search=tpe", "n_trials=2", "optimizer.lr=tag(log,interval(0,1))"), ("zero", "leave tag(log,…) out")
    ),
    "factors of choices": Case(
        ("search=tpe", "n_trials=2", "optimizer.lr=tag(log,choice(1,2))"), ("tag(log,…)", "leave it out")
    ),
    "another tag": Case(("search=tpe", "n_trials=2", "optimizer.lr=tag(lin,interval(1,2))"), ("no tag lin", "log")),
    "text": Case(
        ("search=tpe", "n_trials=2", "optimizer._target_=interval(0,1)"),
        ("optimizer._target_: it is no number (torch.optim.AdamW)", "optimizer._target_=a,b"),
    ),
    "a choice": Case(("search=tpe", "n_trials=2", "loss=interval(0,1)"), ("loss: it is no number", "loss=a,b")),
    "no budget": Case(("search=tpe", RATE), ("search=tpe", "n_trials=20", "max_hours=")),
    "a budget of nothing": Case(("search=tpe", "n_trials=0", RATE), ("n_trials=0", "from 1")),
    "a budget that is no number": Case(("search=tpe", "n_trials=abc", RATE), ("n_trials=abc", "whole number")),
    "a negative budget": Case(("search=tpe", "n_trials=-3", RATE), ("n_trials=-3", "from 1")),
    "no hours": Case(("search=tpe", "max_hours=0", RATE), ("max_hours=0", "above 0")),
    "no epochs": Case(("search=tpe", "max_epochs_total=0", RATE), ("max_epochs_total=0", "from 1")),
    "a budget of a grid": Case(("n_trials=3", "optimizer=adam,sgd"), ("n_trials has no effect with search=grid",)),
    "a confirmation of a grid": Case(("confirm=3", "optimizer=adam,sgd"), ("confirm has no effect with search=grid",)),
    "half a confirmation": Case(("search=tpe", "n_trials=3", "confirm=-1", RATE), ("confirm=-1", "from 0")),
    "more conditional axes than trials": Case(
        (
            "search=tpe", "n_trials=1", "optimizer=adam,sgd", "optimizer.momentum=interval(0,.9)",
            "optimizer.nesterov=true,false",
        ),
        ("n_trials=1: 2 axes hold for some choices only", "more"),
    ),
    "seed": Case(("search=tpe", "n_trials=3", "seed=1,2,3", RATE), ("seed is nothing to search for", "seed=1")),
    "seeds from an interval": Case(("search=tpe", "n_trials=3", "seed=int(interval(1,9))"), ("seed is nothing",)),
    "two searches": Case(("search=tpe,gp", "n_trials=3", RATE), ("search=tpe,gp", "choose one")),
    "an unknown search": Case(("search=bayes", "n_trials=3", RATE), ("search=bayes", "tpe")),
    "two engines": Case(("hydra/sweeper=optuna", "search=tpe", "n_trials=3", RATE), ("two engines", "leave")),
    "the sweeper of others": Case(("hydra/sweeper=optuna", RATE), ("search=tpe here",)),
    "the trials of others": Case(("hydra.sweeper.n_trials=20", RATE), ("n_trials=20 here",)),
    "the sampler of others": Case(("hydra/sweeper/sampler=tpe", RATE), ("search=tpe here",)),
    "nothing to search": Case(("search=tpe", "n_trials=3"), ("nothing to search", "interval")),
    "one number of CMA-ES": Case(("search=cmaes", "n_trials=3", RATE), ("two numbers", "search=tpe")),
    "a setting": Case(("search=tpe", "n_trials=3", "retry=true,false"), ("retry can't be swept",)),
    "a budget as an axis": Case(("search=tpe", "n_trials=3,4", RATE), ("n_trials can't be swept",)),
    "a reference": Case(
        ("search=tpe", "n_trials=3", RATE, "sweep.reference=lr=1"), ("sweep.reference has no effect with a search",)
    ),
    "a key of no choice": Case(
        ("search=tpe", "n_trials=3", "optimizer=adam,adamw", "optimizer.momentum=interval(0,1)"),
        ("optimizer.momentum", "optimizer=", "sgd"),
    ),
    "a key that is not there": Case(
        ("search=tpe", "n_trials=3", "optimizer.lrr=interval(0,1)"), ("optimizer.lrr", "Did you mean optimizer.lr?")
    ),
    "all refused": Case(
        ("search=random", "n_trials=3", "+fake.x=interval(0,1)", "+fake.fault=refused"), ("fake.fault=refused",)
    ),
    "a pruner of a grid": Case(("pruner=asha", "optimizer=adam,sgd"), ("pruner has no effect with search=grid",)),
    "an unknown pruner": Case(("search=tpe", "n_trials=3", "pruner=sha", RATE), ("pruner=sha", "asha", "hyperband")),
    "several pruners": Case(("search=tpe", "n_trials=3", "pruner=asha,median", RATE), ("pruner can't be swept",)),
    "rungs without a pruner": Case(
        ("search=tpe", "n_trials=3", "min_epochs=2", RATE), ("min_epochs has no effect with pruner=none",)
    ),
    "no epoch": Case(("search=tpe", "n_trials=3", "pruner=asha", "min_epochs=0", RATE), ("min_epochs=0", "from 1")),
    "a factor without rungs": Case(
        ("search=tpe", "n_trials=3", "pruner=median", "reduction_factor=4", RATE),
        ("reduction_factor has no effect", "pruner=asha"),
    ),
    "all go on": Case(
        ("search=tpe", "n_trials=3", "pruner=asha", "reduction_factor=1", RATE), ("reduction_factor=1", "from 2")
    ),
    "fractions of a whole number": Case(
        ("search=random", "n_trials=3", "batch_size=interval(16,64)"), ("batch_size=16.0", "a whole number")
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line_that_names_the_remedy(project, tmp_path, name):
    case = CASES[name]
    outputs = (
        ()
        if any(argument.startswith("outputs=") for argument in case.arguments)
        else (f"outputs={tmp_path}",)
    )
    result = project.run_warm(*FAKE, *case.arguments, *outputs)
    assert result.returncode == 2, result.stdout + result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    for part in case.remedy:
        assert part in lines[0]
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "sweeps").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "key", ["search=tpe", "n_trials=3", "max_hours=1", "max_epochs_total=9", "confirm=2", "pruner=asha"]
)
def test_a_search_is_one_of_a_sweep(project, tmp_path, key):
    result = project.run_warm(key, f"outputs={tmp_path}")
    assert result.returncode == 2
    assert result.stderr == f"Error: {key.partition('=')[0]} is for a sweep: add -m, or leave it out.\n"
