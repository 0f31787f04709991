from collections.abc import Iterator
from itertools import product

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from src.configuration.composing import Composer
from src.paths import CONF

CHOICES = ("optimizer=sgd", "experiment=debug", "~scheduler", "callbacks=[checkpoint]", "loss=focal")
VALUES = (
    "seed=7",
    "optimizer.lr=1e-2",
    "+trainer.max_steps=5",
    "++data.n_clips.train=9",
    "~augment",
    "data.features.n_mels=64",
    "sweep.name='a b'",
    "model={_target_: a.B, depth: 3}",
    "scheduler.max_lr=${optimizer.lr}",
)


@pytest.fixture(scope="module")
def loaded() -> Iterator[tuple[object, object]]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        yield loader, loader.load_configuration("config", [], RunMode.MULTIRUN)


def by_hydra(loader, master, typed):
    try:
        config = loader.load_sweep_config(master, list(typed))
    except HydraException as error:
        return type(error)
    with open_dict(config):
        del config["hydra"]
    return OmegaConf.to_container(config, resolve=True)


def composed(composer, typed):
    try:
        return OmegaConf.to_container(composer.compose(typed), resolve=True)
    except HydraException as error:
        return type(error)


@pytest.mark.parametrize("choice", CHOICES)
def test_configurations_are_those_of_hydra(loaded, choice):
    composer = Composer(*loaded)
    for typed in [(choice,), *product((choice,), VALUES[:4]), *product(VALUES[4:], (choice,))]:
        assert composed(composer, typed) == by_hydra(*loaded, typed), typed


def test_it_is_known_what_is_a_group(loaded):
    composer = Composer(*loaded)
    assert [
        key for key in ("optimizer", "optimizer.lr", "seed", "data", "nonsense") if composer.is_group(key)
    ] == [
        "optimizer",
        "data",
    ]


@pytest.mark.parametrize(
    ("typed", "key", "found"),
    [
        (("optimizer=sgd",), "optimizer.momentum", (True, 0.0)),
        (("optimizer=adam",), "optimizer.momentum", (False, None)),
        (("optimizer=adam",), "optimizer.momentum.more", (False, None)),
        ((), "seed", (True, 1)),
        ((), "nonsense", (False, None)),
        ((), "nonsense.more", (False, None)),
        ((), "init_from", (True, None)),
        (("optimizer.lr=${nowhere}",), "optimizer.lr", (True, None)),
    ],
)
def test_keys_are_looked_up(loaded, typed, key, found):
    assert Composer(*loaded).look_up(typed, key) == found


def test_a_configuration_is_a_copy(loaded):
    composer = Composer(*loaded)
    first = composer.compose(["seed=1", "optimizer.lr=0.5"])
    second = composer.compose(["seed=2"])
    assert (first.seed, first.optimizer.lr, second.seed) == (1, 0.5, 2)
    assert second.optimizer.lr != 0.5


@pytest.mark.parametrize("typed", ["seeed=1", "optimizer=adm", "optimizer.lr.a.b=1", "~nothing"])
def test_what_hydra_refuses_is_refused_alike(loaded, typed):
    composer = Composer(*loaded)
    with pytest.raises(HydraException) as ours:
        composer.compose([typed])
    with pytest.raises(HydraException) as hydras:
        loaded[0].load_sweep_config(loaded[1], [typed])
    assert (type(ours.value), str(ours.value)) == (type(hydras.value), str(hydras.value))


def test_choices_are_composed_once(loaded, monkeypatch):
    composer = Composer(*loaded)
    composer.compose(["optimizer=sgd", "seed=1"])
    monkeypatch.setattr(composer, "_load", lambda _: pytest.fail("composed again"))
    assert composer.compose(["seed=2", "optimizer=sgd"]).seed == 2


INDEPENDENT = [
    ["seed={}", "optimizer.lr=0.5"],
    ["optimizer.lr={}"],  # which the scheduler's max_lr reads
    ["optimizer.lr={}", "scheduler=none"],
    ["optimizer.lr={}", "optimizer=sgd", "seed=1{}", "batch_size={}"],
    ["sweep.name='a {}'"],
    ["trainer.max_epochs={}"],
]
DEPENDENT = [
    ["seed={}", "+more=${{seed}}0", "+most=${{more}}"],
    ["seed={}", "+more=[${{seed}}]"],
    ["seed={}", "+more={{a: ${{seed}}}}", "+most=${{more}}"],
    ["seed={}", "+more=${{oc.select:seed}}"],
    ["seed={}", "+more=${{seed}}", "+most=${{more}}"],
    ["optimizer.lr={}", "+more=${{optimizer}}"],
    ["seed={}", "seed=9"],
    ["optimizer.lr={}", "optimizer={{lr: 0.1, _target_: torch.optim.SGD}}"],
    ["+more={}"],
]


def resolved(composer, typed, check):
    try:
        return composer.resolve(typed, check)
    except HydraException as error:
        return type(error)


@pytest.mark.parametrize("typed", [*INDEPENDENT, *DEPENDENT], ids=" ".join)
def test_configurations_that_differ_in_values_are_those_of_hydra(loaded, typed):
    composer, checked = Composer(*loaded), []
    for value in (1, 2, "abc", "true"):
        one = [text.format(value) for text in typed]
        assert repr(resolved(composer, one, checked.append)) == repr(by_hydra(*loaded, one))
    assert len(checked) == (1 if typed in INDEPENDENT else 4)


def test_no_configuration_changes_another(loaded):
    composer = Composer(*loaded)
    first, second = (composer.resolve([f"optimizer.lr={rate}"], lambda _: None) for rate in (0.1, 0.2))
    assert (first["optimizer"]["lr"], second["optimizer"]["lr"]) == (0.1, 0.2)
    assert (first["scheduler"]["max_lr"], second["scheduler"]["max_lr"]) == (0.1, 0.2)
    del second["seed"]
    assert "seed" in first
    assert "seed" in composer.resolve(["optimizer.lr=0.3"], lambda _: None)
