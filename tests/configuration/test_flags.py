"""Hydra's flags may stand anywhere on the command line."""

import pytest

from src.configuration.flags import flags_and_overrides
from src.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "flags", "overrides"),
    [
        (["seed=1,2", "-m", "dry_run=true"], ["-m"], ["seed=1,2", "dry_run=true"]),
        (["-m", "seed=1,2"], ["-m"], ["seed=1,2"]),
        (["seed=1", "--cfg", "job", "~callbacks.best"], ["--cfg", "job"], ["seed=1", "~callbacks.best"]),
        (["a=1", "--cfg=hydra", "-p", "trainer", "a=1"], ["--cfg=hydra", "-p", "trainer"], ["a=1", "a=1"]),
        ([], [], []),
    ],
)
def test_overrides_of_both_sides_of_a_flag_are_kept(
    arguments: list[str], flags: list[str], overrides: list[str]
) -> None:
    assert flags_and_overrides(arguments) == (flags, overrides)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--foo"], "unrecognized arguments: --foo; see `python run.py --help`"),
        (["--cfg", "jbo"], "--cfg"),
        (["-m", "--cfg", "job"], r"--cfg does not go with -m: leave -m out .* dry_run=true"),
        (["--info", "all", "-m"], "--info does not go with -m"),
        (["--info", "all", "--cfg", "job"], "--cfg and --info do not go together"),
    ],
)
def test_flags_that_hydra_does_not_take_are_refused_in_one_line(arguments: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        flags_and_overrides(arguments)
    assert "\n" not in str(refused.value)
