"""The files below a folder, without hidden ones."""

from pathlib import Path


def visible_files(root: Path, pattern: str = "*") -> list[Path]:
    """Return the sorted relative paths of the files below a folder whose names match a pattern.

    Paths with a component that begins with a dot are left out.

    Args:
        root: the folder.
        pattern: of names, as for `Path.rglob`.
    """
    relative = sorted(path.relative_to(root) for path in root.rglob(pattern) if path.is_file())
    return [path for path in relative if not any(part.startswith(".") for part in path.parts)]
