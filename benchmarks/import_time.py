"""Compare `from hf_tools import HfInference` with importing what it is built on.

    python benchmarks/import_time.py [rounds]

Each round starts one fresh interpreter for each statement, in turn, so that both meet the same state of the machine;
the medians of their import times are compared. Exits with 1 when the ratio is above 1.25.
"""

import statistics
import subprocess
import sys

BASE = "import httpx, pydantic; pydantic.BaseModel"
OURS = "from hf_tools import HfInference"
LIMIT = 1.25
ROUNDS = 21
FEWEST = 15


def seconds(statement: str) -> float:
    """How long a fresh interpreter takes for the statement, without its own start."""
    code = f"import time; begin = time.perf_counter()\n{statement}\nprint(time.perf_counter() - begin)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> int:
    """Measure, print and judge."""
    rounds = max(FEWEST, int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
    for statement in (BASE, OURS):
        seconds(statement)  # compiles what is not compiled yet
    pairs = [(seconds(BASE), seconds(OURS)) for _ in range(rounds)]
    base, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{base * 1e3:7.1f} ms  {BASE}")
    print(f"{ours * 1e3:7.1f} ms  {OURS}")
    print(f"{ours / base:7.2f}     ratio of the medians of {rounds} rounds (limit {LIMIT})")
    return int(ours / base > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
