"""Which provider is asked: the first that is live, or the one that was named; keys that do not fit are refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hf_tools import HfInference, Options, errors
from hf_tools.choice import routed, speaks
from hf_tools.providers import LOCAL_CHAT, LOCAL_EMBEDDING
from hf_tools.providers.rows import ROWS
from hf_tools.providers.table import PROVIDERS
from hf_tools.steps import Settings
from hf_tools.task import Route, Task
from hf_tools.tasks.chat import ChatCompletion
from hf_tools.tasks.embedding import FeatureExtraction
from hf_tools.tasks.image_generation import TextToImage
from tests.providers.conftest import HF_KEY, HUB, MODEL, OWN_KEY

MESSAGES = [{"role": "user", "content": "Hi"}]
CHAT: Any = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
DRAWN: Any = {"data": [{"b64_json": "iVBORw0KGgoAAA=="}]}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
ROUTER = "https://router.huggingface.co"
Entry = tuple[str, str, str]


class World:
    """The Hub lists (provider, task, status); everything else answers with a chat, a picture or a vector."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = [
            {"provider": provider, "providerId": f"{provider}/its", "task": task, "status": status}
            for provider, task, status in entries
        ]
        self.requests: list[httpx.Request] = []
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "huggingface.co":
            self.asked.append(str(request.url))
            return httpx.Response(200, json={"id": MODEL, "inferenceProviderMapping": self.entries})
        self.requests.append(request)
        if request.url.path.endswith("generations"):
            return httpx.Response(200, json=DRAWN)
        if "chat/completions" in request.url.path:
            return httpx.Response(200, json=CHAT)
        is_drawing = request.url.path.startswith("/hf-inference") and b"a fox" in request.content
        return httpx.Response(200, content=PNG) if is_drawing else httpx.Response(200, json=[[0.5]])

    def client(self, key: str | bool = HF_KEY, provider: str = "auto") -> HfInference:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return HfInference(key, provider=provider, model=MODEL, http_client=http, options=Options(max_retries=0))

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]


def refused(there: World, call: Any) -> errors.InputError:
    """The error of a call for which nothing is sent."""
    with pytest.raises(errors.InputError) as caught:
        call()
    assert there.requests == []
    return caught.value


DRAWS = "text-to-image"
FIRST: list[tuple[list[Entry], str]] = [
    ([("nscale", DRAWS, "live"), ("together", DRAWS, "live")], "nscale"),
    ([("together", DRAWS, "live"), ("nscale", DRAWS, "live")], "together"),
    ([("nscale", DRAWS, "staging"), ("together", DRAWS, "live")], "together"),
    ([("nscale", DRAWS, "staging"), ("together", DRAWS, "error")], "nscale"),
    ([("nscale", DRAWS, "error"), ("together", DRAWS, "staging")], "together"),
    ([("unheard-of", DRAWS, "live"), ("groq", DRAWS, "live"), ("nscale", DRAWS, "live")], "nscale"),
    ([("nscale", "conversational", "live"), ("together", DRAWS, "live")], "together"),
    ([("hf-inference", DRAWS, "live"), ("nscale", DRAWS, "live")], "hf-inference"),
]


@pytest.mark.parametrize(("entries", "taken"), FIRST)
def test_auto_takes_the_first_that_is_live_and_that_we_know(entries: list[Entry], taken: str) -> None:
    there = World(*entries)
    assert there.client().text_to_image("a fox").data == PNG
    route = f"models/{MODEL}" if taken == "hf-inference" else "v1/images/generations"
    assert there.urls == [f"{ROUTER}/{taken}/{route}"]
    assert there.asked == [HUB]
    if taken != "hf-inference":
        assert json.loads(there.requests[0].content)["model"] == f"{taken}/its"


@pytest.mark.parametrize(
    ("entries", "hint"),
    [
        ([], "No provider serves it; https://huggingface.co/models lists models that are served"),
        ([("nscale", DRAWS, "error")], "It is served by nscale (text-to-image, error)"),
        (
            [("unheard-of", DRAWS, "live"), ("groq", "conversational", "staging")],
            "It is served by unheard-of (text-to-image, live), groq (conversational, staging)",
        ),
    ],
)
def test_auto_without_anyone(entries: list[Entry], hint: str) -> None:
    there = World(*entries)
    error = refused(there, lambda: there.client().text_to_image("a fox"))
    assert (error.message, error.hint) == (f"text_to_image: no provider serves {MODEL} for this task", hint)
    assert (error.task, error.model) == (DRAWS, MODEL)


