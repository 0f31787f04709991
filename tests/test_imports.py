import os
import subprocess
import sys

from src.paths import ROOT
from src.processes import PRELOADED

CODE = """
import pkgutil, sys
import src, src.preload
print(sorted({module.name for module in pkgutil.walk_packages(src.__path__, "src.")} - set(sys.modules)))
"""


def test_the_fork_server_loads_all_code():
    environment = {key: value for key, value in os.environ.items() if key != PRELOADED}
    run = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
