"""`python run.py …`: the command `polysweep` out of a checkout."""

import sys

from src.main import main

if __name__ == "__main__":
    sys.exit(main())
