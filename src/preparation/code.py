"""Finds the code that prepared data depend on, so that they are built again when it changes."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from src.fingerprint import code_hash
from src.paths import ROOT

PROJECT = "src"


def code_signature(*modules: ModuleType) -> str:
    """Hash the code of modules and of all that they import.

    Args:
        modules: see `code_files`.

    Raises:
        ModuleNotFoundError: see `code_files`.
    """
    return code_hash(code_files(*modules), ROOT)


def code_files(*modules: ModuleType) -> set[Path]:
    """Find the files of modules and, through their imports, of all project modules that they need.

    Packages count by their `__init__.py`. Libraries do not count: their versions are part of a cache's recipe.

    Args:
        modules: of this project, or of another package, within which imports are then followed, too.

    Raises:
        ModuleNotFoundError: a needed module has no file, because it was renamed or removed.
    """
    places = {PROJECT: ROOT} | {_top(module.__name__): _place(module) for module in modules}
    found: dict[str, Path | None] = {}
    waiting = [module.__name__ for module in modules]
    while waiting:
        name = waiting.pop()
        if name in found or _top(name) not in places:
            continue
        path = found[name] = _file(name, places[_top(name)])
        # Importing a module runs the `__init__.py` of its packages, too.
        waiting += [name.rpartition(".")[0]] if "." in name else []
        for needed, imported in _imports(path, name) if path else ():
            # In `from package import name` the name may be a module or defined in the package.
            waiting.append(needed)
            if imported and _top(needed) in places and _is_module(needed, imported, places[_top(needed)]):
                waiting.append(f"{needed}.{imported}")
    return {path for path in found.values() if path is not None}


def module_of(thing: object) -> ModuleType:
    """Return the module that defines an object's class."""
    return sys.modules[type(thing).__module__]


def _top(name: str) -> str:
    return name.partition(".")[0]


def _place(module: ModuleType) -> Path:
    """Return the folder that contains a module's top-level package."""
    if _top(module.__name__) == PROJECT:
        return ROOT
    path = Path(str(module.__file__))
    levels = module.__name__.count(".") + (path.name == "__init__.py")
    return path.parents[levels]


def _file(name: str, place: Path) -> Path | None:
    """Return the file of a module, or `None` for a folder without `__init__.py`."""
    base = place.joinpath(*name.split("."))
    files = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    path = next((file for file in files if file.is_file()), None)
    if path is None and not base.is_dir():
        raise ModuleNotFoundError(
            f"{name} is named as code that data are made by, but {files[0]} does not exist"
        )
    return path


def _is_module(package: str, name: str, place: Path) -> bool:
    """Whether a name imported from a package is one of its modules, rather than defined in its `__init__.py`.

    Raises:
        ModuleNotFoundError: it is neither.
    """
    path = _file(package, place)
    if path is not None and (path.name != "__init__.py" or name in _defined(path)):
        return False
    _file(f"{package}.{name}", place)
    return True


@cache
def _imports(path: Path, name: str) -> tuple[tuple[str, str], ...]:
    """Return what a file imports: pairs of a module's full name and the name imported from it, which may be empty.

    Args:
        path: of the file.
        name: of its module, for relative imports.
    """
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    return tuple(_imported(ast.parse(path.read_text(encoding="utf-8")), package))


def _imported(tree: ast.Module, package: list[str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((module, "" if alias.name == "*" else alias.name) for alias in node.names)


@cache
def _defined(path: Path) -> frozenset[str]:
    """Return the names that a file defines or imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return frozenset(names | {alias.asname or alias.name for node in imports for alias in node.names})
