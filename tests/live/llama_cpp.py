"""llama.cpp's own HTTP server, as the package xllamacpp builds it in; what is ours is how it is started.

    python tests/live/llama_cpp.py chat PORT          SmolLM2-135M-Instruct, with a template that knows tools
    python tests/live/llama_cpp.py embeddings PORT    all-MiniLM-L6-v2

Serves until its standard input ends, so that it never outlives the program that started it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from hf_tools.local.weights import SMOLLM2, locate  # noqa: E402
from tests.live import minilm  # noqa: E402
from tests.live.servers import CHAT_MODEL, EMBEDDING_MODEL  # noqa: E402

TEMPLATE: Final = Path(__file__).with_name("chatml_tools.jinja")
"""ChatML with tools as the Hermes models have them: the model's own template has none."""


def chat(found: Any) -> None:
    """Settings of the chat server."""
    found.model.path, found.model_alias = str(locate(SMOLLM2)), {CHAT_MODEL}
    found.use_jinja, found.chat_template = True, TEMPLATE.read_text("utf-8")
    found.n_ctx, found.n_parallel = 4096, 2


def embeddings(found: Any) -> None:
    """Settings of the embeddings server."""
    found.model.path, found.model_alias = str(minilm.found()), {EMBEDDING_MODEL}
    found.embedding = True
    found.n_ctx, found.n_parallel = 2048, 1


def main(kind: str, port: int) -> None:
    """Serve on the loopback interface."""
    library: Any = importlib.import_module("xllamacpp")
    found = library.CommonParams()
    {"chat": chat, "embeddings": embeddings}[kind](found)
    found.hostnames, found.port, found.kv_unified = ["127.0.0.1"], port, True
    # more threads than idle cores make it slower
    found.cpuparams.n_threads = found.cpuparams_batch.n_threads = 1
    found.cache_ram_mib, found.offline, found.ui, found.verbosity = 0, True, False, 0
    server = library.Server(found)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
