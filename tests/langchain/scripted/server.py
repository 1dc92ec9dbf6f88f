"""The server: HTTP/1.1 on a free port of 127.0.0.1, a thread for each connection."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, islice
from typing import Any, Self

from tests.langchain.scripted import mind, wire
from tests.langchain.scripted.refusals import Refused, is_object
from tests.langchain.scripted.request import check_request

JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass
class Received:
    """A chat request as it came."""

    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Reply:
    """What goes back: the whole body, or pieces of it, each sent as soon as it is there."""

    status: int
    body: bytes | Iterable[bytes]
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Script:
    """An answer that a test wrote: what is said, or the reply itself; `last` chunks are the most that are sent."""

    said: wire.Said | None = None
    reply: Reply | None = None
    last: int | None = None
    pause: float = 0


class ScriptedServer:
    """Answers chat completions; a context manager.

    Requests are kept in `requests`. What was given to `say`, `fail` and `break_off` is answered first, in that
    order; then the scripted model answers. `tool_media=False`: tool messages with media are refused, as by OpenAI.
    """

    def __init__(self, *, tool_media: bool = True, models: tuple[str, ...] = ("org/model",)) -> None:
        self.tool_media = tool_media
        self.models = models
        self.requests: list[Received] = []
        self.scripts: deque[Script] = deque()
        self.counter = count(1)
        self.dropped = threading.Event()
        """Set when a client went away in the middle of an answer."""
        self._http = Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Base URL, with /v1."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def body(self) -> dict[str, Any]:
        """Body of the last chat request."""
        return self.requests[-1].body

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()

    def say(self, content: str | None = None, **more: Any) -> None:
        """Let the next answer be this message; `more` as for Said."""
        self.scripts.append(Script(wire.Said(content, **more)))

    def fail(self, status: int, body: Any, **headers: str) -> None:
        """Let the next answer be this error; a body that is a text goes out as one."""
        text, kind = (body, "text/plain") if isinstance(body, str) else (json.dumps(body), JSON)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.scripts.append(Script(reply=Reply(status, text.encode(), kind, named)))

    def break_off(self, said: wire.Said, after: int) -> None:
        """Let the next stream end after so many chunks, with no reason for the end and no [DONE]."""
        self.scripts.append(Script(said, last=after))

    def trickle(self, said: wire.Said, pause: float) -> None:
        """Let the next stream wait so many seconds before each of its chunks, another answer as long in all."""
        self.scripts.append(Script(said, pause=pause))

    def chat(self, body: Any, headers: dict[str, str]) -> Reply:
        """The answer to a chat request."""
        if not is_object(body):
            raise Refused("the body must be a JSON object")
        self.requests.append(Received(body, headers))
        script = self.scripts.popleft() if self.scripts else Script()
        if script.reply is not None:
            return script.reply
        check_request(body, tool_media=self.tool_media)
        said, number = script.said or mind.think(body), next(self.counter)
        about = {"x-request-id": f"req-{number}", "x-inference-provider": "scripted"}
        if not body.get("stream"):
            time.sleep(script.pause)
            return Reply(200, json.dumps(wire.completion(body, said, number), ensure_ascii=False).encode(), JSON, about)
        chunks = islice(wire.chunks(body, said, number), script.last)
        return Reply(200, paused(wire.events(chunks, done=script.last is None), script.pause), EVENTS, about)

    def get(self, path: str) -> Reply:
        """The list of models, or that there is no such page."""
        if path != "/v1/models":
            raise Refused(f"no page {path}", status=404)
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "scripted"} for name in self.models]
        return Reply(200, json.dumps({"object": "list", "data": listed}).encode())


def paused(pieces: Iterator[bytes], pause: float) -> Iterator[bytes]:
    for piece in pieces:
        time.sleep(pause)
        yield piece


class Http(ThreadingHTTPServer):
    """The sockets; `hang_up` ends the connections that clients keep open."""

    request_queue_size = 128
    daemon_threads = False

    def __init__(self, scripted: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scripted = scripted
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.scripted.dropped.set()

    def hang_up(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client went first


class Handler(BaseHTTPRequestHandler):
    """Reads a request, writes the reply."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("content-length") or 0)))

    @property
    def scripted(self) -> ScriptedServer:
        assert isinstance(self.server, Http)
        return self.server.scripted

    def answer(self, content: bytes | None) -> None:
        try:
            reply = self.scripted.get(self.path) if content is None else self.post(content)
        except Refused as refused:
            reply = Reply(refused.status, json.dumps(refused.body).encode())
        self.send(reply)

    def post(self, content: bytes) -> Reply:
        if self.path.partition("?")[0] != "/v1/chat/completions":
            raise Refused(f"no page {self.path}", status=404)
        try:
            body: Any = json.loads(content)
        except ValueError as error:
            raise Refused(f"the body is not JSON: {error}") from None
        return self.scripted.chat(body, {name.lower(): value for name, value in self.headers.items()})

    def send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"content-type": reply.kind, **reply.headers}.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in reply.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