@pytest.mark.parametrize(
    ("entries", "hint"),
    [
        ([("together", DRAWS, "live")], "It is served by together (text-to-image, live)"),
        ([("nscale", "conversational", "live")], "It is served by nscale (conversational, live)"),
        ([("nscale", DRAWS, "error")], "It is served by nscale (text-to-image, error)"),
    ],
)
def test_a_named_provider_that_does_not_serve_the_model(entries: list[Entry], hint: str) -> None:
    there = World(*entries)
    error = refused(there, lambda: there.client(provider="nscale").text_to_image("a fox"))
    assert (error.message, error.hint) == (f"text_to_image: nscale does not serve {MODEL} for this task", hint)


@pytest.mark.parametrize("listed", ["feature-extraction", "sentence-similarity"])
def test_hf_inference_does_both_tasks_of_embedding_models(listed: str) -> None:
    there = World(("hf-inference", listed, "live"))
    there.client().feature_extraction(["x"])
    assert there.urls == [f"{ROUTER}/hf-inference/models/{MODEL}/pipeline/feature-extraction"]
    other = World(("scaleway", "sentence-similarity", "live"))
    assert "no provider serves" in refused(other, lambda: other.client().feature_extraction("x")).message


def test_a_mapping_is_asked_for_only_where_it_is_needed() -> None:
    there = World(("groq", "conversational", "live"))
    hf = there.client()
    hf.chat_completion(MESSAGES)
    hf.chat_completion(MESSAGES, model=f"{MODEL}:fastest")
    hf.conversational("Hi")
    hf.request(inputs="x")  # nobody but hf-inference takes it
    there.client(provider="groq").chat_completion(MESSAGES)
    there.client(provider="hf-inference").feature_extraction(["x"])
    there.client(OWN_KEY, "openai").chat_completion(MESSAGES)
    assert there.asked == []
    assert there.urls[:3] == [f"{ROUTER}/v1/chat/completions"] * 3
    assert there.urls[3:] == [
        f"{ROUTER}/hf-inference/models/{MODEL}", f"{ROUTER}/v1/chat/completions",
        f"{ROUTER}/hf-inference/models/{MODEL}/pipeline/feature-extraction", "https://api.openai.com/v1/chat/completions",
    ]  # fmt: skip


def test_an_endpoint_needs_no_mapping() -> None:
    there = World()
    with pytest.raises(errors.ShapeError):  # the answer is one of embeddings
        there.client().endpoint("https://mine.example", server="toolkit").summarization("x")
    assert (there.asked, there.urls) == ([], ["https://mine.example"])


@pytest.mark.parametrize(
    ("provider", "model", "sent"),
    [
        ("auto", MODEL, MODEL),
        ("auto", f"{MODEL}:groq", f"{MODEL}:groq"),
        ("auto", f"{MODEL}:cheapest", f"{MODEL}:cheapest"),
        ("groq", MODEL, f"{MODEL}:groq"),
        ("groq", f"{MODEL}:groq", f"{MODEL}:groq"),
    ],
)
@pytest.mark.parametrize("name", ["chat_completion", "conversational"])
def test_chat_by_the_router(name: str, provider: str, model: str, sent: str) -> None:
    there = World()
    call = getattr(there.client(provider=provider), name)
    answer = call(MESSAGES if name == "chat_completion" else "Hi", model=model)
    assert (answer.choices[0].message.content if name == "chat_completion" else answer.generated_text) == "Hello"
    assert there.urls == [f"{ROUTER}/v1/chat/completions"]
    assert json.loads(there.requests[0].content)["model"] == sent
    assert there.requests[0].headers["authorization"] == f"Bearer {HF_KEY}"


def test_conversational_with_a_key_of_the_provider() -> None:
    there = World(("groq", "conversational", "live"))
    assert there.client(OWN_KEY, "groq").conversational("Hi").generated_text == "Hello"
    assert there.urls == ["https://api.groq.com/openai/v1/chat/completions"]
    assert json.loads(there.requests[0].content)["model"] == "groq/its"


CONTRARY, CHAT_ONLY = "and provider {} contradict each other", ": a provider after the colon is for chat only"
COLONS: list[tuple[str, str, str, str, str]] = [
    (HF_KEY, "groq", "chat_completion", "together", CONTRARY),
    (HF_KEY, "groq", "chat_completion", "fastest", CONTRARY),
    (OWN_KEY, "groq", "chat_completion", "together", CONTRARY),
    (HF_KEY, "nscale", "text_to_image", "together", CONTRARY),
    (HF_KEY, "auto", "text_to_image", "nscale", CHAT_ONLY),
    (HF_KEY, "auto", "text_to_image", "fastest", CHAT_ONLY),
]


