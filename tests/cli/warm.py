"""Runs `run.py` with each of many command lines, each in a process forked after the slow imports.

Reads `[{"arguments": […], "out": path, "err": path}, …]` from the standard input, writes the exit codes.
"""

import json
import os
import runpy
import sys
from pathlib import Path


def run(arguments: list[str], out: str, err: str) -> None:
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["run.py", *arguments]
    runpy.run_path("run.py", run_name="__main__")


def main() -> None:
    import src.evaluation
    import src.imports
    import src.prediction  # noqa: F401

    codes = []
    for case in json.load(sys.stdin):
        child = os.fork()
        if not child:
            run(**case)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(codes))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
