"""The executor of docs/extending.md, word for word."""

import os
import re
import signal
import sys
import types
from pathlib import Path

import pytest
import yaml
from executor_contract import COMMAND, ExecutorContract

from src.errors import UserError
from src.paths import ROOT
from src.sweep.executors.base import Executor, Ticket

SECTION = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").partition("## An executor\n")[2]


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    assert found, f"docs/extending.md shows no {language} of an executor"
    return found[1]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("src.sweep.executors.one_by_one")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(block("python"), "docs/extending.md", "exec"), vars(module))
    return module


@pytest.fixture
def executor(example: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> Executor:
    monkeypatch.setattr(example, "GRACE_S", 1.0)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{Path(__file__).parent}")
    made = example.OneByOne(COMMAND)
    made.reserve(1, 0, [])
    return made


class TestExecutorOfTheDocs(ExecutorContract):
    def lose(self, executor: Executor, ticket: Ticket) -> None:
        os.kill(int(ticket.number), signal.SIGKILL)
        os.waitpid(int(ticket.number), 0)


def test_it_refuses_gpus(executor: Executor) -> None:
    with pytest.raises(UserError, match="choose trainer=cpu"):
        executor.reserve(1, 1, ["0"])


def test_its_yaml_names_it_and_what_every_launcher_has(example: types.ModuleType) -> None:
    options = yaml.safe_load(block("yaml"))
    pool = yaml.safe_load((ROOT / "conf" / "hydra" / "launcher" / "pool.yaml").read_text())
    module, _, name = options.pop("executor").rpartition(".")
    assert getattr(sys.modules[module], name) is example.OneByOne
    assert options == {key: pool[key] for key in ("_target_", "trial")}
