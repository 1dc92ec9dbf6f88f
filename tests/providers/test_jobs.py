"""Long jobs: asked after until they end, borne through failures, left and taken up again; results in every form."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import logging
import pickle
import statistics
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options, errors
from hf_tools.jobs import JobHandle
from hf_tools.loose import table
from hf_tools.media import Media
from hf_tools.providers.dialects import Dialect, Done, Job, Link, Outcome, Provider, Target, below, lora, state_of
from hf_tools.providers.rows import ROWS
from tests.providers.conftest import HF_KEY, MODEL, OWN_KEY, World

PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
ROUTED, FILE = "https://router.huggingface.co/groq", "https://files.example/fox.png"
BUSY, FILED = {"state": "busy"}, {"state": "ready", "url": FILE}
READY: Any = {"state": "ready", "b64_json": base64.b64encode(PNG).decode()}
PICTURE = httpx.Response(200, content=PNG)
HOSTS = frozenset(["jobs.example"])


def said(value: Any, target: Target, cancel: bool = True) -> Outcome:
    """What the small provider of these tests says: a state, and a result or the address to ask."""
    found = table(value)
    state = state_of(found.get("state"), frozenset(["busy"]), frozenset(["ready"]), found.get("why"))
    if state == "ready":
        return Link(found["url"], form(found)) if "url" in found else Done(value)
    url = below(target, found.get("poll", "https://jobs.example/jobs/7"), HOSTS)
    end = ("DELETE", url) if cancel else None
    return Job(
        "7", url, partial(said, target=target, cancel=cancel), state, cancel=end, queue_position=found.get("place")
    )


def form(found: Any) -> Callable[[Media], Any] | None:
    return (lambda media: {"image": media.base64}) if found.get("formed") else None


def body(task: Any, target: Target) -> dict[str, Any]:
    return {"prompt": task.prompt, "model": target.model}


def row(cancel: bool = True) -> Provider:
    dialect = Dialect("/draw", body, partial(said, cancel=cancel))
    return Provider("groq", "https://jobs.example", {}, {"text-to-image": dialect})


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider with one task and jobs, under a known name."""
    monkeypatch.setitem(ROWS, "groq", row())  # pyright: ignore[reportArgumentType]