@pytest.mark.parametrize(("key", "provider", "name", "wish", "message"), COLONS)
def test_a_provider_after_the_colon(key: str, provider: str, name: str, wish: str, message: str) -> None:
    there = World(("groq", "conversational", "live"), ("nscale", DRAWS, "live"))
    call = getattr(there.client(key, provider), name)
    given: Any = MESSAGES if name == "chat_completion" else "a fox"
    error = refused(there, lambda: call(given, model=f"{MODEL}:{wish}"))
    joint = "" if message == CHAT_ONLY else " "
    assert error.message == f"{name}: `model` = 'org/model:{wish}'{joint}{message.format(repr(provider))}"
    assert there.asked == []
    known = repr(wish) if wish in ROWS else "..."
    assert error.hint == (f"Write 'org/model' and provider={known}" if message == CHAT_ONLY else None)


def test_a_provider_without_chat() -> None:
    there = World()
    error = refused(there, lambda: there.client(provider="fal-ai").chat_completion(MESSAGES))
    assert error.hint == "fal-ai has no chat"
    none = HfInference(HF_KEY, provider="groq")
    assert refused(there, lambda: none.chat_completion(MESSAGES)).message == "chat_completion: `model` is missing"


@pytest.mark.parametrize("key", [HF_KEY, False])
def test_openai_takes_no_token_of_hugging_face(key: str | bool) -> None:
    there = World()
    with pytest.raises(errors.ConfigurationError, match="provider 'openai' needs a key of its own"):
        there.client(key, "openai").chat_completion(MESSAGES)
    assert there.requests == []


@pytest.mark.parametrize("provider", ["auto", "hf-inference"])
@pytest.mark.parametrize("name", ["chat_completion", "text_to_image"])
def test_the_key_of_another_provider_needs_its_name(provider: str, name: str) -> None:
    there = World((provider, DRAWS, "live"))
    call = getattr(there.client(OWN_KEY, provider), name)
    error = refused(there, lambda: call(MESSAGES if name == "chat_completion" else "a fox"))
    assert type(error) is errors.ConfigurationError
    sentence = f"the token is none of Hugging Face's, which begin with hf_, and provider {provider!r} takes no other"
    assert (error.message, error.hint) == (sentence, "Name the provider whose key it is: provider=...")
    assert there.asked == []


def test_a_key_of_its_own_goes_to_the_provider_with_its_scheme() -> None:
    there = World(("fal-ai", "text-to-speech", "live"))
    with pytest.raises(errors.ShapeError, match=r"no URL at `audio\.url`"):
        there.client(OWN_KEY, "fal-ai").text_to_speech("Hello")
    assert there.urls == ["https://fal.run/fal-ai/its"]
    assert there.requests[0].headers["authorization"] == f"Key {OWN_KEY}"


def route_of(task: Task[Any], provider: str, model: str | None, *, stream: bool = False) -> Route:
    """The route of a task where nothing has to be asked."""
    steps = routed(task, Settings(provider=provider), model, stream, None)
    with pytest.raises(StopIteration) as ended:
        next(steps)
    route: Route = ended.value.value
    return route


def test_a_form_of_a_providers_own_cannot_stream() -> None:
    hub = World(("fal-ai", DRAWS, "live")).client(provider="fal-ai")
    assert hub.who_serves(MODEL)[0].provider == "fal-ai"
    settings = hub._settings  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(errors.InputError, match="cannot carry a stream") as caught:
        next(routed(TextToImage("a fox"), settings, MODEL, True, None))
    assert caught.value.hint == "Call it without _stream"


def test_the_embedded_backend() -> None:
    chat, embed = ChatCompletion(MESSAGES), FeatureExtraction("x")
    assert route_of(chat, "local", None) == Route("openai", "http://hf-tools.local", LOCAL_CHAT, "local")
    assert route_of(chat, "local", "org/m", stream=True) == Route(
        "openai", "http://hf-tools.local", "org/m", "local", True
    )
    url = f"http://hf-tools.local/models/{LOCAL_EMBEDDING}"
    assert route_of(embed, "local", None) == Route("hf-inference", url, LOCAL_EMBEDDING, "local")
    with pytest.raises(errors.LocalBackendError, match="the embedded backend has no text-to-image"):
        route_of(TextToImage("a fox"), "local", None)


def test_every_provider_has_a_row() -> None:
    assert {*ROWS} == {*PROVIDERS} - {"auto", "hf-inference", "local"}
    assert not speaks("unheard-of", TextToImage("a fox"))
