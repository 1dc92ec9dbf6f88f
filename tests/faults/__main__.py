"""Try every fault on every subject and print what came of it: `python -m tests.faults [WORD...]`, or `make faults`.

With words only the faults whose number and name have one of them. Exit code 1 where something is not as expected.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings

from tests.faults.all import PAIRS
from tests.faults.kit import run_all, table


def main(words: list[str]) -> int:
    """Print the table; 1 where something is wrong."""
    logging.disable()
    warnings.simplefilter("ignore")
    begun = time.monotonic()
    chosen = [pair for pair in PAIRS if not words or any(word in pair[0].key for word in words)]
    runs = run_all(chosen)
    print(f"{table(runs)}, in {time.monotonic() - begun:.0f} s")
    return int(not runs or any(one.wrong for one in runs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