class Ask:
    """Calls by the blocking or by the awaiting client."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, there: World, name: str, *args: Any, key: str = HF_KEY, **options: Any) -> Any:
        if self.kind == "sync":
            return getattr(there.client(key, **options), name)(*args)

        async def call() -> Any:
            return await getattr(there.aclient(key, **options), name)(*args)

        return asyncio.run(call())

    def draw(self, there: World, **options: Any) -> Any:
        return self(there, "text_to_image", "a fox", **options)


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return Ask(request.param)


def drawing(*answers: Any) -> World:
    return World("groq", "text-to-image", "its/flux", *answers)


def test_a_job_is_asked_after_until_it_ends(ask: Ask, no_waiting: list[float]) -> None:
    there = drawing(*[BUSY] * 16, FILED, PICTURE)
    assert ask.draw(there).data == PNG
    assert there.sent == [
        ("POST", f"{ROUTED}/draw"), *[("GET", f"{ROUTED}/jobs/7")] * 16, ("GET", FILE),
    ]  # fmt: skip
    assert no_waiting == pytest.approx([min(0.5 * 1.2**number, 5.0) for number in range(16)])
    assert no_waiting[-1] == 5.0


def test_an_answer_that_needs_no_waiting(ask: Ask, no_waiting: list[float]) -> None:
    there = drawing(READY)
    assert ask.draw(there).data == PNG
    assert (there.sent, no_waiting) == ([("POST", f"{ROUTED}/draw")], [])
    assert there.body == {"prompt": "a fox", "model": "its/flux"}


@pytest.mark.parametrize(
    ("end", "message", "state"),
    [
        ({"state": "FAILED", "why": "too\nbig"}, "the provider's job ended in the state 'FAILED': too\\nbig", "failed"),
        ({"state": "odd", "why": {"a": 1}}, "the provider's job ended in the state 'odd': {\"a\": 1}", "odd"),
        ({}, "the provider's job ended in the state None", ""),
    ],
)
def test_a_job_that_fails_or_is_in_a_state_that_nobody_knows(ask: Ask, end: Any, message: str, state: str) -> None:
    there = drawing(BUSY, end)
    with pytest.raises(errors.JobFailed) as caught:
        ask.draw(there)
    error = caught.value
    assert (error.message, error.state, error.provider, error.model) == (message, state, "groq", "its/flux")
    assert (error.handle.id, error.handle.provider, error.handle.state) == ("7", "groq", "busy")
    assert len(there.sent) == 2


LOST = httpx.ReadError("reset")
PASSING: list[Any] = [
    httpx.Response(500), httpx.Response(502, text="<html>"), LOST, httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"), httpx.Response(429), httpx.Response(200, text="<html>A proxy</html>"),
    httpx.Response(200), httpx.Response(200, text='{"state": "bu'),
]  # fmt: skip


@pytest.mark.parametrize("failure", PASSING, ids=range(len(PASSING)))
def test_two_failures_in_a_row_are_borne(ask: Ask, failure: Any) -> None:
    there = drawing(BUSY, failure, failure, BUSY, failure, failure, READY)
    assert ask.draw(there).data == PNG
    assert len(there.sent) == 7


@pytest.mark.parametrize("failure", PASSING, ids=range(len(PASSING)))
def test_the_third_is_raised_with_the_handle(ask: Ask, failure: Any) -> None:
    there = drawing(BUSY, failure, failure, failure, READY)
    with pytest.raises(errors.HfError) as caught:
        ask.draw(there)
    assert not isinstance(caught.value, errors.JobError)
    assert len(there.sent) == 4
    assert ask(there, "resume", vars(caught.value)["handle"]).data == PNG


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(httpx.Response(404), errors.NotFound), (httpx.Response(401), errors.AuthenticationError)],
)
def test_a_failure_that_does_not_pass_is_raised_at_once(ask: Ask, failure: Any, kind: type[errors.HfError]) -> None:
    there = drawing(BUSY, failure, READY)
    with pytest.raises(kind) as caught:
        ask.draw(there)
    assert vars(caught.value)["handle"].id == "7"
    assert len(there.sent) == 2


@pytest.mark.parametrize(("asked", "waited"), [("3", 3.0), ("600", 60.0)])
def test_who_asks_too_often_waits_as_long_as_the_provider_says(
    ask: Ask, no_waiting: list[float], asked: str, waited: float
) -> None:
    there = drawing(BUSY, httpx.Response(429, headers={"retry-after": asked}), BUSY, READY)
    assert ask.draw(there).data == PNG
    assert no_waiting == pytest.approx([0.5, waited, min(waited * 1.2, 5.0)])


def left(ask: Ask, there: World, **options: Any) -> errors.JobTimeout:
    """The error of a job that goes on."""
    with pytest.raises(errors.JobTimeout) as caught:
        ask.draw(there, timeout=0.4, **options)
    return caught.value


def test_when_the_time_is_used_up_the_job_can_be_taken_up_again(ask: Ask) -> None:
    there = drawing({"state": "BUSY", "place": 3}, BUSY, FILED, PICTURE)
    error = left(ask, there)
    handle: JobHandle[Any] = error.handle
    assert error.message.startswith("the job 7 goes on at groq (state busy), but the time for the call is used up")
    assert (error.hint, error.state) == ("Wait on with resume(error.handle), or raise `timeout`", "busy")
    assert (handle.id, handle.provider, handle.state, handle.queue_position) == ("7", "groq", "busy", 3)
    assert repr(handle) == "JobHandle('7', provider='groq', task='text-to-image', state='busy')"
    assert 0 <= time.monotonic() - handle.started < 60
    assert len(there.sent) == 1
    assert ask(there, "resume", handle).data == PNG
    assert there.sent[1:] == [("GET", f"{ROUTED}/jobs/7")] * 2 + [("GET", FILE)]


def test_a_question_that_outlasts_the_deadline_leaves_the_job(ask: Ask) -> None:
    class Slow(World):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.method == "GET" and request.url.host != "huggingface.co":
                time.sleep(0.7)
                raise httpx.ReadTimeout("slow")
            return super().__call__(request)

    there = Slow("groq", "text-to-image", "its/flux", BUSY, READY)
    with pytest.raises(errors.JobTimeout) as caught:
        ask.draw(there, timeout=0.65)
    assert isinstance(caught.value.__cause__, errors.DeadlineExceeded)
    assert caught.value.handle.id == "7"


def test_a_single_slow_question_is_borne(ask: Ask) -> None:
    there = drawing(BUSY, httpx.ReadTimeout("slow"), READY)
    assert ask.draw(there, timeout=None).data == PNG


def test_handles_and_their_errors_can_be_pickled(ask: Ask) -> None:
    there = drawing(BUSY, READY)
    again = pickle.loads(pickle.dumps(left(ask, there)))
    assert ask(there, "resume", again.handle).data == PNG


def test_a_job_can_be_ended(ask: Ask) -> None:
    there = drawing(BUSY, httpx.Response(204), httpx.Response(409))
    handle = left(ask, there, bill_to="acme").handle
    assert ask(there, "cancel", handle) is True
    assert ask(there, "cancel", handle) is False
    assert there.sent[1:] == [("DELETE", f"{ROUTED}/jobs/7")] * 2
    assert there.requests[1].headers["authorization"] == f"Bearer {HF_KEY}"


def test_a_provider_that_ends_no_jobs(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, "groq", row(cancel=False))  # pyright: ignore[reportArgumentType]
    there = drawing(BUSY)
    with pytest.raises(errors.InputError, match="groq has no way to end a job"):
        ask(there, "cancel", left(ask, there).handle)
    assert len(there.sent) == 1


@pytest.mark.parametrize("name", ["resume", "cancel"])
@pytest.mark.parametrize(
    ("began", "later"), [(HF_KEY, OWN_KEY), (OWN_KEY, HF_KEY), (OWN_KEY, "")], ids=["hf", "own", "none"]
)
def test_a_handle_goes_with_the_kind_of_key_that_began_it(ask: Ask, name: str, began: str, later: str) -> None:
    there = drawing(BUSY)
    handle = left(ask, there, key=began).handle
    with pytest.raises(errors.ConfigurationError, match=r"^the job 7 went to .*: this client has another kind of key"):
        ask(there, name, handle, key=later)
    assert len(there.sent) == 1


@pytest.mark.parametrize("name", ["resume", "cancel"])
def test_a_handle_of_another_provider_or_none(ask: Ask, name: str) -> None:
    there = drawing(BUSY)
    handle = left(ask, there, key=OWN_KEY).handle
    there.provider = "together"
    with pytest.raises(errors.ConfigurationError, match="the job 7 went to groq with its own key"):
        ask(there, name, handle, key=OWN_KEY)
    with pytest.raises(errors.InputError, match="expected the `handle` of a JobTimeout, got str"):
        ask(there, name, "7")
    assert len(there.sent) == 1


FOREIGN = [
    "https://evil.example/jobs/7", "https://jobs.example@evil.example/jobs/7", "http://jobs.example/jobs/7",
    "https://jobs.example/../jobs/7", "https://user@jobs.example/x", "//evil.example/x", "/jobs/7", "https://[", None,
    7,
]  # fmt: skip


@pytest.mark.parametrize("url", FOREIGN)
@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
def test_an_address_of_another_origin_is_not_asked(ask: Ask, url: Any, key: str) -> None:
    there = drawing({**BUSY, "poll": url}, READY)
    with pytest.raises(errors.ShapeError, match="the provider's URL for asking after the job is not used"):
        ask.draw(there, key=key)
    assert len(there.sent) == 1


@pytest.mark.parametrize(
    ("url", "routed", "direct"),
    [
        ("https://jobs.example/a?b=c", f"{ROUTED}/a?b=c", "https://jobs.example/a?b=c"),
        (f"{ROUTED}/a", f"{ROUTED}/a", "https://jobs.example/a"),
        (f"{ROUTED}.evil.example/a", f"{ROUTED}/groq.evil.example/a", "https://jobs.example/groq.evil.example/a"),
        (f"{ROUTED}@evil.example/a", f"{ROUTED}/groq@evil.example/a", "https://jobs.example/groq@evil.example/a"),
    ],
)
def test_an_address_stays_below_the_base_that_took_the_job(url: str, routed: str, direct: str) -> None:
    target = Target("groq", "m", MODEL, ROUTED)
    assert below(target, url, HOSTS, "https://jobs.example") == routed
    own = replace(target, base="https://jobs.example", routed=False)
    assert below(own, url, HOSTS) == below(own, url, HOSTS, "https://jobs.example") == direct


def test_weights_of_the_hub() -> None:
    target = Target("groq", "m", MODEL, ROUTED, weights="a.safetensors")
    assert lora(target) == "https://huggingface.co/org/model/resolve/main/a.safetensors"
    with pytest.raises(errors.ResponseError, match="org/model: the Hub does not tell which file holds the weights"):
        lora(replace(target, weights=None))


def test_progress_is_told(ask: Ask) -> None:
    seen: list[tuple[str, int | None]] = []
    there = drawing({**BUSY, "place": 2}, {**BUSY, "place": 1}, LOST, READY)

    def note(handle: JobHandle[Any]) -> None:
        seen.append((handle.state, handle.queue_position))

    ask.draw(there, on_progress=note)
    assert seen == [("busy", 2), ("busy", 1), ("busy", 1)]


def test_what_on_progress_raises_is_logged_once(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Any) -> None:
        raise ValueError("my bug")

    with caplog.at_level(logging.WARNING, "hf_tools"):
        for _ in range(2):
            assert ask.draw(drawing(BUSY, BUSY, BUSY, READY), on_progress=broken).data == PNG
    assert [record.message for record in caplog.records] == ["on_progress raised; the job goes on"] * 2
    assert "my bug" in caplog.text


def test_on_progress_is_a_function() -> None:
    with pytest.raises(errors.ConfigurationError, match="`on_progress` must be a function that takes a JobHandle"):
        Options(on_progress="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# the results


def hop(location: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": location})


RESULTS: list[tuple[dict[str, Any], list[Any]]] = [
    ({"url": FILE}, [PICTURE]),
    ({"url": FILE}, [hop("/b"), hop("https://other.example/c"), hop("d"), PICTURE]),
    ({"url": FILE}, [httpx.Response(503), LOST, PICTURE]),
    ({"url": FILE, "formed": True}, [PICTURE]),
    ({"url": "data:image/png;base64," + READY["b64_json"]}, []),
    ({"url": "DATA:;base64," + READY["b64_json"], "formed": True}, []),
    ({"b64_json": READY["b64_json"]}, []),
    ({"image": "data:image/png;base64," + READY["b64_json"]}, []),
]


@pytest.mark.parametrize(("result", "answers"), RESULTS)
def test_a_result_in_every_form(ask: Ask, result: dict[str, Any], answers: list[Any]) -> None:
    there = drawing(BUSY, {"state": "ready", **result}, *answers)
    image = ask.draw(there, max_retries=2)
    assert (image.data, image.mime_type) == (PNG, "image/png")
    assert len(there.sent) == 2 + len(answers)
    assert all("authorization" not in request.headers for request in there.requests[2:])


PAGE = httpx.Response(200, text="<html>", headers={"content-type": "text/html; charset=utf-8"})
BROKEN: list[tuple[dict[str, Any], list[Any], type[errors.HfError], str]] = [
    ({"url": FILE}, [httpx.Response(404)], errors.MediaError, "the result cannot be downloaded: 404"),
    ({"url": FILE}, [httpx.Response(500)] * 2, errors.MediaError, "the result cannot be downloaded: 500"),
    ({"url": FILE}, [LOST] * 2, errors.ConnectionLost, "the connection broke: reset"),
    ({"url": FILE}, [hop(FILE)] * 4, errors.MediaError, "the result redirects more than 3 times"),
    ({"url": FILE}, [hop("http://files.example/")], errors.MediaError,
     "a redirect leads to http://files.example/, which is not followed"),
    ({"url": FILE}, [hop("http://[")], errors.MediaError, "a redirect leads to http://[, which is not followed"),
    ({"url": FILE}, [httpx.Response(302)], errors.MediaError, "the result cannot be downloaded: 302"),
    ({"url": FILE}, [PAGE], errors.UnexpectedContent, "the answer is an HTML page that begins <html>"),
    ({"url": FILE}, [httpx.Response(200)], errors.EmptyResponse, "the answer is empty"),
    ({"url": FILE, "formed": True}, [PAGE], errors.UnexpectedContent, "the result is an HTML page that begins <html>"),
    ({"url": FILE, "formed": True}, [httpx.Response(200)], errors.EmptyResponse, "the result is empty"),
    ({"url": "data:image/png,x"}, [], errors.MediaError, "a data: URI must be base64"),
    ({"url": "/fox.png?key=1"}, [], errors.ShapeError,
     "unexpected answer: the result is at /fox.png, which is no URL: the URL has no host"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "answers", "kind", "message"), BROKEN)
def test_a_result_that_cannot_be_had(
    ask: Ask, result: dict[str, Any], answers: list[Any], kind: type[errors.HfError], message: str
) -> None:
    there = drawing(BUSY, {"state": "ready", **result}, *answers, PICTURE)
    with pytest.raises(errors.HfError) as caught:
        ask.draw(there, max_retries=1)
    assert (type(caught.value), caught.value.message) == (kind, message)
    assert (caught.value.task, caught.value.provider) == ("text-to-image", "groq")
    assert len(there.sent) == 2 + len(answers)


def test_the_time_for_a_download(ask: Ask) -> None:
    class Late(World):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "files.example":
                time.sleep(0.3)
            return super().__call__(request)

    there = Late("groq", "text-to-image", "its/flux", FILED, hop("/b"), PICTURE)
    with pytest.raises(errors.DeadlineExceeded):
        ask.draw(there, timeout=0.2)
    assert len(there.sent) == 2


# a real server: the event loop goes on while a job is waited for


class Jobs(BaseHTTPRequestHandler):
    """Takes a job and has it ready at the tenth question; each answer takes 20 ms."""

    asked = 0

    def do_POST(self) -> None:
        self._answer(BUSY)

    def do_GET(self) -> None:
        Jobs.asked += 1
        self._answer(READY if Jobs.asked >= 10 else BUSY)

    def _answer(self, value: Any) -> None:
        time.sleep(0.02)
        content = json.dumps(value).encode()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def jobs() -> Generator[str, None, None]:
    Jobs.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Jobs)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


async def test_the_event_loop_beats_on(jobs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_tools._http.aio.sleep", asyncio.sleep)

    def read(value: Any, target: Target) -> Outcome:
        if value["state"] == "ready":
            return Done(value)
        return Job("7", f"{jobs}/jobs/7", partial(read, target=target), interval=0.02)

    own = Provider("groq", jobs, {}, {"text-to-image": Dialect("/draw", body, read)})
    monkeypatch.setitem(ROWS, "groq", own)  # pyright: ignore[reportArgumentType]
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    heart = asyncio.create_task(beat())
    there = drawing(BUSY)
    async with AsyncHfInference(OWN_KEY, provider="groq", model=MODEL) as hf, there.aclient(OWN_KEY) as scripted:
        memory = scripted._settings.memory  # pyright: ignore[reportPrivateUsage]
        await scripted.who_serves(MODEL)
        hf._settings.memory.mappings |= memory.mappings  # pyright: ignore[reportPrivateUsage]
        image = await hf.text_to_image("a fox")
    heart.cancel()
    assert (image.data, Jobs.asked) == (PNG, 10)
    gaps = [later - now for now, later in itertools.pairwise(beats)]
    assert beats[-1] - beats[0] > 0.4
    assert len(beats) > 25  # a driver that blocked would let it beat between its steps only, of which there are 20
    assert statistics.median(gaps) < 0.02


def test_the_blocking_client_on_a_real_server(jobs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(value: Any, target: Target) -> Outcome:
        return Done(value) if value["state"] == "ready" else Job("7", f"{jobs}/jobs/7", partial(read, target=target))

    own = Provider("openai", jobs, {}, {"text-to-image": Dialect("/draw", body, read)})
    monkeypatch.setitem(ROWS, "openai", own)  # pyright: ignore[reportArgumentType]
    with HfInference(OWN_KEY, provider="openai", model=MODEL) as hf:
        assert hf.text_to_image("a fox").data == PNG
    assert Jobs.asked == 10
