"""Write constraints.txt: the newest versions that the ranges of pyproject.toml allow, for every platform and Python.

`python scripts/lock.py`, or `make lock`. Names and versions only; a marker says where a version is for some platforms.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "constraints.txt"
OPTIONS = ("--universal", "--all-extras", "--upgrade", "--no-header", "--no-annotate", "--quiet")
HEADER = """\
# Exact versions of everything that `make setup` installs, and of what that needs in turn. The tests passed with them.
# Written by `make lock`; CONTRIBUTING.md says when. Not to be edited.
"""


def main() -> None:
    """Resolve the versions, and write them below the header."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = project["project"]["requires-python"].split(",")[0].removeprefix(">=")
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        *OPTIONS,
        "--python-version",
        oldest,
    ]
    compiled = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    TARGET.write_text(HEADER + compiled, encoding="utf-8")
    pinned = sum("==" in line for line in compiled.splitlines())
    print(f"{TARGET.name}: {pinned} versions")


if __name__ == "__main__":
    main()
