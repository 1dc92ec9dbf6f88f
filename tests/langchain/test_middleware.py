"""What a user attached to a message gets a handle in the request to the model, and nothing else is changed."""

from __future__ import annotations

import base64
import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from pydantic import Field

from hf_tools.errors import InputError, MissingExtra
from hf_tools.media.store import MediaRef, MemoryStore
from langchain_hf_tools import ChatHfInference, middleware
from langchain_hf_tools.middleware import HfMediaMiddleware

AGENTS: Any = importlib.import_module("langchain.agents")  # its types are not fully known
REQUEST: Any = importlib.import_module("langchain.agents.middleware").ModelRequest

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0\x08\2\0\0\0" + bytes(8)).decode()
"""The head of a picture of 640 × 480 pixels."""
WAV = base64.b64encode(
    b"RIFF\x34\x3e\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x10\x3e\0\0" + bytes(15888)
).decode()
MP4 = base64.b64encode(b"\0\0\0\x14ftypisom\0\0\0\0isom").decode()
PDF = base64.b64encode(b"%PDF-1.7\n").decode()
CSV = base64.b64encode(b"a,b\n1,2\n").decode()
PICTURE = {"type": "image", "base64": PNG, "mime_type": "image/png"}
SOUND = {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}


class Kit:
    """The part of a toolkit that keeps media."""

    def __init__(self, max_bytes: int = 2**20) -> None:
        self.store = MemoryStore(max_bytes)

    def add_media(self, value: Any, *, name: str | None = None) -> MediaRef:
        return self.store.put(value, name=name)


class Script(BaseChatModel):
    """A model that keeps what it is asked, and calls the tool `measure` for the first handle that it reads."""

    asked: list[list[BaseMessage]] = Field(default_factory=list[list[BaseMessage]])

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        self.asked.append(messages)
        answer = AIMessage(f"It is {messages[-1].text}")
        if not isinstance(messages[-1], ToolMessage):
            line = lines(messages[0])[0]
            handle = line[line.index("hf-media://") :].split(",")[0].rstrip("]")
            answer = AIMessage("", tool_calls=[{"name": "measure", "args": {"image": handle}, "id": "c1"}])
        return ChatResult(generations=[ChatGeneration(message=answer)])


def blocks_of(message: BaseMessage) -> list[dict[str, Any]]:
    assert isinstance(message.content, list)
    return [block for block in message.content if isinstance(block, dict)]


def lines(message: BaseMessage) -> list[str]:
    return [block["text"] for block in blocks_of(message) if block["type"] == "text" and block["text"][0] == "["]


def agent(kit: Kit, model: BaseChatModel, **options: Any) -> Any:
    @tool
    def measure(image: str) -> str:
        """Tell the size of a picture."""
        ref = kit.store.ref(image)
        return f"{ref.width} wide"

    return AGENTS.create_agent(model, [measure], middleware=[HfMediaMiddleware(kit, **options)])


def told(content: list[Any], kit: Kit | None = None, profile: Any = None, **options: Any) -> list[Any]:
    """The content of a message as the model gets it."""
    script = Script(profile=profile)
    request: Any = REQUEST(model=script, messages=[HumanMessage(content)])
    seen: list[Any] = []

    def handler(changed: Any) -> Any:
        seen.append(changed)
        return AIMessage("")

    HfMediaMiddleware(kit or Kit(), **options).wrap_model_call(request, handler)
    assert request.messages[0].content == content
    return list(seen[0].messages[0].content)


QUESTION = HumanMessage([{"type": "text", "text": "How wide?"}, PICTURE], id="m1")


def check(script: Script, result: Any) -> None:
    """Both requests have the picture with its handle, and the state has neither the line nor another picture."""
    assert result["messages"][-1].content == "It is 640 wide"
    assert result["messages"][0] == QUESTION
    assert len(script.asked) == 2
    for asked in script.asked:
        text, picture, line = blocks_of(asked[0])
        assert (text, picture) == tuple(blocks_of(QUESTION))
        assert line["text"].startswith("[picture hf-media://")
        assert line["text"].endswith(".png, 640×480 px]")
    assert lines(script.asked[0][0]) == lines(script.asked[1][0])


