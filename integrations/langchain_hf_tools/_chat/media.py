"""Content blocks as parts of a message: LangChain's standard blocks, OpenAI's and Anthropic's, in OpenAI's form.

Beyond OpenAI's own parts, `audio_url` and `video_url` are the forms of vLLM and SGLang.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hf_tools.errors import InputError, shown
from hf_tools.loose import table
from hf_tools.media import Media
from hf_tools.media.store import HANDLE

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
        self._writers: Mapping[str, Callable[[Block], Part]] = {
            "text": _text, "text-plain": self._plain, "refusal": _refusal,
            "image": self._image, "audio": self._audio, "video": self._video, "file": self._file,
            "document": self._document, "media": self._media,
            "image_url": self._url, "audio_url": self._url, "video_url": self._url, "input_audio": dict,
        }  # fmt: skip

    def knows(self, block: Block) -> bool:
        """Whether there is a part for this kind of block."""
        return block.get("type") in self._writers

    def part(self, block: Block) -> Part:
        """The block as a part; InputError for one that cannot be sent."""
        kind: Any = block.get("type")
        if kind not in self._writers:
            known = ", ".join(sorted(self._writers))
            raise InputError(f"content of the type {shown(repr(kind), 60)} cannot be sent", hint=f"Known are {known}")
        return self._writers[kind](block)

    def _image(self, block: Block) -> Part:
        more = {"detail": block["detail"]} if "detail" in block else {}
        return {"type": "image_url", "image_url": {"url": self._address(block, "image"), **more}}

    def _video(self, block: Block) -> Part:
        return {"type": "video_url", "video_url": {"url": self._address(block, "video")}}

    def _audio(self, block: Block) -> Part:
        address = self._address(block, "audio")
        if not address.startswith("data:"):
            return {"type": "audio_url", "audio_url": {"url": address}}
        head, _, data = address.partition(",")
        subtype = head[5:].partition(";")[0].partition("/")[2].lower()
        return {"type": "input_audio", "input_audio": {"data": data, "format": FORMATS.get(subtype, subtype)}}

    def _file(self, block: Block) -> Part:
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

    def _media(self, block: Block) -> Part:
        """Gemini's form: any kind of medium, told by its type."""
        kind = str(block.get("mime_type", "")).partition("/")[0]
        known: dict[str, Callable[[Block], Part]] = {"image": self._image, "audio": self._audio, "video": self._video}
        return known.get(kind, self._file)({"url": block.get("file_uri"), **block})

    def _document(self, block: Block) -> Part:
        source = table(block.get("source"))
        return _text(source | {"text": source.get("data")}) if source.get("type") == "text" else self._file(block)

    def _plain(self, block: Block) -> Part:
        if "text" in block:
            return _text(block)
        if "base64" in block:
            media = Media.from_base64(str(block["base64"]))
            return {"type": "text", "text": media.data.decode("utf-8", "replace")}
        return self._file({"mime_type": "text/plain", **block})

    def _url(self, block: Block) -> Part:
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


def _refusal(block: Block) -> Part:
    return _text({"text": block.get("refusal", "")})
