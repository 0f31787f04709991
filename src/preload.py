"""Imported by the fork server. Failures are ignored here: the process that needs a library reports them."""

import os
from contextlib import suppress
from importlib import import_module

from src.processes import PRELOADED

with suppress(Exception):
    import_module(os.environ.get(PRELOADED, "src.imports"))
