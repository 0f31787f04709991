"""What a file says never decides what is imported or called."""

import ast
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from src.commands.checkpoint import load
from src.commands.sharing import SHARED, share
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.earlier_modules import MOVED, with_current_targets
from src.configuration.targets import check_stored, find_class
from src.configuration.trust import VARIABLE, trust
from src.errors import UserError
from src.losses.bce import BCE
from src.rank import run_rank
from tests.configuration.attacks import ATTACKS, EVIL_MODULE

SRC = Path(__file__).resolve().parents[2] / "src"


class Touch:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path(self.path).touch, ())


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the attacks would make; what they use is on the disk."""
    path = tmp_path / "mark"
    path.with_suffix(".pickle").write_bytes(pickle.dumps(Touch(str(path))))
    (tmp_path / "evil_module.py").write_text(EVIL_MODULE.format(mark=str(path)))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delitem(sys.modules, "evil_module", raising=False)
    return path


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    return dict(torch.load(SHARED, weights_only=True))


def attacked(state: dict[str, Any], name: str, mark: Path) -> Path:
    description = dict(state["hyper_parameters"])
    description["config"] = ATTACKS[name](dict(description["config"]), mark)
    path = mark.with_name("attack.ckpt")
    torch.save({**state, "hyper_parameters": description}, path)
    return path


@pytest.mark.parametrize("name", ATTACKS)
def test_a_checkpoint_runs_nothing(state: dict[str, Any], mark: Path, name: str) -> None:
    path = attacked(state, name, mark)
    for read in (load, read_checkpoint, lambda file: share(file, mark.with_name("shared.ckpt"))):
        with pytest.raises(UserError) as refused:
            read(path)
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith(f"checkpoint={path}: ")
    assert not mark.exists()
    assert not mark.with_name("shared.ckpt").exists()


MALFORMED: dict[str, Any] = {
    "no loss": {"loss": None},
    "a loss that is text": {"loss": "${oc.env:HOME}"},
    "no data": {"data": None},
    "a network that is a list": {"model": ["src.models.networks.cnn.CNN"]},
    "a network without a class": {"model": {"channels": [8]}},
    "a network without what it needs": {
        "model": {"_target_": "src.models.networks.lstm.LSTM", "hidden": None}
    },
    "callbacks that are a list": {"callbacks": ["early_stopping"]},
    "a callback that is text": {"callbacks": {"best": "early_stopping"}},
    "a class's name over several lines": {"loss": {"_target_": "os.system\nAll is well\n\x1b[32mok"}},
    "a class's name for a shell": {"loss": {"_target_": "x$(touch MARK).y"}},
    "a class's name without end": {"loss": {"_target_": "a" * 200_000 + ".b"}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_configuration_is_one_line(state: dict[str, Any], mark: Path, name: str) -> None:
    description = dict(state["hyper_parameters"])
    description["config"] = dict(description["config"]) | MALFORMED[name]
    path = mark.with_name("malformed.ckpt")
    torch.save({**state, "hyper_parameters": description}, path)
    with pytest.raises(UserError) as refused:
        load(path)
    assert len(str(refused.value)) < 300 + len(str(path))
    assert str(refused.value).isprintable()
    assert "trust=" not in str(refused.value)


@pytest.mark.parametrize("group", ["data", "model", "loss"])
def test_a_configuration_without_a_group_is_one_line(state: dict[str, Any], group: str) -> None:
    config = {key: value for key, value in state["hyper_parameters"]["config"].items() if key != group}
    with pytest.raises(UserError, match=f"{group} is missing"):
        check_stored(config)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_configuration_of_a_trial_runs_nothing_in_a_further_rank(
    state: dict[str, Any], mark: Path, name: str
) -> None:
    from omegaconf import OmegaConf

    config = ATTACKS[name](dict(state["hyper_parameters"]["config"]), mark)
    OmegaConf.save(OmegaConf.create(config), mark.with_name("config.yaml"))
    with pytest.raises(UserError):
        run_rank(mark.parent)
    assert not mark.exists()


def test_the_shipped_checkpoint_is_read(state: dict[str, Any]) -> None:
    assert read_checkpoint(SHARED).keys() == state.keys()
    check_stored(state["hyper_parameters"]["config"])


def test_own_code_is_trusted_by_the_command_line_only(mark: Path) -> None:
    with pytest.raises(UserError, match=r"add trust=evil_module to the command line"):
        find_class("evil_module.Loss", "loss")
    assert not mark.exists()
    trust(["evil_module"])
    assert issubclass(find_class("evil_module.Loss", "loss"), BCE)
    assert mark.exists()


def test_trust_makes_no_command_of_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "os")
    with pytest.raises(UserError, match="no such class"):
        find_class("os.system", "loss")


@pytest.mark.parametrize("words", ["a b", "a/b", "1a", "", ["good", "../evil"]])
def test_what_is_no_package_cannot_be_trusted(words: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(UserError, match="name a package"):
        trust(words)


@pytest.mark.parametrize(
    ("target", "group"),
    [
        ("src.losses.bce.BCE", "loss"),
        ("torch.optim.NAdam", "optimizer"),
        ("torch.optim.lr_scheduler.LinearLR", "scheduler"),
        ("lightning.pytorch.callbacks.Timer", "callbacks.timer"),
        ("lightning.pytorch.loggers.CSVLogger", "logger.csv"),
    ],
)
def test_classes_of_the_project_and_its_libraries_are_found(target: str, group: str) -> None:
    assert find_class(target, group).__name__ == target.rpartition(".")[2]


IMPORTS_BY_NAME = {
    "src/configuration/targets.py": "checks first",
    "src/configuration/fitting.py": "names of this project's files",
    "src/sweep/protocol.py": "hydra.launcher.trial of the command line",
    "src/preload.py": "hydra.launcher.trial of the command line, and modules of trusted packages",
    "src/imports.py": "names of this project's files",
    "src/probe.py": "a table of names",
    "src/audio/fluid.py": "a constant",
    "src/preparation/card.py": "a constant",
}
"""Where a text decides what is imported, and whose text it is."""

IMPORTERS = {"import_module", "__import__", "get_object", "get_class", "get_method", "instantiate", "locate"}
EVALUATORS = {"eval", "exec", "compile"}
RESOLVERS = {"register_new_resolver", "register_resolver"}


def calls_in(path: Path) -> set[str]:
    """Names of the functions and methods that a file calls; `.eval()` and `.compile()` are methods of others."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = {function.attr for function in functions if isinstance(function, ast.Attribute)} - EVALUATORS
    return methods | {function.id for function in functions if isinstance(function, ast.Name)}


