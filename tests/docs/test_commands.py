"""Each command that a page shows fits conf/: its groups, options and keys exist."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.configuration.command_line import open_data_keys, quote_paths
from src.configuration.settings import refuse_empty_groups
from src.paths import CONF, ROOT
from tests.docs.test_links import PAGES, shown

FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
VARIABLE = re.compile(r"\b([A-Z]+)=(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'`]+)")
COMMAND = re.compile(r"^(?:nice .*)?(?:python run\.py|polysweep) +(.*)$", re.DOTALL)
NOT_COMPOSED = ("--help", "--trial", "mode=doctor", "…=", "[group=option]")


def commands(page: Path) -> Iterator[str]:
    """What follows `python run.py` or `polysweep` in code, on one line."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    spans = [re.sub(r"\s+", " ", span) for span in INLINE.findall(FENCED.sub("", text))]
    for code in [*(re.sub(r" +# .*", "", line) for line in lines), *spans]:
        if (
            (found := COMMAND.match(code))
            and found[1] != "…"
            and not any(word in code for word in NOT_COMPOSED)
        ):
            yield found[1]


def arguments(command: str, page: Path) -> list[str]:
    """The words of a command, shell variables replaced by what the page sets them to."""
    values = dict(VARIABLE.findall(page.read_text(encoding="utf-8")))
    for name in re.findall(r"\$([A-Z]+)", command):
        value = values[name]
        command = command.replace(f'"${name}"', value).replace(f"${name}", value.strip("\"'"))
    return shlex.split(command)


def first_trial(words: list[str]) -> tuple[str, ...]:
    """The overrides of a single trial, or of the first one of a sweep; other choices of groups have their file."""
    refuse_empty_groups(words, CONF)
    typed = open_data_keys(quote_paths([word for word in words if word != "-m"]))
    first = []
    for one in OverridesParser.create().parse_overrides(typed):
        if one.is_sweep_override():
            interval = one.value() if one.is_interval_sweep() else None
            values = [str(interval.start)] if interval else list(one.sweep_string_iterator())
            group = CONF / one.get_key_element()
            missing = [
                value for value in values if group.is_dir() and not (group / f"{value}.yaml").is_file()
            ]
            assert missing == [], f"conf/{group.name} has no {missing}"
            first.append(f"{one.get_key_element()}={values[0]}")
        else:
            first.append(str(one.input_line))
    return tuple(first)


@cache
def refusal(overrides: tuple[str, ...]) -> str | None:
    """What is wrong with the overrides of a trial."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            OmegaConf.to_container(compose("config", list(overrides)), resolve=True)
        except (HydraException, OmegaConfBaseException) as error:
            return f"{' '.join(overrides)}: {error}"
    return None


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "extending.md"], ids=shown)
def test_commands_compose(page: Path) -> None:
    """docs/extending.md shows commands for files that its reader is to write."""
    trials = {first_trial(arguments(command, page)) for command in commands(page)}

    assert [found for trial in sorted(trials) if (found := refusal(trial))] == []


def test_commands_are_found() -> None:
    assert "experiment=debug" in list(commands(ROOT / "README.md"))
    assert arguments("-m experiment=mixtures_10 $R", ROOT / "docs" / "results" / "mixtures.md")[2:] == [
        "data.source=recordings",
        "data.root=FOLDER",
        "callbacks=[checkpoint]",
    ]
