"""Lists the choices of a group of the configuration."""

from pathlib import Path


def choices(group: str, conf: Path) -> list[str]:
    """Return the choices of a group, sorted.

    Args:
        group: such as `optimizer` or `data/synth_stems/unseen`.
        conf: the folder of the configuration.
    """
    return sorted(file.stem for file in (conf / group).glob("*.yaml"))
