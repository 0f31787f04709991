import pytest

from src.configuration.other_sweepers import answer_other_sweepers
from src.errors import UserError


@pytest.mark.parametrize(
    ("argument", "word"),
    [
        ("hydra/sweeper=optuna", "search=tpe"),
        ("hydra/sweeper=ax", "search=gp"),
        ("hydra/sweeper=nevergrad", "search=cmaes"),
        ("hydra/sweeper=basic", "search=grid"),
        ("hydra/sweeper/sampler=cmaes", "search=cmaes"),
        ("hydra/sweeper/sampler=nsgaii", "search=tpe"),
        ("hydra.sweeper.sampler=random", "search=random"),
        ("hydra.sweeper.sampler.seed=123", "seed=123"),
        ("hydra.sweeper.n_trials=20", "n_trials=20"),
        ("hydra.sweeper.optim.budget=20", "n_trials=20"),
        ("hydra.sweeper.ax_config.max_trials=20", "n_trials=20"),
        ("hydra.sweeper.study_name=mine", "sweep.name=mine"),
        ("hydra.sweeper.n_jobs=2", "hydra.launcher.gpus"),
        ("hydra.sweeper.direction=maximize", "objective="),
        ("++hydra.sweeper.storage=sqlite:///a.db", "sweep.name="),
    ],
)
def test_the_word_for_it_here(argument: str, word: str) -> None:
    with pytest.raises(UserError) as error:
        answer_other_sweepers(["-m", argument])
    assert str(error.value).startswith(f"{argument.lstrip('+')} is {word}")
    assert str(error.value).endswith(" here: type that.")


def test_two_engines() -> None:
    with pytest.raises(UserError, match="two engines; leave hydra/sweeper out"):
        answer_other_sweepers(["-m", "search=tpe", "hydra/sweeper=optuna"])


def test_this_projects_words_pass() -> None:
    answer_other_sweepers(
        ["-m", "hydra/sweeper=grid", "hydra.sweeper.params={a: '1,2'}", "search=tpe", "n_trials=3"]
    )
