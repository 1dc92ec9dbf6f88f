"""The program of the chat engine's process: one llama.cpp server, until its standard input ends.

It is run by its path and imports nothing of hf_tools. The first line of its input is a JSON object with `path` (where
Python finds xllamacpp) and the settings; the first line of its output is a JSON object with `address`, or `missing` or
`error`. The input ends when the process that started it closes it or dies, so no server is left behind.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import Any


def parameters(library: Any, settings: dict[str, Any]) -> Any:
    """The settings as llama.cpp's parameters."""
    found = library.CommonParams()
    found.model.path = settings["file"]
    found.model_alias = {settings["name"]}
    found.chat_template = settings["template"]
    # One pool of context for all answers: each may use all of it while the others do not.
    found.n_ctx, found.n_parallel, found.kv_unified = settings["context"], settings["parallel"], True
    found.cpuparams.n_threads = found.cpuparams_batch.n_threads = settings["threads"]
    found.n_threads_http = settings["http_threads"]
    found.cache_ram_mib = settings["prompt_cache"]
    found.hostnames, found.port, found.api_keys = ["127.0.0.1"], 0, [settings["key"]]
    found.offline, found.ui, found.verbosity = True, False, 0
    found.endpoint_slots = found.endpoint_props = found.endpoint_metrics = False
    found.sampling.temp, found.sampling.top_p = settings["temperature"], settings["top_p"]
    return found


def main() -> None:
    """Serve until the input ends."""
    # An interrupt is for the program in front; that one closes our input if it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The first line is for our parent alone, whatever the library prints.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as reply:
        os.dup2(2, 1)
        settings = json.loads(sys.stdin.buffer.readline())
        server: Any = None
        answer: dict[str, str]
        try:
            sys.path[:] = settings["path"]
            library: Any = importlib.import_module("xllamacpp")
            server = library.Server(parameters(library, settings))
            answer = {"address": server.listening_address}
        except ImportError as error:
            answer = {"missing": str(error)}
        except Exception as error:  # noqa: BLE001  whatever it is, the parent reports it
            answer = {"error": str(error)}
        reply.write(json.dumps(answer) + "\n")
    sys.stdin.buffer.read()
    # Not sys.exit: the system frees everything at once, and the library's own end can wait for its clients.
    os._exit(0 if server else 1)


if __name__ == "__main__":
    main()
