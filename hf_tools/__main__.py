"""`python -m hf_tools` does what the console script `hf-tools` does."""

from __future__ import annotations

import sys

from hf_tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
