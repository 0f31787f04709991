"""Which trial is it? A signature of what can change its result, and a fingerprint of the code that made it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.fingerprint import code_hash, content_hash, value_hash

IGNORED = (
    "outputs",
    "mode",
    "checkpoint",
    "input",
    "class_map",
    "thresholds",
    "dry_run",
    "retry",
    "reuse",
    "timeout",
    "sweep",
    "logger",
    "callbacks.progress_bar",
    "callbacks.learning_rate",
    "callbacks.music_samples",
    "learning_rates",
    "data.workers",
    "data.loaders",
    "data.feature_files",
    "trainer.enable_progress_bar",
)
"""Keys that can't change a trial's result."""

INPUTS = (
    "data.root",
    "data.soundfont",
    "data.soundfonts",
    "data.val_soundfonts",
    "data.test_soundfonts",
    "init_from",
)
"""Keys that name files or folders: what lies behind the path counts, not the path."""


def signature(config: Mapping[str, Any], memory: Path | None = None) -> str:
    """Hash a frozen configuration without what can't change the result.

    Args:
        config: plain values, resolved; no `auto` is left in it.
        memory: a JSON file that remembers content hashes (`src.fingerprint.content_hash`).

    Returns:
        Hexadecimal digits: the name of the trial's folder.

    Raises:
        UserError: an input file or folder is missing.
    """
    counted = {}
    for key, value in _leaves(config):
        if any(key == ignored or key.startswith(f"{ignored}.") for ignored in IGNORED):
            continue
        counted[key] = _content(key, value, memory) if key in INPUTS else _plain(value)
    return value_hash(counted)


@cache
def code() -> str:
    """A fingerprint of `src/` without docstrings, comments and `src/sweep/`."""
    source = Path(__file__).resolve().parent.parent
    rooms = [path for path in source.iterdir() if path.suffix == ".py" or path.is_dir()]
    counted = [path for path in rooms if path.name not in ("sweep", "__pycache__")]
    return code_hash(counted, source)


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value: Any) -> Any:
    """Numbers that are equal are the same setting: `1` and `1.0`, `1e-3` and `0.001`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _content(key: str, value: Any, memory: Path | None) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return [_content(key, item, memory) for item in value]
    path = Path(value).expanduser()
    if not path.exists():
        raise UserError(f"{key}={value}: there is no such file or folder; check the path.")
    return content_hash(path, memory)