def test_an_agent_gives_a_picture_of_the_user_to_a_tool() -> None:
    kit, script = Kit(), Script()
    check(script, agent(kit, script).invoke({"messages": [QUESTION]}))
    assert len(kit.store.refs()) == 1


async def test_an_agent_gives_a_picture_of_the_user_to_a_tool_async() -> None:
    kit, script = Kit(), Script()
    check(script, await agent(kit, script).ainvoke({"messages": [QUESTION]}))
    assert len(kit.store.refs()) == 1


def uri(mime: str, data: str) -> str:
    return f"data:{mime};base64,{data}"


@pytest.mark.parametrize(
    ("block", "start", "end"),
    [
        (PICTURE, "[picture", ".png, 640×480 px]"),
        ({"type": "image", "url": uri("image/png", PNG)}, "[picture", ".png, 640×480 px]"),
        ({"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"}, "[picture", "480 px]"),
        ({"type": "image_url", "image_url": {"url": uri("image/png", PNG)}}, "[picture", ".png, 640×480 px]"),
        ({"type": "image_url", "image_url": uri("image/png", PNG)}, "[picture", ".png, 640×480 px]"),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}, "[picture", " px]"),
        ({"type": "media", "mime_type": "image/png", "data": PNG}, "[picture", ".png, 640×480 px]"),
        (SOUND, "[sound", ".wav, 2.0 s]"),
        ({"type": "audio", "base64": WAV, "mime_type": "audio/wav"}, "[sound", ".wav, 2.0 s]"),
        ({"type": "audio_url", "audio_url": {"url": uri("audio/wav", WAV)}}, "[sound", ".wav, 2.0 s]"),
        ({"type": "media", "mime_type": "audio/m4a", "data": MP4}, "[sound", ".m4a]"),
        ({"type": "video", "base64": MP4, "mime_type": "video/mp4"}, "[film", ".mp4]"),
        ({"type": "video_url", "video_url": {"url": uri("video/mp4", MP4)}}, "[film", ".mp4]"),
        ({"type": "file", "base64": PDF, "mime_type": "application/pdf"}, "[document", ".pdf]"),
        ({"type": "file", "file": {"file_data": uri("application/pdf", PDF), "filename": "a b.pdf"}},
         "[document", ".pdf, a b.pdf]"),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
          "title": "../../x.pdf"}, "[document", ".pdf, x.pdf]"),
        ({"type": "file", "base64": CSV, "mime_type": "text/csv", "extras": {"filename": "t.csv"}},
         "[text", ".csv, t.csv]"),
        ({"type": "file", "source_type": "base64", "data": CSV, "mime_type": "text/csv", "metadata": {"name": "t.csv"}},
         "[text", ".csv, t.csv]"),
        ({"type": "text-plain", "base64": CSV, "mime_type": "text/csv"}, "[text", ".csv]"),
    ],
)  # fmt: skip
def test_each_form_of_a_block(block: dict[str, Any], start: str, end: str) -> None:
    kit = Kit()
    kept, line = told([block], kit)
    assert kept == block
    (ref,) = kit.store.refs()
    assert line["type"] == "text"
    assert line["text"].startswith(f"{start} {ref.handle}")
    assert line["text"].endswith(end)


