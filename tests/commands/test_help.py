"""`--help` shows what a newcomer chooses from, and nothing else."""

import sys

from src.commands.help import GROUPS, help_text
from src.configuration.choices import choices
from src.main import main
from tests.conftest import CONF


def table() -> list[str]:
    """The lines of the groups."""
    return (
        help_text(CONF).partition("augment=[mixing,spec_augment]):\n\n")[2].partition("\n\n")[0].splitlines()
    )


def test_every_group_is_listed_with_all_its_choices():
    words = " ".join(table()).replace(",", " ").split()
    assert words == [word for group in GROUPS for word in (group, *choices(group, CONF))]
    assert {"mode", "train", "experiment", "debug", "data", "optimizer", "sgd"} <= set(words)


def test_a_group_begins_a_line_and_lines_are_short():
    assert [line.split()[0] for line in table() if line[2] != " "] == list(GROUPS)
    assert all(len(line) <= 110 for line in table())


def test_what_a_newcomer_does_not_choose_is_not_listed():
    """Groups of the root that are left out have one choice; those below others are for ablations and other tests."""
    left_out = {path.name for path in CONF.iterdir() if path.is_dir()} - {*GROUPS, "hydra"}
    assert all(len(choices(group, CONF)) == 1 for group in left_out)
    words = set(help_text(CONF).replace(",", " ").split())
    assert not {"only_level", "fluidr3", "single_notes", "generation", "recorded", "hydra/launcher"} & words


def test_the_command_prints_it(monkeypatch, capsys):
    for flag in ("--help", "-h"):
        monkeypatch.setattr(sys, "argv", ["run.py", "optimizer=adam", flag])
        assert main() == 0
        assert capsys.readouterr().out == help_text(CONF) + "\n"
