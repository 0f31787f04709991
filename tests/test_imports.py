import pkgutil
import sys

import src
from src.processes import call


def _not_loaded():
    names = {module.name for module in pkgutil.walk_packages(src.__path__, "src.")}
    return sorted(names - set(sys.modules))


def test_a_process_of_the_fork_server_has_loaded_all_code():
    assert call(_not_loaded) == []
