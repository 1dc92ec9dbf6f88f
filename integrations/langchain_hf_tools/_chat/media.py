"""Content blocks as parts of a message: LangChain's standard blocks, OpenAI's and Anthropic's, in OpenAI's form.

Beyond OpenAI's own parts, `audio_url` and `video_url` are the forms of vLLM and SGLang.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hf_tools.errors import InputError, shown
from hf_tools.loose import table
from hf_tools.media import Media
from hf_tools.media.refs import HANDLE

Block = Mapping[str, Any]
Part = dict[str, Any]

FORMATS = {
    "mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-flac": "flac", "mp4": "m4a", "x-m4a": "m4a",
}  # fmt: skip
"""Audio formats by the second half of their media type, where the two differ."""
DEFAULT_TYPES = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "file": "application/pdf"}
"""Media types where a block does not tell its own."""


class Parts:
    """Makes parts out of blocks; `store` has the media behind handles, and may be None."""

    def __init__(self, store: Any = None) -> None:
        self._store = store

    def knows(self, block: Block) -> bool:
        """Whether there is a part for this kind of block."""
        return block.get("type") in WRITERS

    def part(self, block: Block) -> Part:
        """The block as a part; InputError for one that cannot be sent."""
        kind: Any = block.get("type")
        if kind not in WRITERS:
            known = ", ".join(sorted(WRITERS))
            raise InputError(f"content of the type {shown(repr(kind), 60)} cannot be sent", hint=f"Known are {known}")
        return WRITERS[kind](self, block)

    def text(self, block: Block) -> Part:
        """A block of text."""
        return _text(block)

    def refusal(self, block: Block) -> Part:
        """What a model said instead of an answer."""
        return _text({"text": block.get("refusal", "")})

    def sound(self, block: Block) -> Part:
        """Sound in OpenAI's own form."""
        return dict(block)

    def image(self, block: Block) -> Part:
        """A picture."""
        more = {"detail": block["detail"]} if "detail" in block else {}
        return {"type": "image_url", "image_url": {"url": self._address(block, "image"), **more}}

    def video(self, block: Block) -> Part:
        """A video."""
        return {"type": "video_url", "video_url": {"url": self._address(block, "video")}}

    def audio(self, block: Block) -> Part:
        """Sound, as data or as an address."""
        address = self._address(block, "audio")
        if not address.startswith("data:"):
            return {"type": "audio_url", "audio_url": {"url": address}}
        head, _, data = address.partition(",")
        subtype = head[5:].partition(";")[0].partition("/")[2].lower()
        return {"type": "input_audio", "input_audio": {"data": data, "format": FORMATS.get(subtype, subtype)}}

    def file(self, block: Block) -> Part:
        """A file, in one of several forms."""
        if "file" in block:  # as OpenAI has it
            inner = table(block["file"])
            data = inner.get("file_data")
            found = {"file_data": self._found(data)} if isinstance(data, str) else {}
            return {"type": "file", "file": {**inner, **found}}
        number = block.get("file_id") or table(block.get("source")).get("file_id")
        if number:
            return {"type": "file", "file": {"file_id": number}}
        extras = table(block.get("extras"))
        name = block.get("filename") or extras.get("filename") or block.get("name") or block.get("title")
        # servers refuse a file without a name
        return {
            "type": "file",
            "file": {"filename": name or "file", "file_data": self._address(block, "file")},
        }

    def media(self, block: Block) -> Part:
        """Gemini's form: any kind of medium, told by its type."""
        kind = str(block.get("mime_type", "")).partition("/")[0]
        known: dict[str, Callable[[Block], Part]] = {"image": self.image, "audio": self.audio, "video": self.video}
        return known.get(kind, self.file)({"url": block.get("file_uri"), **block})

    def document(self, block: Block) -> Part:
        """A document, as Anthropic has it."""
        source = table(block.get("source"))
        return _text(source | {"text": source.get("data")}) if source.get("type") == "text" else self.file(block)

    def plain(self, block: Block) -> Part:
        """A text as a file."""
        if "text" in block:
            return _text(block)
        if "base64" in block:
            media = Media.from_base64(str(block["base64"]))
            return {"type": "text", "text": media.data.decode("utf-8", "replace")}
        return self.file({"mime_type": "text/plain", **block})

    def url(self, block: Block) -> Part:
        """OpenAI's own form; a bare text instead of an object is put right."""
        kind = str(block["type"])
        inner = block.get(kind)
        about = {"url": inner} if isinstance(inner, str) else table(inner)
        if not isinstance(about.get("url"), str):
            raise InputError(f"a block of the type {kind} has no `url`")
        return {"type": kind, kind: {**about, "url": self._found(about["url"])}}

    def _address(self, block: Block, kind: str) -> str:
        """The URL of a medium, a data: URI for one that is given as base64."""
        source = table(block.get("source"))
        url = block.get("url") or source.get("url")
        data = block.get("base64") or block.get("data") or source.get("data")
        if isinstance(url, str):
            return self._found(url)
        if isinstance(data, str):
            mime = block.get("mime_type") or source.get("media_type") or DEFAULT_TYPES[kind]
            return f"data:{mime};base64,{data}"
        if block.get("file_id"):
            raise InputError(f"{kind}: a `file_id` cannot be sent here", hint="Give its url or base64")
        raise InputError(f"{kind}: the block has neither `url` nor `base64`")

    def _found(self, url: str) -> str:
        """The URL, or for a handle the medium itself."""
        if not url.startswith(HANDLE):
            return url
        if self._store is None:
            raise InputError(f"{shown(url, 80)} is a handle, and this model has no store", hint="Pass `media_store`")
        try:
            media = self._store.get(url)
        except KeyError:
            media = None
        if not isinstance(media, Media):
            raise InputError(f"`media_store` has nothing under {shown(url, 80)}")
        return media.data_uri


def _text(block: Block) -> Part:
    text = block.get("text", "")
    if not isinstance(text, str):
        raise InputError(f"a block of text holds {type(text).__name__}, not text")
    return {"type": "text", "text": text}


WRITERS: Mapping[str, Callable[[Parts, Block], Part]] = {
    "text": Parts.text, "text-plain": Parts.plain, "refusal": Parts.refusal,
    "image": Parts.image, "audio": Parts.audio, "video": Parts.video, "file": Parts.file,
    "document": Parts.document, "media": Parts.media,
    "image_url": Parts.url, "audio_url": Parts.url, "video_url": Parts.url, "input_audio": Parts.sound,
}  # fmt: skip
"""What writes each kind of block."""
