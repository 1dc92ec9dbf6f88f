"""Many calls for a long time: `python -m tests.faults.soak`, or `make soak`.

20,000 calls of several kinds, blocking and awaited, with failures among them that are sent again, and 1,000 streams at
once, against a server in a process of its own. Every answer must be that of its own call; memory must stay flat; and
no socket, task or thread may be left. It prints what it finds, and ends with 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import multiprocessing
import sys
import threading
import time
import tracemalloc
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psutil  # type: ignore[import-untyped]

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings
from tests.faults.wire import chunk, completion, event

KEY = "hf_test"
AT_ONCE = 16
"""Calls at a time, in threads or tasks."""
BUSY = 50
"""Each so many-th request is refused once, and has to be sent again."""
LONG = "." * 64
"""At the end of all words: shorter ones are kept by pydantic's parser, up to 16,384 of them."""
FLAT = 10.0
"""Bytes that a call may leave behind, on the average of the second half."""


class Server:
    """Echoes: the words of a chat, whole or in two pieces with a pause between them; as a vector, the text's number."""

    def __init__(self, pause: float) -> None:
        self.pause, self.taken = pause, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                await self._answer(json.loads(await reader.readexactly(length)), writer)
        writer.close()

    async def _answer(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        if self.taken % BUSY == 0:
            writer.write(_head(18, status=b"503 Service Unavailable") + b'{"error": "busy" }')
        elif "input" in asked:
            data = [{"index": place, "embedding": [float(text)]} for place, text in enumerate(asked["input"])]
            writer.write(_whole({"data": data}))
        elif asked.get("stream"):
            await self._stream(str(asked["messages"][-1]["content"]), writer)
        else:
            writer.write(_whole(completion(asked["messages"][-1]["content"])))
        await writer.drain()

    async def _stream(self, words: str, writer: asyncio.StreamWriter) -> None:
        first, last = (event(chunk({"role": "assistant", "content": part})) for part in (words[:2], words[2:]))
        end = last + event(chunk({}, "stop")) + event("[DONE]")
        writer.write(_head(len(first) + len(end), b"text/event-stream") + first)
        await asyncio.sleep(self.pause)
        writer.write(end)


def _head(length: int, kind: bytes = b"application/json", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-type: %s\r\nretry-after: 0.01\r\ncontent-length: %d\r\n\r\n" % (
        status,
        kind,
        length,
    )


def _whole(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return _head(len(body)) + body


def run_server(pause: float, port: Any) -> None:
    """The process of the server; it puts its port into the queue, and ends when it is killed."""

    async def run() -> None:
        server = await asyncio.start_server(Server(pause).serve, "127.0.0.1", 0, backlog=4096)
        port.put(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(run())


@contextlib.contextmanager
def served(pause: float) -> Generator[str]:
    """A server in a process of its own; its address."""
    context = multiprocessing.get_context("spawn")
    port = context.Queue()
    process = context.Process(target=run_server, args=(pause, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.kill()
        process.join()
        port.close()
        port.join_thread()


@dataclass
class Found:
    """What came of it."""

    calls: int = 0
    streams: int = 0
    seconds: float = 0.0
    slope: float = 0.0
    """Bytes that a call of the second half has left behind."""
    wrong: list[str] = field(default_factory=lambda: list[str]())

    def check(self, got: object, want: object) -> None:
        """Note an answer that is not that of its call."""
        if got != want:
            self.wrong.append(f"{want!r} expected, got {got!r}"[:200])

    def __str__(self) -> str:
        said = f"{self.calls} calls and {self.streams} streams at once in {self.seconds:.0f} s; "
        return f"{said}{self.slope:.1f} bytes left by a call; " + (
            f"WRONG: {self.wrong[:5]}" if self.wrong else "all right"
        )


class Soak:
    """The calls; `place` numbers them, and is in every question and answer."""

    def __init__(self, url: str) -> None:
        options: Any = {"base_url": url, "server": "openai", "api_key": KEY, "model": "m"}
        self.url, self.found = url, Found()
        self.client = HfInferenceEndpoint(url, KEY, server="openai", options=Options(max_retries=5))
        self.chat, self.embeddings = (
            ChatHfInference(**options, max_retries=5), HfInferenceEmbeddings(**options, max_retries=5)
        )  # fmt: skip

    def call(self, place: int) -> None:
        """A blocking call of one of four kinds."""
        words = f"call {place}{LONG}"
        messages = [{"role": "user", "content": words}]
        match place % 4:
            case 0:
                self.found.check(self.client.chat_completion(messages, model="m").text, words)
            case 1:
                self.found.check(self.client.chat_completion_stream(messages, model="m").read().text, words)
            case 2:
                self.found.check(str(self.chat.invoke(words).text), words)
            case _:
                texts = [str(place), str(place + 1)]
                self.found.check(self.embeddings.embed_documents(texts), [[float(place)], [place + 1.0]])

    async def acall(self, client: AsyncHfInferenceEndpoint, place: int) -> None:
        """An awaited call of one of three kinds."""
        words = f"call {place}{LONG}"
        messages = [{"role": "user", "content": words}]
        match place % 3:
            case 0:
                self.found.check((await client.chat_completion(messages, model="m")).text, words)
            case 1:
                self.found.check((await client.chat_completion_stream(messages, model="m").read()).text, words)
            case _:
                self.found.check("".join([str(part.text) async for part in self.chat.astream(words)]), words)

    def blocking(self, first: int, count: int) -> None:
        """So many blocking calls, in threads."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(self.call, range(first, first + count)):
                pass

    async def awaited(self, first: int, count: int) -> None:
        """So many awaited calls, in tasks; none of them may leave a task."""
        places = iter(range(first, first + count))
        async with self._client() as client:

            async def work() -> None:
                for place in places:
                    await self.acall(client, place)

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
            await asyncio.sleep(
                0.05
            )  # the generators of streams that were not read to their last byte end by themselves
        self.found.check(len(asyncio.all_tasks()), 1)

    async def at_once(self, count: int) -> None:
        """So many streams, all begun before one is read to its end."""
        async with self._client() as client, asyncio.TaskGroup() as group:
            begun, all_begun = 0, asyncio.Event()

            async def read(words: str) -> None:
                nonlocal begun
                stream = client.chat_completion_stream([{"role": "user", "content": words}], model="m")
                text = (await anext(aiter(stream))).text
                begun += 1
                if begun == count:
                    all_begun.set()
                await all_begun.wait()
                self.found.check(text + "".join([part.text async for part in stream]), words)

            for place in range(count):
                group.create_task(read(f"stream {place}{LONG}"))
        self.found.streams += count

    def _client(self) -> AsyncHfInferenceEndpoint:
        return AsyncHfInferenceEndpoint(self.url, KEY, server="openai", options=Options(max_retries=5))

    def close(self) -> None:
        """Close the blocking clients."""
        self.client.close()
        self.chat.close()
        self.embeddings.close()


def left() -> tuple[int, int]:
    """Connections and threads of this process."""
    gc.collect()
    return len(psutil.Process().net_connections("tcp")), threading.active_count()


def grown(before: tuple[int, int]) -> tuple[int, ...]:
    """By how many they are more; those of others may have ended meanwhile."""
    return tuple(max(now - then, 0) for now, then in zip(left(), before, strict=True))


def measured(soak: Soak, calls: int, rounds: int = 8) -> list[tuple[int, int]]:
    """Make the calls in rounds; after each how many there were, and the bytes that are in use."""
    points: list[tuple[int, int]] = []
    for each in range(rounds):
        half = calls // rounds // 2
        soak.blocking(soak.found.calls, half)
        asyncio.run(soak.awaited(soak.found.calls + half, half))
        soak.found.calls += 2 * half
        gc.collect()
        points.append((soak.found.calls, tracemalloc.get_traced_memory()[0]))
        print(f"round {each + 1}: {points[-1][0]} calls, {points[-1][1] / 2**20:.2f} MiB", flush=True)
    return points


def slope(points: list[tuple[int, int]]) -> float:
    """Bytes for each call, by least squares over the second half: before, caches fill."""
    half = points[len(points) // 2 - 1 :]
    calls, sizes = [sum(each) / len(half) for each in zip(*half, strict=True)]
    return float(sum((n - calls) * (size - sizes) for n, size in half) / sum((n - calls) ** 2 for n, _ in half))


def soaked(calls: int, streams: int, *, pause: float = 0.5, flat: float = FLAT) -> Found:
    """Do it all."""
    before, begun = left(), time.monotonic()
    with served(pause=0.0) as url:
        soak = Soak(url)
        tracemalloc.start()
        try:
            soak.found.slope = slope(measured(soak, calls))
        finally:
            tracemalloc.stop()
        soak.close()
        soak.found.check(grown(before), (0, 0))
    with served(pause) as url:
        soak.url = url
        asyncio.run(soak.at_once(streams))
        soak.found.check(grown(before), (0, 0))
    soak.found.seconds = time.monotonic() - begun
    if soak.found.slope > flat:
        soak.found.wrong.append(f"memory grows by {soak.found.slope:.1f} bytes with each call")
    return soak.found


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--streams", type=int, default=1_000)
    given = parser.parse_args(arguments)
    found = soaked(given.calls, given.streams)
    print(found)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
