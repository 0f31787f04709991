"""Wheels carry what a checkout has at its root: configuration, shipped checkpoint, tested versions.

Everything else is in pyproject.toml.
"""

from pathlib import Path
from shutil import copy2, copytree

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = ("conf", "checkpoints", "constraints.txt")


class BuildWithShipped(build_py):
    """Copies `SHIPPED` to `src/shipped`, where `src.paths` finds it; an editable install reads the checkout's own."""

    def run(self) -> None:
        """Build the packages, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "src" / "shipped"
        target.mkdir(parents=True, exist_ok=True)
        for name in SHIPPED:
            source = ROOT / name
            if source.is_dir():
                copytree(source, target / name, dirs_exist_ok=True)
            else:
                copy2(source, target / name)


setup(cmdclass={"build_py": BuildWithShipped})
