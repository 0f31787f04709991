"""A server that runs `run.py` with given command lines, each in a process forked after the slow imports.

Reads a line of JSON for each command from the standard input, `{"number", "arguments", "environment", "out", "err"}`;
`out` and `err` are paths of files. Writes a line `{"number", "code"}` when one has ended.
"""

import json
import os
import random
import runpy
import select
import signal
import sys
import traceback
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, NoReturn


def main() -> None:
    import src.commands.evaluation
    import src.commands.generation
    import src.commands.prediction
    import src.imports  # noqa: F401
    from src.processes import call

    call(os.getpid)  # starts the server of processes that sweeps ask, too
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    running: dict[int, int] = {}
    unread = b""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            _report(running)
        if 0 in ready:
            read = os.read(0, 2**16)
            if not read:
                return
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                command = json.loads(line)
                child = os.fork()
                if not child:
                    _run(command)
                running[child] = command["number"]


def _report(running: dict[int, int]) -> None:
    while running:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        answer = {"number": running.pop(child), "code": os.waitstatus_to_exitcode(status)}
        os.write(1, json.dumps(answer).encode() + b"\n")


def _run(command: dict[str, Any]) -> NoReturn:
    """Do in a forked process what Python does when it starts, as far as it matters here, and run the command."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    forkserver._forkserver._forkserver_pid = None  # as in any process that did not start it
    for path, number in (("/dev/null", 0), (command["out"], 1), (command["err"], 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(command["environment"])
    _as_newly_started()
    sys.argv = ["run.py", *command["arguments"]]
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


def _as_newly_started() -> None:
    import numpy as np
    import torch

    random.seed()
    np.random.seed()
    if "OMP_NUM_THREADS" in os.environ:  # which torch reads when it is imported
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
