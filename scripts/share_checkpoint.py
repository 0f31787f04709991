"""Make a checkpoint that can be passed on: `python scripts/share_checkpoint.py BEST.ckpt checkpoints/NAME.ckpt`."""

import sys
from pathlib import Path

from src.commands.sharing import share
from src.errors import UserError, printable

if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        share(Path(sys.argv[1]), Path(sys.argv[2]))
    except UserError as error:
        print(f"Error: {printable(str(error))}", file=sys.stderr)
        sys.exit(2)
    print(f"{sys.argv[2]}: {Path(sys.argv[2]).stat().st_size:,} bytes")
