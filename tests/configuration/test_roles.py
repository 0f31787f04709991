"""The one place of an option's role is its annotation: a data set that only this file knows has three of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.configuration.checks import freeze
from src.configuration.command_line import quote_paths
from src.configuration.roles import key_roles, option_roles
from src.configuration.trust import VARIABLE
from src.datamodules.options import DataOptions
from src.options import Role
from src.rules import null, path, whole, words
from src.sweep.identity import signature
from tests.tasks.test_fourth_kind import VectorData, Vectors

PARSER = OverridesParser.create()


class ListedVectors(VectorData):
    """Vectors that a list in a folder names."""

    class Options(DataOptions):
        width: Annotated[int, whole(3)]
        listing: Annotated[str | None, path | null(), Role.PATH, Role.INPUT]
        export: Annotated[str | None, words("the name of a program") | null(), Role.NO_EFFECT]

    options: Options

    def __init__(self, *, width: int, **options: Any) -> None:
        super(VectorData, self).__init__(width=width, workers=1, **options)
        self.classes = ("first", "second", "third")
        self.width, self.item_shape, self.n_items = width, (width,), {"train": 64, "val": 32, "test": 32}

    def resolved(self) -> dict[str, Any]:
        return {"listing": self.options.listing and str(Path(self.options.listing).resolve())}


TARGET = f"data._target_={__name__}.ListedVectors"


@pytest.fixture
def config(composed: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv(VARIABLE, __name__)
    from src.tasks.base import TASKS

    monkeypatch.setitem(TASKS, "vectors", Vectors())
    own = composed("loss=cross_entropy", "scheduler=none")
    data = {"_target_": f"{__name__}.ListedVectors", "width": 5, "listing": None, "export": None}
    return {**own, "data": data, "model": {"_target_": "tests.tasks.test_fourth_kind.Linear"}}


def test_a_new_option_is_a_path_counts_by_content_or_has_no_effect(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"{__name__},tests.tasks.test_fourth_kind")

    def named(**data: Any) -> str:
        frozen = freeze({**config, "data": {**config["data"], **data}})
        return signature(frozen, key_roles(frozen))

    monkeypatch.chdir(tmp_path)
    for name, text in (("a.txt", "one"), ("b.txt", "one"), ("c.txt", "two")):
        Path(name).write_text(text)
    assert named(listing="a.txt") == named(listing="b.txt") == named(listing=str(tmp_path / "a.txt"))
    assert len({named(listing="a.txt"), named(listing="c.txt"), named(), named(width=6)}) == 4
    assert named(export="MARSYAS") == named()


def test_a_new_path_is_taken_from_the_command_line_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    typed = [TARGET, f"trust={__name__}", "data.listing=a, [b] #1.txt", "data.export=a,b"]
    quoted = quote_paths(typed)
    assert quoted[:2] + quoted[3:] == typed[:2] + typed[3:]
    assert PARSER.parse_override(quoted[2]).value() == "a, [b] #1.txt"


def test_a_class_that_is_not_trusted_has_no_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert option_roles("data", [f"{__name__}.ListedVectors"]) == {}
    assert option_roles("data", ["src.datamodules.rolls.midi_folder.MidiFolder"])["root"] == {
        Role.PATH,
        Role.INPUT,
    }


@pytest.mark.parametrize("key", ["data.soundfonts", "data.test_soundfonts", "init_from", "checkpoint"])
def test_names_and_paths_are_lists_or_alternatives(key: str) -> None:
    assert quote_paths([f"{key}=[a b,c]", f"{key}=a b,c"]) == [f"{key}=['a b',c]", f"{key}='a b',c"]
    assert quote_paths(["-m", f"{key}=[a b,c]"]) == ["-m", f"{key}=['a b',c]"]


@pytest.mark.parametrize(
    "argument",
    [
        "data.seed=1,2",
        "data.n_clips={train: 3}",
        "optimizer.lr=1e-3,1e-2",
        "data.features.n_mels=1,2",
        "nought.a=b c",
    ],
)
def test_what_is_no_path_stays_as_it_is_typed(argument: str) -> None:
    assert quote_paths([argument]) == [argument]


def test_what_only_shows_does_not_count(composed: Callable[..., dict[str, Any]]) -> None:
    def named(*overrides: str) -> str:
        frozen = freeze(composed(*overrides))
        return signature(frozen, key_roles(frozen))

    usual = named()
    for change in (
        "outputs=/elsewhere",
        "callbacks=[early_stopping,checkpoint]",
        "logger=[csv]",
        "data.workers=2",
        "retry=true",
        "timeout=9",
        "+trainer.enable_progress_bar=false",
    ):
        assert named(change) == usual, change
    assert len({usual, named("seed=2"), named("callbacks=[checkpoint]"), named("data.seed=2")}) == 4


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("data.n_clips.train=abc", r"^data\.n_clips\.train=abc: choose a whole number from 1\.$"),
        ("data.seed=true", r"^data\.seed=True: choose a whole number from 0\.$"),
        ("data.effects=1", r"^data\.effects=1: choose true or false\.$"),
        (
            "data.features.n_mels=true",
            r"^data\.features\.n_mels=True: choose a whole number from 1 to 1024\.$",
        ),
        ("model.dropout=x", r"^model\.dropout=x: choose a number from 0 to below 1\.$"),
        ("optimizer.lr=abc", r"^optimizer\.lr=abc: choose a learning rate from 0\.$"),
        ("batch_size=true", r"^batch_size=True: choose a whole number from 1\.$"),
        ("+data.sed=1", r"^data\.sed: there is no such option\. Did you mean seed\?$"),
    ],
)
def test_values_of_another_type_are_refused_before_anything_runs(
    composed: Callable[..., dict[str, Any]], override: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        freeze(composed(override))
