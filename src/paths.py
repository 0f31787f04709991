"""Where what is shipped beside the code lies: in a checkout at its root, in an installed wheel below the package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
"""The folder that `src` is imported from."""

_SHIPPED = PACKAGE / "shipped"  # setup.py copies it into wheels
_BASE = _SHIPPED if _SHIPPED.is_dir() else ROOT

CONF = _BASE / "conf"
CHECKPOINTS = _BASE / "checkpoints"
CONSTRAINTS = _BASE / "constraints.txt"
"""The exact versions that the tests passed with."""
