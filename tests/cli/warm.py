"""Runs `run.py` with each of many command lines, each in a process forked after the slow imports.

Reads `[{"arguments": […], "out": path, "err": path}, …]` from the standard input, writes the exit codes.
"""

import json
import os
import runpy
import sys
import traceback
from pathlib import Path

AT_ONCE = 2


def run(arguments: list[str], out: str, err: str) -> None:
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["run.py", *arguments]
    code: object = 0
    try:
        runpy.run_path("run.py", run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)  # taking all that was imported apart would cost a second


def _wait(running: dict[int, int], codes: list[int]) -> None:
    child, status = os.wait()
    codes[running.pop(child)] = os.waitstatus_to_exitcode(status)


def main() -> None:
    import src.commands.evaluation
    import src.commands.generation
    import src.commands.prediction
    import src.imports  # noqa: F401

    cases = json.load(sys.stdin)
    codes = [0] * len(cases)
    running: dict[int, int] = {}
    for number, case in enumerate(cases):
        child = os.fork()
        if not child:
            run(**case)
        running[child] = number
        if len(running) == AT_ONCE:
            _wait(running, codes)
    while running:
        _wait(running, codes)
    print(json.dumps(codes))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
