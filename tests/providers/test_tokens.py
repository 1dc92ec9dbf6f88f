"""What reaches whom: every header of every request of every flow, by host."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options, errors
from hf_tools._http.aio import AsyncHttp
from hf_tools._http.sync import Http
from tests.providers.conftest import MODEL

HF_KEY, OWN_KEY, ORG, MINE = "hf_canaryA", "canary-own-key", "canary-org", "canary-mine"
SECRETS = (HF_KEY, OWN_KEY, ORG, MINE, "canary-cookie")
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
HUB, ROUTER, QUEUE = "huggingface.co", "router.huggingface.co", "queue.fal.run"
PLAIN = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
"""Headers that tell nobody anything."""


class Everyone:
    """All hosts at once; each answer sets a cookie for whoever would take it. `seen` has the requests by host."""

    def __init__(self, script: Callable[[httpx.Request], Any]) -> None:
        self.script = script
        self.seen: dict[str, list[httpx.Request]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.setdefault(request.url.host, []).append(request)
        answer = self.script(request)
        found = answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        cookies = [("set-cookie", "s=canary-cookie; Path=/"), ("set-cookie", "d=canary-cookie; Domain=huggingface.co")]
        headers = [(name, value) for name, value in found.headers.items() if name != "content-length"]
        return httpx.Response(found.status_code, headers=[*headers, *cookies], content=found.content)

    def beyond_plain(self, host: str) -> list[dict[str, str]]:
        """The headers of each request to a host that are not the usual ones."""
        return [{name: value for name, value in each.headers.items() if name not in PLAIN} for each in self.seen[host]]

    def check(self, *hosts: str) -> None:
        """No other host was asked; nothing secret is in an address, nor in what foreign hosts got at all."""
        assert set(self.seen) == set(hosts)
        for host, requests in self.seen.items():
            for each in requests:
                whole = [str(each.url), each.content.decode("latin-1")]
                foreign = host not in (HUB, ROUTER, QUEUE)
                parts = [*whole, *each.headers.values(), *each.headers] if foreign else whole
                assert not [secret for secret in SECRETS if any(secret in part for part in parts)]
                assert "cookie" not in each.headers


class Ask:
    """Clients with the connections of their own kind, which take no cookies."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, world: Everyone, key: str, name: str, *args: Any, **options: Any) -> Any:
        given = Options(bill_to=ORG, extra_headers={"x-mine": MINE}, max_retries=0, **options)
        if self.kind == "sync":
            hf = HfInference(key, provider="fal-ai", model=MODEL, options=given)
            hf._http = Http(transport=lambda: httpx.MockTransport(world))  # pyright: ignore[reportPrivateUsage]
            with hf:
                return getattr(hf, name)(*args)

        async def call() -> Any:
            other = AsyncHfInference(key, provider="fal-ai", model=MODEL, options=given)
            other._http = AsyncHttp(transport=lambda: httpx.MockTransport(world))  # pyright: ignore[reportPrivateUsage]
            async with other:
                return await getattr(other, name)(*args)

        return asyncio.run(call())


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return Ask(request.param)


MAPPED = {
    "id": MODEL,
    "inferenceProviderMapping": {"fal-ai": {"status": "live", "providerId": "fal-ai/flux", "task": "text-to-image"}},
}


def fal(picture: str, *, polls: str = f"https://{QUEUE}/fal-ai/flux/requests/7") -> Callable[[httpx.Request], Any]:
    """fal's queue, by the router or its own host, with a renamed model and a picture behind a redirect."""

    def script(request: httpx.Request) -> Any:
        host, path = request.url.host, request.url.path
        if host == HUB:
            renamed = {"location": "/api/models/org/new?expand[]=inferenceProviderMapping"}
            return httpx.Response(307, headers=renamed) if path.endswith(MODEL) else MAPPED
        if request.method == "POST":
            return {"status": "IN_QUEUE", "request_id": "7", "response_url": polls}
        if request.method == "PUT":
            return {"status": "CANCELLATION_REQUESTED"}
        if path.endswith("/status"):
            return {"status": "COMPLETED"}
        if path.endswith("/requests/7"):
            return {"images": [{"url": picture}]}
        if host == "files.example":
            return httpx.Response(302, headers={"location": "https://cdn.example/fox.png"})
        return httpx.Response(200, content=PNG)

    return script


FILES = ("files.example", "cdn.example")
ROUTED = {"authorization": f"Bearer {HF_KEY}", "x-hf-bill-to": ORG, "x-mine": MINE}
OWN = {"authorization": f"Key {OWN_KEY}", "x-mine": MINE}


def test_a_whole_flow_by_the_router(ask: Ask) -> None:
    world = Everyone(fal("https://files.example/fox.png"))
    assert ask(world, HF_KEY, "text_to_image", "a fox").data == PNG
    world.check(HUB, ROUTER, *FILES)
    assert world.beyond_plain(HUB) == [{"authorization": f"Bearer {HF_KEY}"}] * 2
    assert world.beyond_plain(ROUTER) == [ROUTED] * 3
    assert [world.beyond_plain(host) for host in FILES] == [[{}], [{}]]


