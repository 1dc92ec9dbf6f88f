"""What an installation brings: `python -m benchmarks.footprint NAME...` prints packages and MB of each as JSON.

Counted is what a package needs by its metadata, itself included, in the environment that this runs in: files as the
package index delivers them, without compiled Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.processes import PEERS, ROOT, variables

INSTALLED: Final = {
    "footprint": {"ours": "hf-tools", "hub": "huggingface-hub", "openai_sdk": "openai"},
    "chain_footprint": {
        "ours_chain": "hf-tools[langchain]", "chain_hf": "langchain-huggingface", "chain_openai": "langchain-openai",
    },
}  # fmt: skip


def needed(requirement: Requirement, seen: set[tuple[str, str]]) -> Iterator[str]:
    """The names of all packages that a requirement brings, each at least once."""
    name = canonicalize_name(requirement.name)
    for extra in ("", *requirement.extras):
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        yield name
        for text in distribution(name).requires or ():
            one = Requirement(text)
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                yield from needed(one, seen)


def size(found: Distribution) -> int:
    """Bytes of its files; for those of an editable installation, which has only links and metadata, the sources."""
    files = [(path.as_posix(), path.size or 0) for path in found.files or ()]
    if canonicalize_name(found.name) == "hf-tools" and not any(name.startswith("hf_tools/") for name, _ in files):
        folders = (ROOT / "hf_tools", ROOT / "integrations")
        sources: list[Path] = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        files += [(path.as_posix(), path.stat().st_size) for path in sources]
    return sum(length for name, length in files if "__pycache__" not in name)


def installed(name: str) -> dict[str, float]:
    """Packages and MB of a requirement."""
    names = {*needed(Requirement(name), set())}
    return {"packages": len(names), "megabytes": sum(size(distribution(one)) for one in names) / 1e6}


def footprints(name: str, python: Callable[[str], str], *, peers: bool) -> dict[str, dict[str, float]]:
    """The installations of a measure, each looked at in its environment."""
    found: dict[str, dict[str, float]] = {}
    for subject, requirement in INSTALLED[name].items():
        if peers or subject not in PEERS:
            done = subprocess.run(
                [python(subject), "-m", "benchmarks.footprint", requirement], check=True, capture_output=True,
                text=True, cwd=ROOT, env=variables(peer=subject in PEERS),
            )  # fmt: skip
            found[subject] = json.loads(done.stdout)[requirement]
    return found


if __name__ == "__main__":
    print(json.dumps({name: installed(name) for name in sys.argv[1:]}))
