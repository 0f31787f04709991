"""Paths of files shipped with the code: at the root of a checkout, or inside the package of an installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
"""The folder that `src` is imported from."""

_SHIPPED = PACKAGE / "shipped"  # setup.py copies it into wheels
_BASE = _SHIPPED if _SHIPPED.is_dir() else ROOT

CONF = _BASE / "conf"
CHECKPOINTS = _BASE / "checkpoints"
CONSTRAINTS = _BASE / "constraints.txt"
"""Lists the exact versions that the tests passed with."""
