"""Real servers on this machine for downloads: each answers every connection with the bytes that it was given."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hf_tools import AsyncHfInference, HfInference
from hf_tools.media import Image, Media, MediaPolicy
from hf_tools.media.source import Source

PNG = b"\x89PNG\r\n\x1a\nrest"


def answer(body: bytes = PNG, *headers: str, status: str = "200 OK", kind: str = "image/png") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Server:
    """Answers the connections in order, the last answer again and again; keeps the heads that were sent."""

    def __init__(self, *answers: bytes | Callable[[threading.Event], Iterable[bytes]]) -> None:
        self.answers, self.heads = list(answers), list[bytes]()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.ended.is_set():
            connection, _ = self.socket.accept()
            with connection:
                if self.ended.is_set():
                    return
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and not head.startswith(b"\x16\x03"):  # the beginning of TLS
            piece = connection.recv(65_536)
            if not piece:
                return
            head += piece
        self.heads.append(head)
        found = self.answers[min(len(self.heads), len(self.answers)) - 1]
        try:
            for piece in [found] if isinstance(found, bytes) else found(self.ended):
                connection.sendall(piece)
        except OSError:
            return

    def close(self) -> None:
        self.ended.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            self.thread.join(5)
        self.socket.close()

    def url(self, path: str = "/cat.png", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


def policy(*servers: Server, **values: Any) -> MediaPolicy:
    """A policy that opens these servers."""
    ports = [server.port for server in servers]
    own: dict[str, Any] = {"hosts": ["127.0.0.1"], "schemes": ["http"], "ports": ports, **values}
    return MediaPolicy(**own)


def source(url: str, allowed: MediaPolicy, kind: type[Media] = Image) -> Source:
    return Source(kind, url=url, policy=allowed)


def forever(piece: bytes, wait: float = 0.0) -> Callable[[threading.Event], Iterator[bytes]]:
    """A body without an end, but that of its server."""

    def pieces(ended: threading.Event) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n\x89PNG\r\n\x1a\n"
        while not ended.wait(wait):
            yield piece

    return pieces


def load(kind: str, value: Any, *args: Any, **options: Any) -> Media:
    """`load` of the blocking or of the awaiting client."""
    if kind == "sync":
        with HfInference(False, **options) as hf:
            return hf.load(value, *args)

    async def run() -> Media:
        async with AsyncHfInference(False, **options) as hf:
            return await hf.load(value, *args)

    return asyncio.run(run())
