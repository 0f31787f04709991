"""Imported by the fork server. Failures are ignored here: the process that needs a library reports them."""

import os
from contextlib import suppress
from importlib import import_module

from src.processes import PRELOADED, TARGETS
from src.sweep.identity import code

with suppress(Exception):
    code()  # before the imports: what is edited after this line counts as changed
with suppress(Exception):
    import_module(os.environ.get(PRELOADED, "src.imports"))
for module in filter(None, os.environ.get(TARGETS, "").split(",")):
    with suppress(Exception):
        import_module(module)
