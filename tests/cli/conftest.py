"""What the tests of the command share: a scripted server, standard input, and a stdout that is a terminal."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest


class Wire:
    """Every server there is: it answers from a script, and keeps what was sent to it."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        """What the next POST gets: a response, bytes as a PNG would come, or JSON; an exception is raised."""
        self.got: dict[str, Any] = {}
        """What a GET gets, by the path of its URL, a function what it gives; 404 without."""
        self.posts: list[dict[str, Any]] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            answer: Any = self.got.get(request.url.path)
            answer = answer() if callable(answer) else answer
            return httpx.Response(404 if answer is None else 200, json=answer, request=request)
        self.posts.append({"url": str(request.url), "headers": dict(request.headers), "body": request.read()})
        answer = self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, bytes):
            answer = httpx.Response(200, content=answer, headers={"content-type": "application/octet-stream"})
        found: httpx.Response = answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        found.request = request
        return found

    @property
    def body(self) -> Any:
        """The JSON of the only request."""
        assert len(self.posts) == 1
        return json.loads(self.posts[0]["body"])


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    server = Wire()
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", server.handle)
    return server


class Typed(io.TextIOWrapper):
    """A stream of text that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | None], None]:
    """stdin(data): what stands on standard input; None for a terminal, as it is without a call."""

    def set_up(data: bytes | None) -> None:
        kind = Typed if data is None else io.TextIOWrapper
        monkeypatch.setattr(sys, "stdin", kind(io.BytesIO(data or b"")))

    set_up(None)
    return set_up


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """terminal(): lets stdout be a terminal from now on; gives the bytes that it holds as `getvalue()`."""

    def set_up() -> Any:
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", Typed(out, encoding="utf-8"))
        return out

    return set_up


def events(*values: Any) -> httpx.Response:
    """A stream of server-sent events, with its mark at the end."""
    lines = [value if isinstance(value, str) else json.dumps(value) for value in values]
    text = "".join(f"data: {line}\n\n" for line in lines)
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


@pytest.fixture(name="events")
def events_fixture() -> Callable[..., httpx.Response]:
    return events