def test_a_whole_flow_with_a_key_of_the_provider(ask: Ask) -> None:
    world = Everyone(fal("https://files.example/fox.png"))
    assert ask(world, OWN_KEY, "text_to_image", "a fox").data == PNG
    world.check(HUB, QUEUE, *FILES)
    assert world.beyond_plain(HUB) == [{}] * 2
    assert world.beyond_plain(QUEUE) == [OWN] * 3
    assert [world.beyond_plain(host) for host in FILES] == [[{}], [{}]]


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
@pytest.mark.parametrize("where", [HUB, ROUTER, QUEUE])
def test_a_result_on_a_trusted_host_is_fetched_without_a_key(ask: Ask, key: str, where: str) -> None:
    inner = fal(f"https://{where}/files/fox.png")

    def script(request: httpx.Request) -> Any:
        return httpx.Response(200, content=PNG) if "/files/" in request.url.path else inner(request)

    world = Everyone(script)
    assert ask(world, key, "text_to_image", "a fox").data == PNG
    fetched = [each for each in world.seen[where] if "/files/" in each.url.path]
    assert [set(each.headers) - PLAIN for each in fetched] == [set()]


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
@pytest.mark.parametrize(
    "polls", ["https://evil.example/requests/7", f"https://{QUEUE}@evil.example/requests/7", f"http://{QUEUE}/requests/7"]
)  # fmt: skip
def test_a_poll_elsewhere_is_not_asked(ask: Ask, key: str, polls: str) -> None:
    world = Everyone(fal("https://files.example/fox.png", polls=polls))
    with pytest.raises(errors.ShapeError, match="is none of its own"):
        ask(world, key, "text_to_image", "a fox")
    world.check(HUB, ROUTER if key == HF_KEY else QUEUE)


@pytest.mark.parametrize("path", ["fal-ai.evil.example/x", "fal-ai@evil.example/x", "fal-ai:1@evil.example/x"])
def test_a_poll_that_is_glued_to_a_host_is_not_asked_there(ask: Ask, path: str) -> None:
    world = Everyone(fal("https://files.example/fox.png", polls=f"https://{ROUTER}/{path}"))
    with pytest.raises(errors.HfError):
        ask(world, OWN_KEY, "text_to_image", "a fox", timeout=5.0)
    assert set(world.seen) == {HUB, QUEUE}


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("step", ["mapping", "submit", "poll", "result"])
def test_a_redirect_carries_nothing_away(ask: Ask, key: str, status: int, step: str) -> None:
    inner = fal("https://files.example/fox.png")
    away = httpx.Response(status, headers={"location": "https://evil.example/take"})

    def script(request: httpx.Request) -> Any:
        path = request.url.path
        kinds = {"mapping": request.url.host == HUB, "submit": request.method == "POST",
                 "poll": path.endswith("/status"), "result": path.endswith("/requests/7")}  # fmt: skip
        return away if kinds[step] else inner(request)

    world = Everyone(script)
    with pytest.raises(errors.UnexpectedStatus):
        ask(world, key, "text_to_image", "a fox")
    asked = [] if step == "mapping" else [ROUTER if key == HF_KEY else QUEUE]
    world.check(HUB, *asked)


@pytest.mark.parametrize(("key", "host", "headers"), [(HF_KEY, ROUTER, ROUTED), (OWN_KEY, QUEUE, OWN)])
def test_a_job_that_is_taken_up_or_ended(ask: Ask, key: str, host: str, headers: dict[str, str]) -> None:
    world = Everyone(fal("https://files.example/fox.png"))
    with pytest.raises(errors.JobTimeout) as caught:
        ask(world, key, "text_to_image", "a fox", timeout=0.4)
    assert ask(world, key, "resume", caught.value.handle).data == PNG
    assert ask(world, key, "cancel", caught.value.handle) is True
    world.check(HUB, host, *FILES)
    assert world.beyond_plain(host) == [headers] * 4
    assert [world.beyond_plain(each) for each in FILES] == [[{}], [{}]]


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
def test_questions_to_the_hub(ask: Ask, key: str) -> None:
    world = Everyone(lambda request: MAPPED if MODEL in request.url.path else [{"id": MODEL}])
    assert ask(world, key, "who_serves", MODEL)[0].provider == "fal-ai"
    assert ask(world, key, "list_models", "text-to-image") == [MODEL]
    world.check(HUB)
    assert world.beyond_plain(HUB) == [{"authorization": f"Bearer {key}"} if key == HF_KEY else {}] * 2


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
def test_a_picture_in_the_answer_itself_is_not_downloaded(ask: Ask, key: str) -> None:
    world = Everyone(fal(f"data:image/png;base64,{base64.b64encode(PNG).decode()}"))
    assert ask(world, key, "text_to_image", "a fox").data == PNG
    world.check(HUB, ROUTER if key == HF_KEY else QUEUE)


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
def test_an_input_is_downloaded_without_a_key(ask: Ask, key: str) -> None:
    edits = {"fal-ai": {"status": "live", "providerId": "fal-ai/edit", "task": "image-to-image"}}
    inner = fal("https://files.example/fox.png")

    def script(request: httpx.Request) -> Any:
        return {"id": MODEL, "inferenceProviderMapping": edits} if request.url.host == HUB else inner(request)

    world = Everyone(script)
    assert ask(world, key, "image_to_image", "https://photos.example/in.png", "a drawing").data == PNG
    world.check(HUB, ROUTER if key == HF_KEY else QUEUE, "photos.example", *FILES)
    assert world.beyond_plain("photos.example") == [{}]
