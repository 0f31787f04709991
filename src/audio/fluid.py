"""FluidSynth's C functions through pyfluidsynth, wherever the library is installed.

Importing pyfluidsynth fails where it finds no library; then the one inside the wheel of `pygame-ce` is used.
"""

import contextlib
import ctypes.util
import functools
import importlib
import importlib.util
import io
import os
from collections.abc import Iterator
from ctypes import c_char_p, c_float, c_int, c_void_p
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from src.errors import UserError

LIBRARY_VARIABLE = "POLYSWEEP_FLUIDSYNTH"
"""Environment variable: path of the library to use instead of searching for one."""

REMEDY = (
    "FluidSynth's library is not installed: run `make setup`, `apt install libfluidsynth3`, "
    "`brew install fluid-synth` or `pip install pygame-ce`"
)
_LOG_LEVELS = range(5)


@functools.cache
def functions() -> SimpleNamespace:
    """Return FluidSynth's C functions by name, without the prefix `fluid_`, with logging switched off.

    Raises:
        UserError: no library is found.
    """
    module = _pyfluidsynth()
    declared = {
        name.removeprefix("fluid_"): getattr(module, name)
        for name in dir(module)
        if name.startswith(("fluid_", "new_fluid_", "delete_fluid_"))
    }
    api = SimpleNamespace(**declared, **_undeclared(module.cfunc))
    for level in _LOG_LEVELS:
        api.set_log_function(level, None, None)
    return api


def version() -> str:
    """Return FluidSynth's version, such as `2.3.1`.

    Raises:
        UserError: no library is found.
    """
    text: bytes = functions().version_str()
    return text.decode()


def bundled_library() -> Path | None:
    """Return the library in the wheel of `pygame-ce`, found without importing the package."""
    package = importlib.util.find_spec("pygame")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    patterns = ("../pygame_ce.libs/libfluidsynth*", ".dylibs/libfluidsynth*", "libfluidsynth*.dll")
    return next((file.resolve() for pattern in patterns for file in sorted(folder.glob(pattern))), None)


def _undeclared(cfunc: Any) -> dict[str, Any]:
    """Declare the functions that pyfluidsynth leaves out."""
    synth, font = ("synth", c_void_p, 1), ("sfont", c_void_p, 1)
    level, function, data = ("level", c_int, 1), ("function", c_void_p, 1), ("data", c_void_p, 1)
    left = (("left", c_void_p, 1), ("left_offset", c_int, 1), ("left_step", c_int, 1))
    right = (("right", c_void_p, 1), ("right_offset", c_int, 1), ("right_step", c_int, 1))
    count, channel = ("count", c_int, 1), ("chan", c_int, 1)
    generator = (("param", c_int, 1), ("value", c_float, 1))
    return {
        "synth_set_gen": cfunc("fluid_synth_set_gen", c_int, synth, channel, *generator),
        "synth_add_sfont": cfunc("fluid_synth_add_sfont", c_int, synth, font),
        "synth_remove_sfont": cfunc("fluid_synth_remove_sfont", c_int, synth, font),
        "synth_write_float": cfunc("fluid_synth_write_float", c_int, synth, count, *left, *right),
        "set_log_function": cfunc("fluid_set_log_function", c_void_p, level, function, data),
        "version_str": cfunc("fluid_version_str", c_char_p),
    }


def _pyfluidsynth() -> Any:
    for library in _candidates():
        with contextlib.suppress(ImportError, OSError, AttributeError), _found(library):
            return importlib.import_module("fluidsynth")
    raise UserError(REMEDY)


def _candidates() -> Iterator[Path | None]:
    """Yield libraries to try in turn; `None` leaves the search to pyfluidsynth."""
    forced = os.environ.get(LIBRARY_VARIABLE)
    if forced:
        yield Path(forced)
        return
    yield None
    if (bundled := bundled_library()) is not None:
        yield bundled


@contextlib.contextmanager
def _found(library: Path | None) -> Iterator[None]:
    """Make pyfluidsynth find `library` while it is imported, and keep it from printing."""
    search = ctypes.util.find_library

    def found(name: str) -> str | None:
        return search(name) if library is None else str(library)

    ctypes.util.find_library = found
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where it found the library if $CI is set
            yield
    finally:
        ctypes.util.find_library = search
