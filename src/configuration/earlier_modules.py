"""Import paths of earlier versions, which stored checkpoints contain."""

from collections.abc import Mapping
from typing import Any

_FAMILIES = {
    "synthesized": ("synth_instruments", "synth_stems"),
    "recordings": ("chinese", "chmusic", "folder", "irmas", "nsynth"),
    "notes": ("mixtures", "tinysol"),
    "sequences": ("genre_audio", "genre_features", "genre_scores", "mood_features"),
    "rolls": ("chorales", "midi_folder", "poly_music"),
}
MOVED = {
    f"src.datamodules.{name}": f"src.datamodules.{family}.{name}"
    for family, names in _FAMILIES.items()
    for name in names
}
"""By the earlier name of a module, which stored checkpoints contain, its current name."""


def current_target(target: str) -> str:
    """Return the current import path for one that an earlier version wrote; other paths are returned unchanged."""
    module, dot, name = target.rpartition(".")
    return MOVED.get(module, module) + dot + name


def with_current_targets(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose groups name their classes by current import paths.

    Args:
        config: of a checkpoint, plain values, as `check_stored` lets them pass.
    """
    return {group: _with_current_target(options) for group, options in config.items()}


def _with_current_target(options: Any) -> Any:
    if isinstance(options, Mapping) and isinstance(options.get("_target_"), str):
        return {**options, "_target_": current_target(options["_target_"])}
    return options
