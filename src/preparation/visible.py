"""Files below a folder, without what file managers and systems hide there."""

from pathlib import Path


def visible_files(root: Path, pattern: str = "*") -> list[Path]:
    """List the files below a folder whose names fit a pattern, relative to it, sorted.

    Args:
        root: the folder.
        pattern: of names, as of `Path.rglob`; a path with a part that begins with a dot is passed over.
    """
    relative = sorted(path.relative_to(root) for path in root.rglob(pattern) if path.is_file())
    return [path for path in relative if not any(part.startswith(".") for part in path.parts)]
