"""What the tests of providers share: a world in which the Hub, the router, a provider and its files answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options

MODEL = "org/model"
HF_KEY = "hf_test"
OWN_KEY = "own-key"
HUB = "https://huggingface.co/api/models/org/model?expand[]=inferenceProviderMapping"


class World:
    """Answers: the Hub's mapping says that `provider` has the model as `served` for `task`; the rest comes in order.

    An answer is a JSON value, an httpx.Response or an exception; `requests` has every request but the mapping's.
    """

    def __init__(self, provider: str, task: str, served: str, *answers: Any, **mapping: Any) -> None:
        entry = {"provider": provider, "providerId": served, "status": "live", "task": task, **mapping}
        self.mapping: Any = {"id": MODEL, "inferenceProviderMapping": [entry]}
        self.provider, self.answers = provider, list(answers)
        self.requests: list[httpx.Request] = []
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "huggingface.co":
            self.asked.append(request)
            return httpx.Response(200, json=self.mapping)
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return httpx.Response(200, json=answer)

    def client(self, key: str | bool = HF_KEY, **options: Any) -> HfInference:
        """A client of this world; an hf_ key goes through the router, another one to the provider itself."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        return HfInference(key, provider=self.provider, model=MODEL, http_client=http, options=Options(**options))

    def aclient(self, key: str | bool = HF_KEY, **options: Any) -> AsyncHfInference:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return AsyncHfInference(key, provider=self.provider, model=MODEL, http_client=http, options=Options(**options))

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Method and URL of each request."""
        return [(request.method, str(request.url)) for request in self.requests]

    @property
    def body(self) -> Any:
        """The JSON of the first request."""
        return json.loads(self.requests[0].content)


@pytest.fixture(scope="session")
def world() -> type[World]:
    return World


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Polls do not wait; the fixture's value has the seconds that they would have waited."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("hf_tools._http.sync.sleep", waited.append)
    monkeypatch.setattr("hf_tools._http.aio.sleep", sleep)
    return waited


Make = Callable[..., World]
