from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hydra import compose, initialize_config_dir
from hypothesis import settings
from omegaconf import OmegaConf
from threadpoolctl import threadpool_limits

from src.audio.compiled import import_librosa
from src.metrics.further import BASELINES, METRICS

# How long an example takes says nothing about the code on a machine that does other things, too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

import_librosa(beats=True)  # before the tests do, which run in several processes

# As many processes run tests as there are cores.
torch.set_num_threads(1)
threadpool_limits(1)

CONF = Path(__file__).resolve().parent.parent / "conf"

TINY = [
    "data.n_clips={train: 32, val: 16, test: 16}",
    "data.clip_seconds=0.6",
    "data.features.n_mels=32",
    "data.features.sample_rate=11025",
    "data.features.hop_length=256",
    "data.workers=1",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "batch_size=8",
    "logger=[]",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have most slow tests: with several workers, none is left alone with one at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Made before the threads of a fixture ask for it at once, which fails for all but one of them."""
    tmp_path_factory.getbasetemp()


@pytest.fixture(autouse=True)
def denormal_numbers() -> None:
    """A trial run in this process flushes them, which the next test must not notice (hypothesis does)."""
    torch.set_flush_denormal(False)


@pytest.fixture
def nothing_registered() -> Iterator[None]:
    """Without the metrics and baselines that other test files register."""
    with patch.dict(METRICS, clear=True), patch.dict(BASELINES, clear=True):
        yield


@pytest.fixture
def composed(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Composes the real configuration, shrunk, with overrides; outputs lie in `tmp_path`."""

    def compose_it(*overrides: str) -> dict[str, Any]:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = compose("config", [*TINY, f"outputs={tmp_path}", *overrides])
        plain = OmegaConf.to_container(config, resolve=True)
        assert isinstance(plain, dict)
        return {str(key): value for key, value in plain.items()}

    return compose_it
