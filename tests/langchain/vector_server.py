"""A server of vectors and scores for tests, with the limits of text-embeddings-inference; it counts all that it saw."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Made = Callable[[Any], Any]


def number(text: str) -> float:
    """The first number in a text, which stands for its meaning."""
    found = re.search(r"\d+", text)
    assert found is not None
    return float(found[0])


def eventually(is_so: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it is so, or comes to be so in time."""
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.002)
    return is_so()


class VectorServer:
    """Speaks TEI's wire form; `limit` texts and `most_bytes` are taken at once, a text has at most `most_letters`.

    `answers` makes another answer of a body; `delay` is how long each one takes, in seconds.
    """

    def __init__(
        self, *, limit: int = 32, most_bytes: int = 2_000_000, most_letters: int = 10**9, delay: float = 0.0,
        answers: Made | None = None, refusal: Callable[[int], httpx.Response] | None = None,
    ) -> None:  # fmt: skip
        self.limit, self.most_bytes, self.most_letters, self.delay = limit, most_bytes, most_letters, delay
        self.answers, self.refusal = answers, refusal
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self.largest = self.flying = self.most_flying = self.cancelled = 0
        self.lock = threading.Lock()

    @property
    def sizes(self) -> list[int]:
        """How many texts each request had, in the order in which they came."""
        return [len(self.texts(body)) for body in self.bodies]

    @property
    def fields(self) -> dict[str, Any]:
        """The arguments of a model that asks this server."""
        return {"base_url": "http://127.0.0.1:9", "server": "tei", "max_retries": 0, **self.clients}

    @property
    def clients(self) -> dict[str, Any]:
        """The HTTP clients alone."""
        return {
            "http_client": httpx.Client(transport=httpx.MockTransport(self.handle)),
            "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(self.ahandle)),
        }

    def handle(self, request: httpx.Request) -> httpx.Response:
        self._enter(request)
        try:
            time.sleep(self.delay)
            return self._answer(request)
        finally:
            self._leave()

    async def ahandle(self, request: httpx.Request) -> httpx.Response:
        self._enter(request)
        try:
            await asyncio.sleep(self.delay)
            return self._answer(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self._leave()

    def _enter(self, request: httpx.Request) -> None:
        with self.lock:
            self.bodies.append(json.loads(request.content))
            self.paths.append(request.url.path)
            self.largest = max(self.largest, len(request.content))
            self.flying += 1
            self.most_flying = max(self.most_flying, self.flying)

    def _leave(self) -> None:
        with self.lock:
            self.flying -= 1

    def settled(self, flying: int = 0) -> bool:
        """So many requests are in flight, within five seconds."""
        return eventually(lambda: self.flying == flying)

    @staticmethod
    def texts(body: Any) -> list[str]:
        """What is to be turned into vectors or scores, in any of the wire forms."""
        inner: Any = body.get("inputs", body)
        names = ("texts", "sentences", "documents", "input")
        found: list[str] = next((inner[name] for name in names if name in inner), inner)
        return found

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        texts = self.texts(body)
        if len(request.content) > self.most_bytes:
            return httpx.Response(413, text="Failed to buffer the request body: length limit exceeded")
        if len(texts) > self.limit:
            said = f"batch size {len(texts)} > maximum allowed batch size {self.limit}"
            known = httpx.Response(422, json={"error": said, "error_type": "Validation"})
            return self.refusal(len(texts)) if self.refusal else known
        if (longest := max(map(len, texts))) > self.most_letters:
            said = f"Input validation error: `inputs` must have less than {self.most_letters} tokens. Given: {longest}"
            return httpx.Response(413, json={"error": said, "error_type": "Validation"})
        found = [[number(text), 1.0] for text in texts] if self.answers is None else self.answers(body)
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)


class Loopback:
    """A vector server on a port of this machine, for what only sockets can show."""

    def __init__(self, server: VectorServer) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                answer = server.handle(httpx.Request("POST", f"http://127.0.0.1{self.path}", content=content))
                with suppress(OSError):  # the client may be gone
                    self.send_response(answer.status_code)
                    self.end_headers()
                    self.wfile.write(answer.content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