def test_no_other_place_imports_by_name_or_resolves() -> None:
    found = {path.relative_to(SRC.parent).as_posix(): calls_in(path) for path in SRC.rglob("*.py")}
    assert {name for name, calls in found.items() if calls & (IMPORTERS | EVALUATORS)} == set(IMPORTS_BY_NAME)
    assert not any(calls & RESOLVERS for calls in found.values())


def test_checkpoints_have_one_reader() -> None:
    readers = {
        path.relative_to(SRC.parent).as_posix()
        for path in SRC.rglob("*.py")
        if "torch.load(" in path.read_text(encoding="utf-8")
    }
    assert readers == {"src/configuration/checkpoint_files.py"}
    text = (SRC / "configuration" / "checkpoint_files.py").read_text(encoding="utf-8")
    assert text.count("torch.load(") == text.count("weights_only=True") == 1


DATA_SETS = {
    "chinese": "Chinese",
    "chmusic": "ChMusic",
    "chorales": "Chorales",
    "folder": "Folder",
    "genre_audio": "GenreAudio",
    "genre_features": "GenreFeatures",
    "genre_scores": "GenreScores",
    "irmas": "Irmas",
    "midi_folder": "MidiFolder",
    "mixtures": "Mixtures",
    "mood_features": "MoodFeatures",
    "nsynth": "NSynth",
    "poly_music": "PolyMusic",
    "synth_instruments": "SynthInstruments",
    "synth_stems": "SynthStems",
    "tinysol": "TinySOL",
}
"""Those that lay right below src/datamodules once: checkpoints name them so."""


@pytest.mark.parametrize("module", DATA_SETS)
def test_a_data_set_is_found_by_the_import_path_that_older_checkpoints_have(module: str) -> None:
    old = f"src.datamodules.{module}.{DATA_SETS[module]}"
    yaml = OmegaConf.load(SRC.parent / "conf" / "data" / f"{module}.yaml")

    assert with_current_targets({"data": {"_target_": old, "seed": 1}}) == {
        "data": {"_target_": yaml["_target_"], "seed": 1}
    }
    assert find_class(old, "data") is find_class(yaml["_target_"], "data")


def test_every_moved_module_is_tested() -> None:
    assert {f"src.datamodules.{module}" for module in DATA_SETS} == MOVED.keys()


def test_the_shared_checkpoint_is_read_with_the_import_paths_of_today(state: dict[str, Any]) -> None:
    assert state["hyper_parameters"]["config"]["data"]["_target_"] == "src.datamodules.synth_stems.SynthStems"

    config = read_checkpoint(SHARED)["hyper_parameters"]["config"]

    assert config["data"]["_target_"] == "src.datamodules.synthesized.synth_stems.SynthStems"


def test_what_is_no_configuration_of_a_class_is_left_as_it_is() -> None:
    config = {"seed": 3, "loss": {"_target_": "src.losses.bce.BCE"}, "scheduler": {"_target_": None}}

    assert with_current_targets(config) == config
