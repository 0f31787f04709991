"""The command that sends to W&B what trials have logged offline."""

import shlex
from collections.abc import Iterable
from pathlib import Path

RUNS = "offline-run-*"


def sync_command(root: Path, trials: Iterable[str]) -> str | None:
    """Return a line for a shell; `None` where there is nothing to send.

    Args:
        root: the folder `outputs/runs`.
        trials: their folders in it. Runs of their earlier attempts are included.
    """
    places = [
        str(wandb.parent.relative_to(root))
        for trial in sorted(trials)
        for wandb in (root / trial / "wandb", *sorted((root / trial).glob("attempts/*/wandb")))
        if any(wandb.glob(f"{RUNS}/*.wandb"))
    ]
    if not places:
        return None
    # Quotes would keep the shell from expanding braces and asterisks; only the root may contain what needs quotes.
    several = f"{{{','.join(places)}}}" if len(places) > 1 else places[0]
    return f"wandb sync {shlex.quote(f'{root}/')}{several}/wandb/{RUNS}"
