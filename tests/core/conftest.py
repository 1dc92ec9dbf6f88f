"""One scripted server for both clients: each test of the exchange runs blocking and awaiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference
from tests import hub

Handler = Callable[[httpx.Request], httpx.Response]
TOKEN = "hf_" + "canary" * 4


class Script:
    """Answers in order, the last one again and again; an exception is raised. Keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Handler) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


class Ask:
    """Make a client around a scripted server and call it; the same for both kinds of clients."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.waits: list[float] = []

    def __call__(self, server: Handler, call: Callable[[Any], Any], *args: Any, **options: Any) -> Any:
        options.setdefault("token", TOKEN)
        if self.kind == "sync":
            return call(HfInference(*args, http_client=httpx.Client(transport=httpx.MockTransport(server)), **options))

        async def run() -> Any:
            async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:
                return await call(AsyncHfInference(*args, http_client=http, **options))

        return asyncio.run(run())


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Calls by the blocking and by the awaiting client; waits between attempts are noted, not waited."""
    made = Ask(request.param)

    async def sleep(seconds: float) -> None:
        made.waits.append(seconds)

    monkeypatch.setattr("hf_tools._http.sync.sleep", made.waits.append)
    monkeypatch.setattr("hf_tools._http.aio.sleep", sleep)
    return made


@pytest.fixture
def script() -> type[Script]:
    """The scripted server."""
    return Script
