"""Optuna is the search's alone: a trial, and a sweep of all combinations, never load it."""

import subprocess
import sys

CODE = """
import pkgutil, sys
from importlib import import_module
import src.sweep
for module in pkgutil.walk_packages(src.sweep.__path__, "src.sweep."):
    import_module(module.name)
assert "src.sweep.search.study" in sys.modules
print(sorted({"optuna", "cmaes"} & sys.modules.keys()))
"""


def test_the_modules_of_a_search_load_no_optuna() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
