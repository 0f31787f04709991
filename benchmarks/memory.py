"""The memory of a process."""

import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """Return this process's peak of resident memory.

    On Linux `ru_maxrss` is no less than what the parent held when it started this process; `VmHWM` is our own.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6
