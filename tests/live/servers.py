"""Servers that this project did not write, on the loopback interface, each in a process of its own.

with llama_cpp_chat(port=18080) as url: ...          from a test or another program
python tests/live/servers.py llama-cpp-chat 18080    by hand, until its standard input ends
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHAT_MODEL = "smollm2-135m-instruct"
"""The name under which the chat server serves its model."""


@contextmanager
def llama_cpp_chat(port: int = 0) -> Generator[str]:
    """llama.cpp's own HTTP server with SmolLM2-135M-Instruct; gives its URL. Port 0 is any free one."""
    command = [sys.executable, str(Path(__file__).resolve()), "llama-cpp-chat", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().strip()
            if not line.startswith("http://127.0.0.1:"):
                raise RuntimeError(f"the server did not start: {line or 'see its errors above'}")
            yield line
        finally:
            process.kill()


def serve_chat(port: int) -> None:
    """Serve until the standard input ends; the URL is the first line of the output."""
    from hf_tools.local.weights import SMOLLM2, locate

    library: Any = importlib.import_module("xllamacpp")
    found = library.CommonParams()
    found.model.path, found.model_alias = str(locate(SMOLLM2)), {CHAT_MODEL}
    found.hostnames, found.port = ["127.0.0.1"], port
    found.n_ctx, found.n_parallel, found.kv_unified, found.use_jinja = 4096, 2, True, True
    # more threads than idle cores make it slower
    found.cpuparams.n_threads = found.cpuparams_batch.n_threads = 1
    found.cache_ram_mib, found.offline, found.ui, found.verbosity = 0, True, False, 0
    server = library.Server(found)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1:2] != ["llama-cpp-chat"]:
        sys.exit(__doc__)
    serve_chat(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
