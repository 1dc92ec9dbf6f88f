"""Any request: what has no task of its own, or a task's raw form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Any, ClassVar

from hf_tools.inputs import Object, TaskName
from hf_tools.loose import rows
from hf_tools.media import Media, media_from
from hf_tools.media.sources import AnyInput, read
from hf_tools.task import SERVERS, Body, Reply, Route, Server, Streamed, cannot
from hf_tools.tasks.decoding import StreamDecoder
from hf_tools.wire import as_json, read_json


class Request(Streamed[Any, Any]):
    """Send raw `inputs` or `data`; the answer is the JSON value as it came, media, or bytes for other content.

    A stream yields the JSON value of each event.
    """

    name: ClassVar[str] = "request"
    servers: ClassVar[frozenset[Server]] = frozenset(SERVERS)

    _: KW_ONLY
    inputs: Any = None
    """The `inputs` of the JSON body, any JSON value."""
    data: AnyInput | None = None
    """Raw bytes, a path, URL or file object that is the whole body; not together with `inputs`."""
    parameters: Object | None = None
    """The `parameters` of the JSON body."""
    task: TaskName | None = None
    """Name of a pipeline: the path `/pipeline/{task}` is added on hf-inference."""
    task_hint: TaskName | None = None
    """Name of a task whose recommended model is used where no model is given."""
    include_credentials: bool = True
    """Send the token."""

    def __post_init__(self) -> None:
        if self.data is None and self.inputs is None:
            raise ValueError("give `inputs` (JSON) or `data` (bytes)")
        if self.data is not None and (self.inputs is not None or self.parameters is not None):
            raise ValueError("`data` is the whole body: `inputs` and `parameters` cannot go with it")

    def encode(self, route: Route) -> Body:
        path = f"/pipeline/{self.task}" if self.task and route.server == "hf-inference" else ""
        if self.data is not None:
            if route.stream:
                raise cannot(self, route, "a stream with raw `data`", "Pass `inputs`")
            media = read(self.data)
            return Body(media.data, media.mime_type, path)
        body: dict[str, Any] = {"inputs": self.inputs}
        if self.parameters is not None:
            body["parameters"] = dict(self.parameters)
        if route.stream:
            body["stream"] = True
        if route.options:
            body["options"] = dict(route.options)
        return as_json(body, path=path)

    def decode(self, reply: Reply) -> Any:
        start = reply.content.lstrip()[:1]
        if not start or start in (b"{", b"[") or reply.content_type.endswith(("json", "html")):
            return read_json(reply)
        media = media_from(reply.content, reply.content_type)
        return reply.content if type(media) is Media else media

    def decoder(self, head: Reply) -> RawDecoder:
        return RawDecoder(head, self.decode)


class RawDecoder(StreamDecoder[Any, Any]):
    """Hands on the JSON value of each event; events of an unknown kind have no terminal mark but the end."""

    def __init__(self, head: Reply, whole: Any) -> None:
        super().__init__(head, whole)
        self._values: list[Any] = []

    def part(self, value: dict[str, Any]) -> Sequence[Any]:
        self._values.append(value)
        known = "token" in value or "choices" in value
        ended = isinstance(value.get("generated_text"), str) or any(
            choice.get("finish_reason") for choice in rows(value.get("choices"))
        )
        self.finished = ended or self.finished or not known
        return [value]

    def parts_of(self, answer: Any) -> Sequence[Any]:
        return [answer]

    def assembled(self) -> list[Any]:
        return self._values
