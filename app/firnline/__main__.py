"""`python -m firnline`: the command line."""

import sys

from firnline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
