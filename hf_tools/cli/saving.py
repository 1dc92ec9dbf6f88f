"""Media of answers: which task gives any, and where they are written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args, get_origin, get_type_hints

from hf_tools.loose import items
from hf_tools.media import Media

PARTS = ("blob", "mask", "depth")
"""Properties of answers that are media, decoded from what came under the same name."""
FILES = {"image": "out.png", "audio": "out.wav", "video": "out.mp4"}
NOUNS = {"image": "an image", "audio": "a sound", "video": "a video"}
STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Gives:
    """The media that a task gives."""

    kind: str
    """image, audio or video."""
    several: bool
    """Whether there may be more than one."""
    labelled: bool
    """Whether the answer says something without them."""

    @property
    def file(self) -> str:
        """The file of an example."""
        return FILES[self.kind]

    @property
    def help(self) -> str:
        """What `-o` does."""
        more = "several get numbers" if self.several else "- for stdout"
        return f"the file for {NOUNS[self.kind]}; it gets its type's suffix if it has none; {more}"


def gives(form: Any) -> Gives | None:
    """The media that a task's answer has, as its annotation says; None where it has none."""
    hint = get_type_hints(form.decode)["return"]
    several = get_origin(hint) is list
    item: Any = get_args(hint)[0] if several else hint
    bases: tuple[type, ...] = getattr(item, "__mro__", ())
    if Media in bases:
        return Gives(item.kind, several, labelled=False)
    for name in PARTS:
        if part := getattr(item, name, None):
            kind = get_type_hints(part.func)["return"].kind
            return Gives(kind, several, "score" in item.model_fields)
    return None


def mistake(media: Gives, output: str | None, as_json: bool) -> str | None:
    """What is wrong with where the answer is to go; None where it can go there. Asked before anything is sent."""
    if output is None:
        if not media.labelled and sys.stdout.isatty():
            return f"the answer is {NOUNS[media.kind]}, which a terminal cannot show: say with -o FILE where it goes"
        if media.several and not media.labelled and not as_json:
            return "the answer may be several files: say with -o FILE where they go"
        return None
    if output == STDOUT:
        if media.several or as_json:
            return "-o - is for one file alone: give -o FILE"
        return "-o - would write bytes to a terminal: give -o FILE" if sys.stdout.isatty() else None
    path = Path(output)
    if not output or path.is_dir():
        return f"-o {output!r} is a directory: name a file in it"
    return None if path.parent.is_dir() else f"-o {output!r}: there is no directory {str(path.parent)!r}"


def media_of(answer: Any) -> Iterator[Media]:
    """The media of an answer, in its order."""
    if isinstance(answer, Media):
        yield answer
    elif isinstance(answer, list):
        for each in items(cast(object, answer)):
            yield from media_of(each)
    else:
        for name in PARTS:
            if getattr(answer, f"encoded_{name}", None) is not None:
                yield getattr(answer, name)


@dataclass(slots=True)
class Saver:
    """Writes the media of one answer: one under the name given, several under numbered names."""

    output: str | None
    total: int
    """How many there are in all."""
    written: int = 0

    def save(self, media: Media) -> Path | None:
        """Write the next one to its file; the path, or None where no file was named."""
        if self.output is None or self.output == STDOUT:
            return None
        path = Path(self.output)
        self.written += 1
        if self.total > 1:
            path = path.with_name(f"{path.stem}-{self.written}{path.suffix}")
        path = media.save(path)
        sys.stderr.write(f"wrote {path} ({media.mime_type}, {len(media):,} bytes)\n")
        return path

    def about(self, media: Media) -> dict[str, Any]:
        """The media for JSON: with its file, or with its bytes in base64 where there is none and no terminal."""
        told: dict[str, Any] = {"type": media.kind, "mime_type": media.mime_type, "bytes": len(media)}
        if path := self.save(media):
            return {**told, "file": str(path)}
        return told if sys.stdout.isatty() else {**told, "base64": media.base64}
