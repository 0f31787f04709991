"""Hashes of the contents of input files."""

from collections.abc import Sequence
from pathlib import Path

from src.fingerprint import content_hash, read_json, stamp, value_hash, write_json


def files_hash(root: Path, names: Sequence[str], memory: Path) -> str:
    """Hash the names and contents of some files below a folder.

    Args:
        root: the folder that the names are relative to.
        names: of existing files.
        memory: a JSON file that caches the hash by names, sizes and times, so that unchanged files are not read again.
    """
    known = read_json(memory) or {}
    key = value_hash([str(root), [[name, *stamp((root / name).stat())] for name in names]])
    if key not in known:
        known[key] = value_hash([[name, content_hash(root / name)] for name in names])
        write_json(memory, known)
    return str(known[key])
