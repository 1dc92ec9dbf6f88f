"""What bytes are: a picture, a sound, a film or a text, whatever their name or declared type says."""

from __future__ import annotations

from hf_tools.errors import MediaError
from hf_tools.media import Media, Text, media_from, sniff
from hf_tools.media.sniff import EXTENSIONS, TEXTS

_MARKUP = (
    (b"<svg", "SVG"), (b"<!doctype html", "a web page"), (b"<html", "a web page"), (b"%!ps", "PostScript"),
    (b"#extm3u", "a playlist"), (b"<", "XML or HTML"), (b"{\\rtf", "RTF"),
)  # fmt: skip
"""How texts begin that programs draw, play or follow: never media, though they are text."""
_HEAD = 1000
"""Bytes at the beginning that tell what it is."""


def typed(media: Media, where: str) -> Media:
    """The media as its content says; MediaError where that is not the kind of its class."""
    if not media.data:
        raise MediaError(f"{where} is empty")
    if media.kind == "text":
        return _text(media, where)
    if media.kind != "media":
        found = sniff(media.data)
        if found is None or not type(media)(media.data).mime_type.startswith(f"{media.kind}/"):
            raise MediaError(f"{where} is {found or _looks(media.data)}, not {media.kind}", hint=_accepted(media.kind))
        return media
    if sniff(media.data) is not None:
        return media_from(media.data)
    if _markup(media.data):
        raise MediaError(f"{where} is {_looks(media.data)}, which is not media")
    return _text(Text(media.data, media.mime_type), where)


def _text(media: Media, where: str) -> Media:
    try:
        Text(media.data).text  # noqa: B018 - it is read for its error
    except MediaError as error:
        what = sniff(media.data) or "neither a known type of media nor text in UTF-8"
        raise MediaError(f"{where} is {what}, not text", hint=_accepted("text")) from error
    return media


def _looks(data: bytes) -> str:
    return _markup(data) or ("text" if _is_text(data[:_HEAD]) else "of no known type")


def _markup(data: bytes) -> str | None:
    head = data[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<") and b"<svg" in head:
        return "SVG"
    return next((name for start, name in _MARKUP if head.startswith(start)), None)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and bool(head.decode("utf-8", "ignore").encode()[: len(head) - 3] == head[: len(head) - 3])


def _accepted(kind: str) -> str:
    known = TEXTS.values() if kind == "text" else _extensions(kind)
    return f"Accepted are {', '.join(known)}"


def _extensions(kind: str) -> list[str]:
    return [ending for mime, ending in EXTENSIONS.items() if mime.startswith(f"{kind}/")]
