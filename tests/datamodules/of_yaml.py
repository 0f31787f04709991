"""Data modules with the options of their YAML files, some changed."""

from pathlib import Path
from typing import Any

from hydra.utils import get_class
from omegaconf import OmegaConf

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"
TINY_FEATURES = {"sample_rate": 8000, "n_fft": 512, "win_length": None, "hop_length": 400, "n_mels": 8}


def of_yaml(name: str, cache_dir: Path, **changes: Any) -> Any:
    """Build `data=<name>`; tiny features unless others are asked for, one worker."""
    options = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    assert isinstance(options, dict)
    options.pop("defaults", None)
    kind = get_class(options.pop("_target_"))
    features = {**options["features"], **TINY_FEATURES}
    chosen = {**options, "features": features, "workers": 1, "batch_size": 4, "shuffle_seed": 1, **changes}
    return kind(**chosen, cache_dir=cache_dir)
