"""What is refused before work where a training begins with the features of another."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.configuration.build import build_data, build_learner, build_network, describe
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.checks import freeze
from src.configuration.targets import find_task
from src.errors import UserError
from tests.conftest import CONF

INSTRUMENTS = (
    "[{name: Flute, program: 73, low: 60, high: 64}, {name: Oboe, program: 68, low: 60, high: 64},"
    " {name: Violin, program: 40, low: 60, high: 64}]"
)
SMALL = (
    "data=mixtures", f"data.instruments={INSTRUMENTS}", "data.velocities={mf: 75}", "data.n_sources=2",
    "data.note_seconds=0.5", "data.clip_seconds=0.5", "data.features.sample_rate=8000",
    "data.features.n_fft=512", "data.features.hop_length=256", "data.features.n_mels=32",
    "data.n_mixtures={train: 16, val: 4, test: 4}", "batch_size=4", "trainer.accelerator=cpu", "logger=[]",
    "data.workers=1",
)  # fmt: skip


def composed(*overrides: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        plain: Any = OmegaConf.to_container(compose("config", list(overrides)), resolve=True)
    return dict(plain)


@pytest.fixture
def frozen(tmp_path: Path) -> Any:
    """Freezes tiny mixtures with overrides."""

    def freeze_it(*overrides: str) -> dict[str, Any]:
        return freeze(composed(*SMALL, f"outputs={tmp_path}", *overrides))

    return freeze_it


@pytest.fixture
def checkpoint(tmp_path: Path, frozen: Any) -> Path:
    """A checkpoint as training writes it, of a network that was not trained."""
    config = frozen()
    data = build_data(config)
    network = build_network(config, find_task(data.inputs), len(data.classes), data.item_shape)
    state = {
        "hyper_parameters": describe(config, data),
        "state_dict": {f"network.{name}": values for name, values in network.state_dict().items()},
    }
    torch.save(state, tmp_path / "best.ckpt")
    return tmp_path / "best.ckpt"


def refused(frozen: Any, *overrides: str) -> str:
    with pytest.raises(UserError) as error:
        frozen(*overrides)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_checkpoint_of_the_same_features_is_taken_whatever_its_classes(
    frozen: Any, checkpoint: Path, tmp_path: Path
) -> None:
    two = INSTRUMENTS.rpartition(", {")[0] + "]"
    config = frozen(f"init_from={checkpoint}", "transfer.frozen_epochs=1", f"data.instruments={two}")
    data = build_data(config)
    data.prepare_data()
    data.setup("fit")
    own = build_learner(config, data).network.state_dict()
    theirs = read_checkpoint(checkpoint)["state_dict"]
    heads = {name for name in own if name.startswith("head.")}
    assert heads
    for name in own.keys() - heads:
        assert torch.equal(own[name], theirs[f"network.{name}"])
    assert [own[name].shape[0] for name in sorted(heads)] == [2] * len(heads)


def test_a_missing_checkpoint(frozen: Any, tmp_path: Path) -> None:
    assert "it does not exist" in refused(frozen, f"init_from={tmp_path}/none.ckpt")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 half of one"])
def test_a_file_that_is_no_checkpoint(frozen: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.ckpt").write_bytes(content)
    assert "cannot be read as a checkpoint" in refused(frozen, f"init_from={tmp_path}/text.ckpt")


@pytest.mark.parametrize("state", [{"weights": 1}, [1, 2], {"hyper_parameters": {"kind": "other"}}])
def test_a_checkpoint_of_another_kind(frozen: Any, tmp_path: Path, state: Any) -> None:
    torch.save(state, tmp_path / "other.ckpt")
    assert "is no checkpoint of this project" in refused(frozen, f"init_from={tmp_path}/other.ckpt")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite(frozen: Any, checkpoint: Path, value: float) -> None:
    state = torch.load(checkpoint, weights_only=True)
    name = next(iter(state["state_dict"]))
    state["state_dict"][name].flatten()[-1] = value
    torch.save(state, checkpoint)
    assert refused(frozen, f"init_from={checkpoint}") == (
        f"init_from={checkpoint}: its weights {name} are not all finite numbers; take a file that this project wrote."
    )


@pytest.mark.parametrize(
    "change", ["data.features.n_mels=40", "data.features.hop_length=200", "data.features.scaling=db"]
)
def test_other_features(frozen: Any, checkpoint: Path, change: str) -> None:
    message = refused(frozen, f"init_from={checkpoint}", change)
    assert "it was trained on other features" in message
    assert "'n_mels': 32" in message


@pytest.mark.parametrize("change", ["model=cnn", "model.channels=[8,8]"])
def test_another_network(frozen: Any, checkpoint: Path, change: str) -> None:
    message = refused(frozen, f"init_from={checkpoint}", change)
    assert "its network differs" in message
    assert str(checkpoint) in message


def test_piano_rolls(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"not read before work")
    rolls = (
        "experiment=piano_midi",
        f"data.root={tmp_path}",
        f"outputs={tmp_path}",
        "trainer=cpu",
        "logger=[]",
    )
    with pytest.raises(UserError, match="leave it out with piano rolls"):
        freeze(composed(*rolls, f"init_from={checkpoint}"))


@pytest.mark.parametrize("change", ["transfer.frozen_epochs=2", "transfer.feature_rate=0.1"])
def test_options_without_a_checkpoint_have_no_effect(frozen: Any, change: str) -> None:
    assert "no effect without init_from" in refused(frozen, change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("transfer.frozen_epochs=-1", "transfer.frozen_epochs=-1"),
        ("transfer.feature_rate=2", "transfer.feature_rate=2"),
        ("+transfer.epochs=2", "Did you mean frozen_epochs"),
    ],
)
def test_impossible_options(frozen: Any, checkpoint: Path, change: str, says: str) -> None:
    assert says in refused(frozen, f"init_from={checkpoint}", change)


def test_nothing_is_built_before(frozen: Any, tmp_path: Path) -> None:
    refused(frozen, f"init_from={tmp_path}/none.ckpt")
    assert not list(tmp_path.glob("cache/notes-*"))
