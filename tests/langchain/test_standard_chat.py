"""LangChain's own standard tests of chat models, all of them, with every flag on, in three ways of structured output.

The server is the scripted one, which refuses what OpenAI and vLLM refuse. `test_stream_time` replays a recording of
it: `pytest tests/langchain/test_standard_chat.py -k "stream_time and not Calling and not Mode" --record-mode=rewrite`
makes a new one.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_hf_tools import ChatHfInference
from tests.langchain.chatting import added_up, chat
from tests.langchain.scripted import ScriptedServer

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WAV = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\0\0\0\0"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
MEDIA = {".png": PNG, ".wav": WAV, ".pdf": PDF}
DETAILS: Any = ["reasoning_output", "cache_read_input", "audio_input"]
KEPT = {"content-type", "content-length", "transfer-encoding"}
"""Headers that stay in the recording."""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the suite would download."""

    def get(url: str, **kwargs: Any) -> httpx.Response:
        return httpx.Response(200, content=MEDIA[url[-4:]])

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "hf-tools")


@pytest.fixture(autouse=True)
def loadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """`load(..., allowed_objects="all")` knows LangChain's own classes only; users pass `allowed_objects=[...]`."""
    loading: Any = sys.modules["langchain_core.load.load"]
    name = tuple(ChatHfInference.lc_id())
    monkeypatch.setitem(loading.ALL_SERIALIZABLE_MAPPINGS, name, (*ChatHfInference.__module__.split("."), name[-1]))
    monkeypatch.setattr(loading, "_default_class_paths_cache", {})


def bare(headers: Any) -> None:
    for name in [name for name in headers if name.lower() not in KEPT]:
        del headers[name]


def bare_request(request: Any) -> Any:
    """What is recorded of a request: nothing that changes from run to run."""
    bare(request.headers)
    request.uri = re.sub(r":\d+/", ":8000/", request.uri)
    return request


def bare_response(response: Any) -> Any:
    bare(response["headers"])
    return response


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    return {
        "match_on": ["method", "path", "body"],
        "allow_playback_repeats": True,
        "before_record_request": bare_request,
        "before_record_response": bare_response,
    }


@pytest.fixture
def default_cassette_name() -> str:
    return "stream_time"


class Flags:
    """What the suite asks of a model: everything."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatHfInference

    @property
    def has_tool_calling(self) -> bool:
        return True

    @property
    def has_tool_choice(self) -> bool:
        return True

    @property
    def has_structured_output(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_video_inputs(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[Any, Any]:
        return {"invoke": DETAILS, "stream": DETAILS}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str | None:
        return "org/other:provider"


class TestUnit(Flags, ChatModelUnitTests):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "org/model"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"HF_TOKEN": "api_key"}, {"model": "org/model"}, {"api_key": "api_key"}


class TestDefault(Flags, ChatModelIntegrationTests):
    """The method of structured output is the model's own choice."""

    server: ScriptedServer

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def serving(cls) -> Iterator[None]:
        with ScriptedServer(tool_media=False) as cls.server:
            yield

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "org/model", "base_url": self.server.url, "api_key": "hf_test"}

    def said(self, model: str, messages: list[Any], stream: bool) -> AIMessage:
        made = chat(**{**self.chat_model_params, "model": model})
        return added_up(made.stream(messages)) if stream else made.invoke(messages)

    def invoke_with_audio_input(self, *, stream: bool = False) -> AIMessage:
        audio: Any = {"type": "audio", "mime_type": "audio/wav", "base64": base64.b64encode(WAV).decode()}
        return self.said("org/model", [HumanMessage([{"type": "text", "text": "Listen:"}, audio])], stream)

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self.said("org/reasoner", [HumanMessage("Hello")], stream)

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        return self.said("org/model", [SystemMessage("Be kind."), HumanMessage("Hello")], stream)


class TestJsonSchema(TestDefault):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


class TestFunctionCalling(TestDefault):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}


class TestJsonMode(TestDefault):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_mode"}


@pytest.mark.parametrize("suite", [TestUnit, TestDefault, TestJsonSchema, TestFunctionCalling, TestJsonMode])
def test_every_flag_is_on(suite: type[Flags]) -> None:
    flags = [name for name in dir(suite) if name.startswith(("has_", "supports_", "returns_", "enable_"))]
    assert len(flags) == 15
    assert [name for name in flags if getattr(suite(), name) is not True] == []
