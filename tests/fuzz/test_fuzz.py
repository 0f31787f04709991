"""A short form of `make fuzz`: few mutants of each kind, the same ones each time; and that it would notice a fault."""

import random
import re
from pathlib import Path

import pytest

from src.errors import UserError
from tests.fuzz import targets, worker
from tests.fuzz.fuzz import fuzz
from tests.fuzz.mutations import mutant

MUTANTS = 30


@pytest.mark.slow
@pytest.mark.parametrize("name", targets.TARGETS)
def test_readers_read_or_refuse(name: str, tmp_path: Path) -> None:
    report = fuzz(name, MUTANTS, seed=1, keep=tmp_path)
    assert report.faults == []
    assert sum(report.endings.values()) == MUTANTS


def test_mutants_are_the_same_for_the_same_numbers() -> None:
    target = targets.TARGETS["csv"]
    seeds = target.seeds(Path())
    made = [worker.content(target, "csv", 0, number, seeds) for number in range(50)]
    assert made == [worker.content(target, "csv", 0, number, seeds) for number in range(50)]
    assert len(set(made)) > 40


@pytest.mark.parametrize("name", targets.TARGETS)
def test_mutants_are_never_empty(name: str, tmp_path: Path) -> None:
    target = targets.TARGETS[name]
    seeds = target.seeds(tmp_path)
    assert all(mutant(seeds, target.mutations, random.Random(number)) for number in range(20))


def _refuse(path: Path) -> None:
    raise UserError("no")


def _refuse_silently(path: Path) -> None:
    raise UserError(" ")


def _fail(path: Path) -> None:
    raise KeyError(b"igen")


@pytest.mark.parametrize(
    ("read", "ending"),
    [
        (lambda path: None, "read"),
        (_refuse, "refused"),
        (_refuse_silently, "refused without a word"),
        (_fail, r"raised KeyError at test_fuzz\.py:\d+: b'igen'"),
    ],
)
def test_what_came_of_a_mutant(read: object, ending: str, tmp_path: Path) -> None:
    target = targets.Target("a", lambda folder: [b"a"], read)  # type: ignore[arg-type]
    assert re.fullmatch(ending, worker.ending(target, tmp_path / "a"))
