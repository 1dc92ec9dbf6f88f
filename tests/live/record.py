"""Record cassettes/ anew from real servers that are started here: `make cassettes`.

    python tests/live/record.py [SERVER ...]      all servers that have cases, or the named ones

A case whose answer is not what it says stops the recording; what was recorded before stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [path for path in [str(ROOT)] if path not in sys.path]

from hf_tools.errors import HfError  # noqa: E402
from tests.live.case import Case, ask, check  # noqa: E402
from tests.live.cases import CASES  # noqa: E402
from tests.live.environments import SetupFailed  # noqa: E402
from tests.live.servers import SERVERS, chosen, running  # noqa: E402
from tests.live.tape import CASSETTES, LIMIT, cassette  # noqa: E402


def record(case: Case) -> int:
    """Record one case; returns the bytes of its cassette. AssertionError for an answer that is not right."""
    path = CASSETTES / f"{case.id}.yaml"
    path.unlink(missing_ok=True)
    with cassette(case.id, record=True):
        check(case, lambda: ask(case, SERVERS[case.server].url))
    size = path.stat().st_size
    assert size <= LIMIT, f"{path.name} has {size:,} bytes, and {LIMIT:,} are the limit"
    return size


def main(names: Sequence[str]) -> None:
    """Start the servers, one after the other, and record; what no case owns any longer is removed."""
    for name in chosen(names):
        cases = [case for case in CASES if case.server == name]
        with running(name, SERVERS[name].port):
            for case in cases:
                print(f"{case.id:45} {record(case):6,} bytes", flush=True)
    kept = {CASSETTES / f"{case.id}.yaml" for case in CASES}
    for left in set(CASSETTES.rglob("*.yaml")) - kept:
        left.unlink()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (HfError, SetupFailed, RuntimeError) as failed:
        sys.exit(f"error: {failed}")
