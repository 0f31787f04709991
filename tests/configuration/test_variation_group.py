"""conf/data/synth_stems/variation: each choice leaves out what its name says, and nothing else."""

import pytest
from hydra import compose, initialize_config_dir

from tests.conftest import CONF

WAYS = ("relatives", "transpose", "stretch", "generators", "level", "equaliser")


def ways(choice: str) -> dict[str, float]:
    """How strongly stems vary in each way."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        data = compose(
            "config", ["experiment=synth_instruments_ablation", f"data/synth_stems/variation={choice}"]
        ).data
    return dict(data.variation) | {"level": data.level_db, "equaliser": data.equaliser_db}


@pytest.fixture(scope="module")
def every() -> dict[str, float]:
    return ways("all")


def test_all_vary_in_every_way(every):
    assert all(every[way] > 0 for way in WAYS)
    assert {**every, **dict.fromkeys(WAYS, 0.0)} == ways("none")


@pytest.mark.parametrize("way", WAYS)
def test_one_way_alone_and_all_but_one(every, way):
    assert ways(f"only_{way}") == {**every, **dict.fromkeys(WAYS, 0.0), way: every[way]}
    assert ways(f"without_{way}") == {**every, way: 0.0}


def test_every_choice_is_known():
    names = {path.stem for path in (CONF / "data" / "synth_stems" / "variation").glob("*.yaml")}
    assert names == {"all", "none", *(f"{kind}_{way}" for kind in ("only", "without") for way in WAYS)}
