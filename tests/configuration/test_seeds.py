import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.configuration.seeds import seeds_of
from src.errors import UserError

CONFIG = {"mode": "train", "seed": 1, "outputs": "outputs", "search": "grid", "seeds": None, "race": False}


def seeds(*typed, **config):
    return seeds_of(CONFIG | config, OverridesParser.create().parse_overrides(list(typed)))


def test_seeds_are_those_from_the_first_on():
    assert seeds("optimizer=adam,sgd", seeds=3) == "1,2,3"
    assert seeds("seed=7", seed=7, seeds=2) == "7,8"
    assert seeds(seeds=1) == "1"
    assert seeds("seed=1,2", race=False) is None


@pytest.mark.parametrize(
    ("typed", "config", "told"),
    [
        (["seed=1,2"], {"seeds": 3}, "seeds=3: seed=1,2 names the seeds; leave one of the two out"),
        (["seed=range(1,4)"], {"seeds": 3}, "seeds=3: seed=range"),
        ([], {"seeds": 0}, "seeds=0"),
        ([], {"seeds": "few"}, "seeds=few"),
        ([], {"race": "yes"}, "race=yes"),
        ([], {"seeds": 3, "search": "tpe"}, "as many as confirm=3 says: leave seeds out"),
        ([], {"seeds": 3, "race": True, "search": "tpe"}, "as many as confirm=3 says: leave race out"),
        ([], {"race": True}, "race=true: add seeds=5"),
        ([], {"race": True, "seeds": 2}, "seeds=2: a race needs 3 seeds or more"),
    ],
)
def test_what_does_not_go_together_is_refused(typed, config, told):
    with pytest.raises(UserError) as refused:
        seeds(*typed, **config)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
