"""A server on 127.0.0.1 that does wrong on purpose: each connection is handed, as raw bytes, to a script."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Self, TypeAlias

TEXT = "Hello from the server"
"""What a right answer says."""
VECTOR = [0.25, -0.5, 1.0]


class Gone(Exception):
    """The client has closed the connection."""


class Wire:
    """One connection: reads requests, writes bytes as they are told. `turn` counts requests over all connections."""

    def __init__(self, connection: socket.socket, server: FaultServer) -> None:
        self._connection, self._server = connection, server
        connection.settimeout(server.patience)
        self.turn = 0
        self.path, self.head, self.body = "", b"", b""

    def request(self) -> None:
        """Read the next request, head and body; Gone where none comes."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._read()
        self.head, _, self.body = data.partition(b"\r\n\r\n")
        lines = [line.lower() for line in self.head.split(b"\r\n")]
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(self.body) < length:
            self.body += self._read()
        self.path = self.head.split(b" ", 2)[1].decode()
        self.turn = self._server.counted(self.head, self.body)

    def some(self) -> bytes:
        """Whatever bytes the client sends next."""
        return self._read()

    def _read(self) -> bytes:
        try:
            found = self._connection.recv(65536)
        except OSError as error:
            raise Gone from error
        if not found:
            raise Gone
        return found

    @property
    def streams(self) -> bool:
        """Whether the request asks for a stream."""
        return b'"stream":true' in self.body.replace(b" ", b"")

    def send(self, data: bytes) -> None:
        """Write bytes; Gone where nobody reads them."""
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise Gone from error

    def answer(self, body: bytes, *, status: str = "200 OK", kind: str = "application/json", **headers: Any) -> None:
        """A whole answer with the right length; header names are written with hyphens."""
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
        self.send(head.encode() + body)

    def begin(self, *headers: str, status: str = "200 OK", kind: str = "text/event-stream") -> None:
        """The head of an answer whose end is told by closing, or by headers of the caller's."""
        lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", *headers, "connection: close", "", ""]
        self.send("\r\n".join(lines).encode())

    def good(self) -> None:
        """The right answer to this request, whatever it asks for."""
        if self.streams:
            self.begin()
            self.send(events())
            self.close()
        else:
            self.answer(self.right())

    def right(self) -> bytes:
        """The body of the right answer."""
        if self.path.endswith("/embeddings"):
            texts = json.loads(self.body)["input"]
            data = [{"index": place, "object": "embedding", "embedding": VECTOR} for place in range(len(texts))]
            return json.dumps({"object": "list", "data": data, "model": "m"}).encode()
        sent = json.loads(self.body or b"{}")
        if "inputs" in sent:  # the form of Hugging Face's own servers
            return json.dumps([VECTOR for _ in sent["inputs"]]).encode()
        return json.dumps(completion()).encode()

    def close(self) -> None:
        """Close in good order."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection: the client gets a reset, not an end."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def end(self) -> None:
        """Close, and wait until the client has closed as well."""
        self.close()
        self.hold()

    def hold(self) -> None:
        """Say nothing more until the client goes away."""
        with contextlib.suppress(Gone):
            while True:
                self._read()

    def dribble(self, data: bytes, gap: float = 0.05) -> None:
        """Write a byte at a time, for ever over again."""
        while True:
            for byte in data:
                self.send(bytes([byte]))
                time.sleep(gap)


Script: TypeAlias = Callable[[Wire], None]


def completion(text: str = TEXT, **message: Any) -> dict[str, Any]:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def chunk(delta: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One event of a stream of a chat."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def event(data: Any) -> bytes:
    """One event as bytes; a text is written as it is."""
    return b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n"


PIECES = ("Hello ", "from ", "the ", "server")


def opening(count: int = 2) -> bytes:
    """The first pieces of a stream: `Hello from ` unless told otherwise."""
    return b"".join(event(chunk({"role": "assistant", "content": piece})) for piece in PIECES[:count])


def events() -> bytes:
    """A whole stream."""
    return opening(4) + event(chunk({}, "stop")) + event("[DONE]")


class FaultServer:
    """Listens on a free port of 127.0.0.1 and gives each connection to the script, in a thread of its own."""

    def __init__(self, script: Script, *, patience: float = 20.0, secure: ssl.SSLContext | None = None) -> None:
        self._script, self.patience, self._secure = script, patience, secure
        self.requests: list[bytes] = []
        """Heads of the requests, in their order."""
        self.bodies: list[bytes] = []
        self.accepted = 0
        """Connections so far."""
        self.broken: list[str] = []
        """What went wrong in the script itself."""
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """Connections that the client has not closed."""
        with self._lock:
            return len(self._open)

    def counted(self, head: bytes, body: bytes) -> int:
        """Remember a request; its number, from 1."""
        with self._lock:
            self.requests.append(head)
            self.bodies.append(body)
            return len(self.requests)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _secured(self, connection: socket.socket) -> socket.socket:
        """The connection, behind TLS where that is asked for; an OSError where the client refuses."""
        connection.settimeout(self.patience)
        if self._secure is None:
            return connection
        try:
            return self._secure.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            raise

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(Gone, OSError), self._secured(connection) as secured:
                wire = Wire(secured, self)
                self._script(wire)
                wire.end()
        except Exception as error:  # whoever runs the fault has to know
            self.broken.append(repr(error))
        finally:
            with self._lock:
                self._open.discard(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone leaves the thread asleep that accepts
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
