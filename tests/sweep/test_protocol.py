import sys
import types

import pytest

import src.trial
from src.errors import UserError
from src.sweep.protocol import Trial, load_trial


def test_the_trial_of_this_project_is_one():
    assert isinstance(src.trial, Trial)
    assert load_trial("src.trial") is src.trial


def test_what_a_module_lacks_is_named(monkeypatch):
    module = types.ModuleType("half_a_trial")
    module.run = module.freeze = module.prepare = lambda *_: None
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(
        UserError,
        match=r"half_a_trial: the module lacks roles, incomparable, gpus, gpus_needed, jackknife; add",
    ):
        load_trial("half_a_trial")


def test_a_module_that_is_not_there_is_refused():
    with pytest.raises(UserError, match=r"hydra.launcher.trial=no_such_trial: .*name a module on PYTHONPATH"):
        load_trial("no_such_trial")
