"""Which providers serve a model, as the Hub tells: read in both its forms, kept for a while, asked once at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options, errors
from hf_tools.mapping import Served
from hf_tools.steps import Flight
from tests.providers.conftest import HF_KEY, HUB, MODEL, OWN_KEY

DREW = {"status": "live", "providerId": "fal-ai/flux", "task": "text-to-image"}
LISTED: Any = {"id": MODEL, "inferenceProviderMapping": [{"provider": "fal-ai", **DREW}]}
FAL = Served("fal-ai", "fal-ai/flux", "text-to-image", "live")
Answers = Callable[[httpx.Request], httpx.Response]


class Hub:
    """Answers in order, the last one again and again, each after some seconds; keeps what it is asked."""

    def __init__(self, *answers: Any, seconds: float = 0.0) -> None:
        self.answers, self.seconds = list(answers), seconds
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return httpx.Response(200, json=answer)

    def blocking(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self.seconds)
        return self.answer(request)

    async def awaiting(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.seconds)
        return self.answer(request)

    def client(self, token: str | bool = HF_KEY, **options: Any) -> HfInference:
        http = httpx.Client(transport=httpx.MockTransport(self.blocking))
        return HfInference(token, http_client=http, provider="fal-ai", options=Options(max_retries=0, **options))

    def aclient(self, token: str | bool = HF_KEY, **options: Any) -> AsyncHfInference:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.awaiting))
        return AsyncHfInference(token, http_client=http, provider="fal-ai", options=Options(max_retries=0, **options))

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]


ASK = "?expand[]=inferenceProviderMapping"
GONE = "404 the Hub has no model org/model, or does not show it"
WEIGHTED = Served("fal-ai", "fal-ai/flux", "text-to-image", "live", "x.safetensors")
LORA = {"adapter": "lora", "adapterWeightsPath": "x.safetensors", "type": "single-model", "isModelAuthor": False}
FORMS: list[tuple[Any, list[Served]]] = [
    (LISTED["inferenceProviderMapping"], [FAL]),
    ({"fal-ai": DREW}, [FAL]),
    (
        {"hf-inference": {"status": "staging", "providerId": "o/w", "task": "translation"}, "fal-ai": DREW},
        [Served("hf-inference", "o/w", "translation", "staging"), FAL],
    ),
    ([{"provider": "fal-ai", **DREW, **LORA}], [WEIGHTED]),
    ([{"provider": "fal-ai", **DREW, "adapterWeightsPath": 7, "status": None}], [FAL]),
    ([{"provider": "new", "providerId": "x"}], [Served("new", "x", "", "live")]),
    ([None, 7, "x", {"provider": 1, "providerId": "x"}, {"provider": "fal-ai"}, {"provider": "fal-ai", **DREW}], [FAL]),
    ({"fal-ai": None, "groq": "x"}, []), ([], []), ({}, []), (None, []), ("no", []),
]  # fmt: skip


@pytest.mark.parametrize(("said", "read"), FORMS)
def test_reads_both_forms(said: Any, read: list[Served]) -> None:
    hub = Hub({"id": MODEL, "inferenceProviderMapping": said})
    assert hub.client().who_serves(MODEL) == read
    assert hub.urls == [HUB]
    assert hub.requests[0].method == "GET"


@pytest.mark.parametrize("said", [{"id": MODEL}, [], "text", 7])
def test_an_answer_without_providers(said: Any) -> None:
    assert Hub(said).client().who_serves(MODEL) == []


def moved(location: str, status: int = 307) -> httpx.Response:
    return httpx.Response(status, headers={"location": location})


@pytest.mark.parametrize(
    ("location", "then"),
    [
        (f"/api/models/org/new{ASK}", f"api/models/org/new{ASK}"),
        ("/api/models/org/new", f"api/models/org/new{ASK}"),
        ("https://huggingface.co/api/models/org/new?x=1", "api/models/org/new?x=1"),
    ],
)  # fmt: skip
def test_a_renamed_model_is_followed(location: str, then: str) -> None:
    hub = Hub(moved(location), {**LISTED, "id": "org/new"})
    assert hub.client().who_serves(MODEL) == [FAL]
    assert hub.urls == [HUB, f"https://huggingface.co/{then}"]
    assert [request.headers["authorization"] for request in hub.requests] == [f"Bearer {HF_KEY}"] * 2


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    hops = [moved(f"/api/models/org/m{number}", 302) for number in range(4)]
    assert Hub(*hops[:3], LISTED).client().who_serves(MODEL) == [FAL]
    hub = Hub(*hops, LISTED)
    with pytest.raises(errors.UnexpectedStatus, match="the Hub redirects more than 3 times for org/model"):
        hub.client().who_serves(MODEL)
    assert len(hub.urls) == 4


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/api/models/org/new?token=1", "//evil.example/api", "http://huggingface.co/api/models/a/b",
        "https://huggingface.co.evil.example/a", "https://x@huggingface.co/a", "https://huggingface.co:8443/a",
        "http://[",
    ],
)  # fmt: skip
def test_a_redirect_away_from_the_hub_is_refused(location: str) -> None:
    hub = Hub(moved(location), LISTED)
    with pytest.raises(errors.UnexpectedStatus, match=r"the Hub redirects to \S+, which is not followed") as caught:
        hub.client().who_serves(MODEL)
    assert hub.urls == [HUB]
    assert "token=1" not in str(caught.value)


BAD: list[tuple[httpx.Response, type[errors.HfError], str]] = [
    (httpx.Response(404, json={"error": "Repository not found"}), errors.NotFound, GONE),
    (httpx.Response(401, json={"error": "Invalid credentials"}), errors.AuthenticationError, "401 Invalid credentials"),
    (httpx.Response(500, json={"error": "Internal"}), errors.ServerError, "500 Internal"),
    (httpx.Response(307), errors.UnexpectedStatus, "307"),
    (httpx.Response(200, text="<html>"), errors.DecodeError, "the Hub's answer about org/model is not JSON: <html>"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "message"), BAD)
def test_a_failure_is_an_error_and_is_not_kept(
    answer: httpx.Response, kind: type[errors.HfError], message: str
) -> None:
    hub = Hub(answer, LISTED)
    hf = hub.client()
    with pytest.raises(errors.HfError) as caught:
        hf.who_serves(MODEL)
    assert type(caught.value) is kind
    assert caught.value.message == message
    assert hf.who_serves(MODEL) == [FAL]
    assert hub.urls == [HUB, HUB]


def test_the_token_is_in_no_error() -> None:
    hub = Hub(httpx.Response(401, json={"error": f"no such key: {HF_KEY}"}))
    with pytest.raises(errors.AuthenticationError) as caught:
        hub.client().who_serves(MODEL)
    assert caught.value.message == "401 no such key: ***"
    assert HF_KEY.encode() not in caught.value.body


def test_an_answer_holds_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("hf_tools.mapping.time.monotonic", lambda: now)
    hub = Hub(LISTED, {"id": MODEL})
    hf = hub.client(timeout=5000)
    for later, served in [(0.0, [FAL]), (599.9, [FAL]), (600.0, []), (1199.0, []), (1201.0, [])]:
        monkeypatch.setattr("hf_tools.mapping.time.monotonic", lambda later=later: now + later)
        assert hf.who_serves(MODEL) == served
        if later == 1201.0:
            assert len(hub.urls) == 3
    assert len(hub.urls) == 3


def test_an_answer_is_kept_for_each_model_and_token() -> None:
    hub = Hub(LISTED)
    hf = hub.client()
    for model in ("org/a", "org/b", "org/a", "org/b:fal-ai"):
        hf.who_serves(model)
    assert [url.partition("?")[0].rpartition("/")[2] for url in hub.urls] == ["a", "b"]
    other = hub.client("hf_other")
    other._settings.memory.mappings.update(hf._settings.memory.mappings)  # pyright: ignore[reportPrivateUsage]
    other.who_serves("org/a")
    assert [request.headers["authorization"] for request in hub.requests[2:]] == ["Bearer hf_other"]
    hf.with_options(timeout=9.0).who_serves("org/a")  # what a client has learned is shared with its copies
    assert len(hub.urls) == 3


@pytest.mark.parametrize(("token", "sent"), [(HF_KEY, f"Bearer {HF_KEY}"), (OWN_KEY, None), (False, None)])
def test_only_a_token_of_hugging_face_goes_to_the_hub(token: str | bool, sent: str | None) -> None:
    hub = Hub(LISTED)
    hub.client(token, bill_to="org", extra_headers={"x-mine": "1"}).who_serves(MODEL)
    headers = hub.requests[0].headers
    assert headers.get("authorization") == sent
    assert not {"x-hf-bill-to", "x-mine", "cookie"} & set(headers)


def test_threads_that_ask_at_once_share_one_question() -> None:
    hub = Hub(LISTED, seconds=0.2)
    hf = hub.client()
    start = threading.Barrier(20)

    def ask(_: int) -> list[Served]:
        start.wait()
        return hf.who_serves(MODEL)

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [[FAL]] * 20
    assert hub.urls == [HUB]


async def test_tasks_that_ask_at_once_share_one_question() -> None:
    hub = Hub(LISTED, seconds=0.05)
    hf = hub.aclient()
    assert await asyncio.gather(*(hf.who_serves(MODEL) for _ in range(20))) == [[FAL]] * 20
    assert hub.urls == [HUB]


def test_event_loops_of_several_threads_share_one_question() -> None:
    hub = Hub(LISTED, seconds=0.2)
    hf = hub.aclient()
    start = threading.Barrier(5)

    def ask(_: int) -> list[Served]:
        start.wait()
        return asyncio.run(hf.who_serves(MODEL))

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(ask, range(5))) == [[FAL]] * 5
    assert hub.urls == [HUB]


async def test_who_waited_for_a_failure_asks_itself() -> None:
    hub = Hub(httpx.Response(500, json={"error": "Internal"}), LISTED, seconds=0.02)
    hf = hub.aclient()
    found = await asyncio.gather(*(hf.who_serves(MODEL) for _ in range(5)), return_exceptions=True)
    assert isinstance(found[0], errors.ServerError)
    assert found[1:] == [[FAL]] * 4
    assert hub.urls == [HUB, HUB]


def test_a_thread_that_waited_for_a_failure_asks_itself() -> None:
    hub = Hub(httpx.Response(500, json={"error": "Internal"}), LISTED, seconds=0.2)
    hf = hub.client()
    start = threading.Barrier(5)

    def ask(_: int) -> Any:
        start.wait()
        try:
            return hf.who_serves(MODEL)
        except errors.ServerError as error:
            return error.status

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(ask, range(5)), key=str) == [500, *[[FAL]] * 4]
    assert hub.urls == [HUB, HUB]


async def test_who_waits_for_a_call_that_is_cancelled_asks_itself() -> None:
    hub = Hub(LISTED, seconds=0.05)
    hf = hub.aclient()
    first, second = (asyncio.create_task(hf.who_serves(MODEL)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == [FAL]
    with pytest.raises(asyncio.CancelledError):
        await first


def flying(hf: HfInference | AsyncHfInference, pid: int = 0) -> Flight:
    """A question of another call that is under way."""
    settings = hf._settings  # pyright: ignore[reportPrivateUsage]
    digest = "49f7a88eca6c8c5b"  # the first 16 digits of the SHA-256 of hf_test
    flight = settings.memory.flights[(MODEL, digest)] = Flight()
    flight.pid = pid or flight.pid
    return flight


def test_a_waiter_gives_up_at_its_deadline() -> None:
    hub = Hub(LISTED)
    hf = hub.client(timeout=0.05)
    flight = flying(hf)
    with pytest.raises(errors.DeadlineExceeded, match="the time for the call is used up"):
        hf.who_serves(MODEL)
    assert hub.urls == []
    flight.land()


async def test_an_awaiting_waiter_gives_up_at_its_deadline() -> None:
    hub = Hub(LISTED)
    hf = hub.aclient(timeout=0.05)
    flight = flying(hf)
    with pytest.raises(errors.DeadlineExceeded, match="the time for the call is used up"):
        await hf.who_serves(MODEL)
    assert hub.urls == []
    flight.land()


def test_a_forked_process_does_not_wait_for_its_parents_question() -> None:
    hub = Hub(LISTED)
    hf = hub.client()
    flying(hf, pid=1)
    assert hf.who_serves(MODEL) == [FAL]
    assert hub.urls == [HUB]


def test_a_waiter_that_comes_late_is_woken_at_once() -> None:
    flight, woken = Flight(), list[int]()
    flight.call(lambda: woken.append(1))
    assert woken == []
    flight.land()
    flight.call(lambda: woken.append(2))
    flight.wait(5)
    assert woken == [1, 2]


def test_a_waiter_whose_event_loop_has_ended_is_passed_over() -> None:
    hf = Hub(LISTED).aclient()
    flight = flying(hf)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await hf.who_serves(MODEL)

    asyncio.run(give_up())
    woken: list[int] = []
    flight.call(lambda: woken.append(1))
    flight.land()
    assert woken == [1]
