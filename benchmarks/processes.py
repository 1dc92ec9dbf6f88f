"""The processes of a benchmark: the server on one CPU, and a worker for each subject on another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parents[1]
PATHS: Final = (ROOT, ROOT / "integrations")
PEERS: Final = ("hub", "openai_sdk", "chain_hf", "chain_openai")
"""Subjects that live in the environment of the peers."""
SETTINGS: Final = ("HF_", "OPENAI_", "LANG", "PYTHONDONTWRITEBYTECODE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Variables of the user's that have no say, however they are written."""


def cpus() -> tuple[set[int], set[int]]:
    """The CPU of the clients and that of the server; all of them where processes cannot be bound to one."""
    if sys.platform != "linux":
        return set(), set()
    here = sorted(os.sched_getaffinity(0))
    return {here[0]}, {here[-1]}


def bound(pid: int, where: set[int]) -> None:
    """Keep a process on its CPU."""
    if sys.platform == "linux":
        os.sched_setaffinity(pid, where)


def variables(*, peer: bool) -> dict[str, str]:
    """The environment of a process: nothing of the user's settings, and no tracing."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(SETTINGS)}
    path = os.pathsep.join(str(one) for one in (PATHS[:1] if peer else PATHS))
    return kept | {
        "PYTHONPATH": path, "PYTHONHASHSEED": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "LANGSMITH_TRACING": "false",
        "HF_HOME": str(ROOT / ".venv-peers" / "hf_home"), "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip


@contextmanager
def serving() -> Generator[str]:
    """The loopback server's address."""
    command = [sys.executable, "-m", "benchmarks.server.serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=variables(peer=False)
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        bound(server.pid, cpus()[1])
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()


class Process:
    """A worker for one subject."""

    def __init__(self, subject: str, python: str, base: str, *, anywhere: bool = False) -> None:
        self.subject = subject
        self._popen = subprocess.Popen(
            [python, "-m", "benchmarks.worker", subject, base], text=True, cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables(peer=subject in PEERS),
        )  # fmt: skip
        if not anywhere:
            bound(self._popen.pid, cpus()[0])
        try:
            self._read()
        except RuntimeError:
            self.close()
            raise

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """What came of an order; RuntimeError where it could not be carried out."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps({"times": 1, "flight": 0, "count": 0, "kind": "time", **order}) + "\n")
        self._popen.stdin.flush()
        found = self._read()
        if "error" in found:
            raise RuntimeError(f"{self.subject}: {order['work']}: {found['error']}")
        return found

    def _read(self) -> dict[str, Any]:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.subject} is gone")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the process."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.close()
        self._popen.wait(10)
        self._popen.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
