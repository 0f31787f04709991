"""Make a checkpoint that can be passed on: `python scripts/share_checkpoint.py BEST.ckpt checkpoints/NAME.ckpt`."""

import sys
from pathlib import Path

from src.commands.sharing import share
from src.errors import UserError

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        share(Path(sys.argv[1]), Path(sys.argv[2]))
    except UserError as error:
        sys.exit(str(error))
    print(f"{sys.argv[2]}: {Path(sys.argv[2]).stat().st_size:,} bytes")