@pytest.mark.parametrize(
    "block",
    [
        "text without a block",
        {"type": "text", "text": "hi"},
        {"type": "image", "url": "https://example.org/a.png"},
        {"type": "image_url", "image_url": {"url": "hf-media://00112233445566aa.png"}},
        {"type": "image_url", "image_url": "https://example.org/a.png"},
        {"type": "file", "file_id": "f1"},
        {"type": "document", "source": {"type": "text", "data": "plain", "media_type": "text/plain"}},
        {"type": "image", "base64": 7},
        {"type": "reasoning", "reasoning": "hm"},
        {"no": "type"},
    ],
)
def test_what_carries_no_bytes_is_left_alone(block: Any) -> None:
    kit = Kit()
    assert told([block], kit) == [block]
    assert kit.store.refs() == []


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "image", "base64": "!!"}, "[the tools cannot be given this: not valid base64: !!]"),
        ({"type": "image", "url": "data:image/svg+xml,x"},
         "[the tools cannot be given this: a data: URI must be base64]"),
        ({"type": "image", "base64": PDF},
         "[the tools cannot be given this: the image block is application/pdf, not image]"),
        ({"type": "file", "base64": base64.b64encode(b"<svg/>").decode()},
         "[the tools cannot be given this: the file block is SVG, which is not media]"),
        ({"type": "audio", "base64": WAV},
         "[the tools cannot be given this: the media has 15,932 bytes, and the store keeps 1,000]"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_stays_with_the_reason(block: dict[str, Any], text: str) -> None:
    assert told([block], Kit(1000), blocks="replace") == [block, {"type": "text", "text": text}]


def left(profile: Any, **options: Any) -> list[str]:
    """The kinds of the blocks that the model still gets."""
    film = {"type": "video", "base64": MP4, "mime_type": "video/mp4"}
    file = {"type": "file", "base64": PDF, "mime_type": "application/pdf"}
    got = told([PICTURE, SOUND, film, file], profile=profile, **options)
    assert len([block for block in got if block["type"] == "text"]) == 4
    return [block["type"] for block in got if block["type"] != "text"]


ALL = ["image", "input_audio", "video", "file"]


@pytest.mark.parametrize(
    ("profile", "kept"),
    [
        (None, ALL),
        ({}, ALL),
        ({"image_inputs": True, "audio_inputs": False}, ["image", "video", "file"]),
        ({"image_inputs": False, "video_inputs": False, "pdf_inputs": False}, ["input_audio"]),
    ],
)
def test_auto_replaces_what_the_profile_says_the_model_cannot_take(profile: Any, kept: list[str]) -> None:
    assert left(profile) == kept


def test_keep_and_replace_do_not_ask_the_profile() -> None:
    assert left({"image_inputs": False}, blocks="keep") == ALL
    assert left({"image_inputs": True}, blocks="replace") == []


def test_the_embedded_model_reads_lines_alone() -> None:
    with ChatHfInference(provider="local") as model:
        assert left(model.profile) == []


def test_a_request_without_media_is_passed_on_as_it_is() -> None:
    said: list[Any] = [
        HumanMessage("hi"), AIMessage([PICTURE]), ToolMessage([PICTURE], tool_call_id="c1"), HumanMessage(["text"]),
    ]  # fmt: skip
    request: Any = REQUEST(model=Script(), messages=said)
    same: Any = HfMediaMiddleware(Kit()).wrap_model_call(request, lambda changed: cast("Any", changed))
    assert same is request


def test_wrong_settings_are_told() -> None:
    wrong: Any = "drop"
    with pytest.raises(InputError, match=r"^`blocks` = 'drop': must be one of auto, keep, replace$"):
        HfMediaMiddleware(Kit(), blocks=wrong)
    nothing: Any = object()
    with pytest.raises(InputError, match=r"^`toolkit` has no add_media: object"):
        HfMediaMiddleware(nothing)


class Without:
    """A finder for which one module is missing, because of another."""

    def __init__(self, missing: str) -> None:
        self.missing = missing

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name == REQUEST.__module__.removesuffix(".types"):
            raise ModuleNotFoundError("gone", name=self.missing)


@pytest.mark.parametrize(
    ("missing", "expected", "said"),
    [
        ("langchain", MissingExtra, "HfMediaMiddleware needs langchain 1: pip install langchain"),
        ("langchain.agents", MissingExtra, "HfMediaMiddleware needs langchain 1: pip install langchain"),
        ("langgraph", ModuleNotFoundError, "gone"),
    ],
)
def test_langchain_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, missing: str, expected: type[Exception], said: str
) -> None:
    spec: Any = importlib.util.spec_from_file_location("another_copy", middleware.__file__)
    monkeypatch.delitem(sys.modules, "langchain.agents.middleware")
    monkeypatch.setattr(sys, "meta_path", [Without(missing), *sys.meta_path])
    with pytest.raises(ImportError) as caught:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert (type(caught.value), str(caught.value)) == (expected, said)


def test_the_package_does_not_load_langchain() -> None:
    code = "import langchain_hf_tools, sys\nsys.exit('langchain' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
