"""What is measured, and what it should come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

CORE: Final = ("bare", "ours", "hub", "openai_sdk")
CHAIN: Final = ("bare", "ours_chain", "chain_hf", "chain_openai")
OURS: Final = ("ours", "ours_chain")


@dataclass(frozen=True)
class Measure:
    """A work that some subjects do in turn; `times` is how often in a round, `quick` the same for a quick look."""

    work: str
    subjects: tuple[str, ...]
    times: int
    quick: int
    chunks: int = 0
    """Pieces of a stream."""
    quick_chunks: int = 0
    """Pieces for a quick look; 0 for as many."""
    options: str = ""
    """Of the server: benchmarks/server/serve.py."""
    flight: int = 0
    """How many calls are in flight; 0 for works that do not await."""
    count: int = 0
    """Documents."""
    quick_count: int = 0
    """Documents for a quick look; 0 for as many."""
    kind: Literal["time", "memory"] = "time"
    first: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """Another order, of which each subject's own cost is the measure in the same round."""

    def order(self, *, quick: bool) -> dict[str, Any]:
        """What a worker is told; `per` is what the cost of one repetition is divided by."""
        times, count, chunks = self.times, self.count, self.chunks
        if quick:
            times, count, chunks = self.quick, self.quick_count or count, self.quick_chunks or chunks
        options = [f"chunks={chunks}"] * bool(chunks) + [self.options] * bool(self.options)
        return {
            "work": self.work, "path": f"/{','.join(options)}" if options else "", "times": times, "count": count,
            "flight": self.flight, "kind": self.kind, "per": count or chunks or 1,
        }  # fmt: skip


MEASURES: Final = {
    "classify": Measure("classify", CORE, 200, 100),
    "chat": Measure("chat", CORE, 200, 100),
    "aclassify": Measure("aclassify", CORE, 200, 100, flight=1),
    "achat": Measure("achat", CORE, 200, 100, flight=1),
    "flight": Measure("achat", CORE, 300, 200, flight=100, first={"flight": 1, "times": 150}),
    "stream": Measure("stream", CORE, 1, 1, chunks=20_000, quick_chunks=5000),
    "astream": Measure("astream", CORE, 1, 1, flight=1, chunks=20_000, quick_chunks=5000),
    "stream500": Measure("stream", CORE, 10, 5, chunks=500),
    "tgi": Measure("tgi", CORE, 1, 1, chunks=20_000, quick_chunks=5000),
    "vectors": Measure("embed", CORE, 20, 10, count=32),
    "upload": Measure("upload", CORE, 20, 10),
    "download": Measure("download", CORE, 20, 10),
    "invoke": Measure("chat", CHAIN, 200, 100),
    "ainvoke": Measure("achat", CHAIN, 200, 100, flight=1),
    "chain_stream": Measure("stream", CHAIN, 10, 3, chunks=500),
    "chain_astream": Measure("astream", CHAIN, 10, 3, flight=1, chunks=500),
    "paced": Measure("stream", CHAIN, 1, 1, chunks=400, quick_chunks=200, options="pace=1.5"),
    "tools": Measure("tools", CHAIN, 2, 1, chunks=2000, options="tools=1"),
    "embed": Measure("embed", CHAIN, 1, 1, options="delay=20,limit=32", count=10_000, quick_count=960),
    "memory": Measure("chat", CORE, 10_000, 1000, kind="memory"),
    "memory_stream": Measure("stream", CORE, 1000, 400, chunks=20, kind="memory"),
    "chain_memory": Measure("chat", CHAIN, 10_000, 1000, kind="memory"),
    "chain_memory_stream": Measure("stream", CHAIN, 1000, 400, chunks=20, kind="memory"),
}


@dataclass(frozen=True)
class Row:
    """A line of the table: the ratio of each subject to `over` in the same round, or the number itself."""

    title: str
    measure: str
    goal: float | None
    must: float | None
    unit: Literal["cpu", "wall", "slope", "packages", "megabytes"] = "cpu"
    over: str = "bare"
    """A subject, "itself" (its own `first` order), or "" for the number itself."""
    times_peer: tuple[str, float] | None = None
    """A peer, and how many times its cost ours may be at most."""


ROWS: Final = (
    Row("import of the client", "import", 1.05, 1.25),
    Row("import of the chat model", "chain_import", 1.05, 1.15),
    Row("import, client and first call in a fresh process", "cold", None, None),
    Row("the same, over httpx with pydantic models", "cold", 1.2, 1.4, over="bare_typed"),
    Row("first call of the chat model in a fresh process", "chain_cold", 4.9, 5.3),
    Row("classification, sync", "classify", 0.9, 1.15),
    Row("chat, sync", "chat", 0.9, 1.15),
    Row("classification, async", "aclassify", 1.0, 1.15),
    Row("chat, async", "achat", 1.0, 1.15),
    Row("chat, 100 in flight / 1 in flight", "flight", 1.3, 1.6, over="itself"),
    Row("chat, 100 in flight", "flight", None, None),
    Row("chat stream, 20,000 chunks", "stream", 1.0, 1.4),
    Row("chat stream, 20,000 chunks, async", "astream", 1.0, 1.4),
    Row("chat stream, 500 chunks", "stream500", 1.0, 1.4),
    Row("TGI stream, 20,000 chunks", "tgi", None, None),
    Row("a request of 32 vectors of 384 numbers", "vectors", None, None),
    Row("upload of 1 MiB", "upload", None, None),
    Row("download of 1 MiB", "download", None, None),
    Row("chat model, invoke", "invoke", 1.2, 1.5),
    Row("chat model, ainvoke", "ainvoke", 1.5, 1.8),
    Row("chat model, stream of 500 chunks", "chain_stream", 1.6, 2.0, times_peer=("chain_hf", 0.3)),
    Row("chat model, astream of 500 chunks", "chain_astream", None, None),
    Row("chat model, stream with 1.5 ms a chunk", "paced", 1.35, 1.6),
    Row("chat model, tool call in 2,000 pieces", "tools", 5, 8),
    Row("10,000 documents: wall / langchain-huggingface", "embed", 0.14, 0.2, unit="wall", over="chain_hf"),
    Row("10,000 documents: CPU", "embed", 0.5, 0.6),
    Row("bytes kept by a call", "memory", 0, 100, unit="slope", over=""),
    Row("bytes kept by a stream", "memory_stream", 0, 100, unit="slope", over=""),
    Row("bytes kept by a call of the chat model", "chain_memory", 0, 100, unit="slope", over=""),
    Row("bytes kept by a stream of the chat model", "chain_memory_stream", 0, 100, unit="slope", over=""),
    Row("packages of an installation", "footprint", 11, 12, unit="packages", over=""),
    Row("MB of an installation", "footprint", 9.5, 10.5, unit="megabytes", over=""),
    Row("packages with the chat model", "chain_footprint", 34, 35, unit="packages", over=""),
    Row("MB with the chat model", "chain_footprint", 50.5, 52, unit="megabytes", over=""),
)
