"""`trust=`: packages outside the project whose code the command line allows to run."""

import os
import re
from collections.abc import Iterable

from src.errors import UserError

VARIABLE = "POLYSWEEP_TRUST"
"""Environment variable that carries `trust=` from the command line to the processes of its trials."""

IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def trusted() -> tuple[str, ...]:
    """Return the packages that the command line trusts with `trust=`."""
    return tuple(filter(None, os.environ.get(VARIABLE, "").split(",")))


def is_in(module: str, packages: Iterable[str]) -> bool:
    """Whether a module is one of some packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def trust(packages: object) -> None:
    """Allow targets in further packages, in this process and those that it starts.

    Args:
        packages: import paths: one, or a list.

    Raises:
        UserError: one is no import path.
    """
    listed = packages if isinstance(packages, list | tuple) else [] if packages is None else [packages]
    for package in listed:
        if not IMPORT_PATH.fullmatch(str(package)):
            raise UserError(
                f"trust={package}: name a package, such as trust=my_package or trust=[mine,yours]."
            )
    os.environ[VARIABLE] = ",".join(map(str, listed))
