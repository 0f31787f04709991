"""Lists the keys of the configuration, and the choices that have a key."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = "# @package "


def known_keys(conf: Path) -> set[str]:
    """Return the keys of all files of the configuration, with the groups that they lie in: `optimizer.lr`."""
    keys: set[str] = set()
    for file in conf.rglob("*.yaml"):
        group = file.relative_to(conf).parts[0]
        if group != "experiment":
            keys |= {*_keys_of_file(file, conf), *([group] if group != file.name else [])}
    return keys


def choices_with(key: str, conf: Path) -> dict[str, list[str]]:
    """Return the choices that have a key, by group: `{"data": ["chorales", "midi_folder"], "mode": ["generate"]}`.

    Args:
        key: such as `generation.pieces`, or a group that is chosen below another: `data/synth_stems/unseen`.
        conf: the folder of the configuration.
    """
    found: dict[str, list[str]] = {}
    for group in sorted(path for path in conf.iterdir() if path.is_dir() and path.name != "experiment"):
        choices = [
            file.stem for file in sorted(group.glob("*.yaml")) if key in _keys_with_defaults(file, conf)
        ]
        if choices:
            found[group.name] = choices
    return found


def _keys_with_defaults(file: Path, conf: Path) -> Iterator[str]:
    yield from _keys_of_file(file, conf)
    for entry in _content(file).get("defaults", []):
        if isinstance(entry, dict):
            yield from (
                _place(str(group), file, conf) for group in entry if not group.startswith("override ")
            )
        elif entry != "_self_":
            yield from _keys_with_defaults(conf / f"{_place(entry, file, conf)}.yaml", conf)


def _place(entry: str, file: Path, conf: Path) -> str:
    """Return the path, below `conf`, of an entry of a file's defaults list."""
    return entry[1:] if entry.startswith("/") else str(file.relative_to(conf).parent / entry)


def _keys_of_file(file: Path, conf: Path) -> Iterator[str]:
    package = ".".join(file.relative_to(conf).parent.parts)
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    if first.startswith(_PACKAGE):
        package = first.removeprefix(_PACKAGE).strip().replace("_global_", "")
    content = {key: value for key, value in _content(file).items() if key != "defaults"}
    for key in _keys_of(content, f"{package}." if package else ""):
        if not key.rpartition(".")[2].startswith("_"):
            yield key


def _content(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {}


def _keys_of(content: object, prefix: str) -> Iterable[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield f"{prefix}{key}"
            yield from _keys_of(value, f"{prefix}{key}.")
