"""Media of the conversation for the tools: what a user attached to a message gets a handle that a model can write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, get_args

from langchain_core.messages import AnyMessage, HumanMessage

from hf_tools.errors import HfError, InputError, MissingExtra, shown
from hf_tools.loose import table
from hf_tools.media import Audio, Image, Media, Text, Video
from hf_tools.media.content import typed
from hf_tools.media.store import MediaRef

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "langchain":
        raise
    raise MissingExtra("HfMediaMiddleware needs langchain 1: pip install langchain") from error

__all__ = ["Blocks", "HfMediaMiddleware"]

Blocks = Literal["auto", "keep", "replace"]
"""Whether the chat model still gets the media themselves."""
Block = Mapping[str, Any]

KINDS: Mapping[str, type[Media]] = {
    "image": Image, "image_url": Image, "audio": Audio, "audio_url": Audio, "input_audio": Audio,
    "video": Video, "video_url": Video, "file": Media, "document": Media, "media": Media, "text-plain": Text,
}  # fmt: skip
"""What each type of block holds, in LangChain's form, OpenAI's, Anthropic's or Gemini's."""
NOUNS = {"image": "picture", "audio": "sound", "video": "film", "text": "text"}
"""What a model is told a medium is, by the first half of its type."""


class Toolkit(Protocol):
    """What keeps the media: `HfInferenceToolkit`."""

    def add_media(self, value: Any, *, name: str | None = None) -> MediaRef:
        """Keep a medium under a handle."""
        ...


class HfMediaMiddleware(AgentMiddleware[AgentState[Any], Any, Any]):
    """Gives the media in the user's messages to the tools of a toolkit, and tells the model their handles.

    create_agent(model, toolkit.get_tools(), middleware=[HfMediaMiddleware(toolkit)])

    After each picture, sound, film or file that a message carries as base64 or as a data: URI stands, in the request to
    the model alone, a line such as `[picture hf-media://3f9a….png, 640×480 px]`. The state of the agent stays as it is;
    the same content always gets the same handle. URLs are left alone. What cannot be kept stays where it is, with a
    line that says why.

    `blocks` says whether the model still gets the media: "keep", "replace", or "auto", which replaces those that the
    model's profile says it cannot take. InputError for other values.
    """

    def __init__(self, toolkit: Toolkit, *, blocks: Blocks = "auto") -> None:
        super().__init__()
        if blocks not in get_args(Blocks):
            raise InputError(f"`blocks` = {shown(repr(blocks), 60)}: must be one of {', '.join(get_args(Blocks))}")
        if not callable(getattr(toolkit, "add_media", None)):
            raise InputError(f"`toolkit` has no add_media: {type(toolkit).__name__}", hint="Pass a HfInferenceToolkit")
        self._toolkit = toolkit
        self._blocks: Blocks = blocks

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Ask the model with the handles in the messages."""
        return handler(self._told(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Ask the model with the handles in the messages; a store may write files, which a thread does."""
        return await handler(await asyncio.to_thread(self._told, request))

    def _told(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        profile: Mapping[str, Any] = request.model.profile or {}
        messages = [self._message(message, profile) for message in request.messages]
        return request.override(messages=messages) if messages != request.messages else request

    def _message(self, message: AnyMessage, profile: Mapping[str, Any]) -> AnyMessage:
        if not isinstance(message, HumanMessage) or isinstance(message.content, str):
            return message
        content = [part for block in message.content for part in self._parts(block, profile)]
        return message.model_copy(update={"content": content})

    def _parts(self, block: str | dict[str, Any], profile: Mapping[str, Any]) -> Sequence[str | dict[str, Any]]:
        """The block, the line about it, or both."""
        found = None if isinstance(block, str) else carried(block)
        if isinstance(block, str) or found is None:
            return [block]
        try:
            media = typed(found.media(), f"the {block['type']} block")
            ref = self._toolkit.add_media(media, name=found.name)
        except HfError as error:
            return [block, {"type": "text", "text": f"[the tools cannot be given this: {error.message}]"}]
        line = {"type": "text", "text": told(ref)}
        return [line] if self._replaced(ref, profile) else [block, line]

    def _replaced(self, ref: MediaRef, profile: Mapping[str, Any]) -> bool:
        if self._blocks != "auto":
            return self._blocks == "replace"
        kind = ref.mime_type.partition("/")[0]
        # of files a profile knows PDF alone
        return profile.get(f"{kind}_inputs" if kind in ("image", "audio", "video") else "pdf_inputs") is False


class Carried(NamedTuple):
    """The bytes in a block: base64 or a data: URI, with the type and the file name that the block tells."""

    kind: type[Media]
    data: str
    mime: str
    name: str | None

    def media(self) -> Media:
        """The bytes as media; MediaError for broken base64."""
        kind = Audio if self.kind is Media and self.mime.startswith("audio/") else self.kind
        media = kind.from_base64(self.data)
        return kind(media.data, self.mime) if self.mime else media


def carried(block: Block) -> Carried | None:
    """What bytes a block carries; None for one without any, as text, URLs, and handles are."""
    kind = str(block.get("type"))
    source, inner = table(block.get("source")), block.get(kind)
    if kind not in KINDS or source.get("type") == "text":
        return None
    about = {**block, **source, **({"url": inner} if isinstance(inner, str) else table(inner))}
    url = about.get("url")
    inline = url if isinstance(url, str) and url[:5].lower() == "data:" else None
    data = about.get("base64") or about.get("data") or about.get("file_data") or inline
    if not isinstance(data, str):
        return None
    mime = about.get("mime_type") or about.get("media_type")
    wheres = (about, table(block.get("extras")), table(block.get("metadata")))
    names = (each.get(key) for each in wheres for key in ("filename", "name", "title"))
    name = next((name for name in names if name and isinstance(name, str)), None)
    return Carried(KINDS[kind], data, mime if isinstance(mime, str) else "", name)


def told(ref: MediaRef) -> str:
    """What a model is told of a medium: what it is, the handle, and what is known of name, size and length."""
    what = NOUNS.get(ref.mime_type.partition("/")[0], "document")
    measures = f"{ref.width}×{ref.height} px" if ref.width else f"{ref.seconds:.1f} s" if ref.seconds else None
    return f"[{', '.join(part for part in (f'{what} {ref.handle}', ref.name, measures) if part)}]"
