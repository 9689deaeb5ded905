"""`python -m lensgrad`: the command line where no script is installed."""

import sys

from lensgrad.cli import main

if __name__ == "__main__":
    sys.exit(main())
