"""A task as a tool that an agent can call."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.tools import BaseTool, ToolException
from pydantic import PrivateAttr, ValidationError

from hf_tools import AsyncHfInference, HfInference, Response
from hf_tools.catalogue import catalogue
from hf_tools.errors import HfError, InputError, shown
from hf_tools.methods import signature
from hf_tools.providers import is_url
from hf_tools.task import Task
from langchain_hf_tools import _render, _schema
from langchain_hf_tools._clients import Clients


@functools.cache
def _tasks() -> Mapping[str, Any]:
    return dict(catalogue())


def _refused(error: Any) -> str:
    """What is wrong with the arguments, without their values, for the model to read."""
    assert isinstance(error, ValidationError)
    problems = [f"`{'.'.join(map(str, one['loc']))}`: {one['msg']}" for one in error.errors(include_url=False)]
    return f"The arguments do not fit: {shown('; '.join(problems), 500)}. Correct them and call again."


class HfInferenceTool(BaseTool):
    """One inference task as a tool.

    HfInferenceTool("summarization", HfInference(model="facebook/bart-large-cnn")).invoke({"text": "..."})

    The content is a short text; the artifact is `{"task", "model", "provider", "answer"}`, JSON with the whole answer
    (media as base64, vectors as lists). What goes wrong is an answer that says so; it does not end the agent.
    `expose_model` lets the model choose among models of the Hub by their ID.
    """

    task: str
    """Name of the task's method, such as `summarization`."""
    model: str | None = None
    """The model to ask; without it that of the client, else one that the Hub recommends."""
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"

    _clients: Clients = PrivateAttr()
    _kind: Any = PrivateAttr()

    def __init__(
        self,
        task: str,
        client: HfInference | None = None,
        *,
        async_client: AsyncHfInference | None = None,
        expose_model: bool = False,
        clients: Clients | None = None,
        **fields: Any,
    ) -> None:
        kind = _tasks().get(task)
        if kind is None:
            near = difflib.get_close_matches(task, _tasks()) or list(_tasks())
            raise InputError(f"`task` = {shown(repr(task), 60)}: there is no such task", hint=f"Try {', '.join(near)}")
        given: dict[str, Any] = {
            "name": f"hf_{task}",
            "description": _schema.described(kind, expose_model=expose_model),
            "args_schema": _schema.arguments(kind, expose_model=expose_model),
            "handle_tool_error": True,
            "handle_validation_error": _refused,
        }
        super().__init__(task=task, **{**given, **fields})
        self._kind = kind
        self._clients = Clients(client, async_client) if clients is None else clients

    def _run(self, *args: Any, **kwargs: Any) -> tuple[str, dict[str, Any]]:
        client = self._clients.blocking
        try:
            return self._answer(client.respond(self._asked(args, kwargs)))
        except HfError as error:
            raise ToolException(str(error)) from error

    async def _arun(self, *args: Any, **kwargs: Any) -> tuple[str, dict[str, Any]]:
        client = self._clients.awaiting
        try:
            return self._answer(await client.respond(self._asked(args, kwargs)))
        except HfError as error:
            raise ToolException(str(error)) from error

    def _asked(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Task[Any]:
        """The task with these arguments; InputError for what a model must not write."""
        first = dict(zip(signature(self._kind).parameters, args, strict=False))  # a bare text is the first argument
        given = {name: value for name, value in {**first, **kwargs}.items() if value is not None}
        for name in _schema.MEDIA.keys() & given.keys():
            if not isinstance(given[name], str) or given[name][:5].lower() != "data:":
                raise InputError(
                    f"{self.task}: `{name}` = {shown(repr(given[name]), 60)}: only a data: URI is taken here",
                    hint=f"Write data:{name}/<type>;base64,<data>; paths and URLs are refused",
                )
        model = given.setdefault("model", self.model)
        if "model" in kwargs and isinstance(model, str) and is_url(model):
            raise InputError(f"{self.task}: `model` = {shown(repr(model), 60)}: only a model ID is taken here")
        task: Task[Any] = self._kind(**given)
        return task

    def _answer(self, response: Response[Any]) -> tuple[str, dict[str, Any]]:
        answer = response.answer
        artifact = {
            "task": self.task, "model": response.route.model, "provider": response.provider,
            "answer": _render.plain(answer),
        }  # fmt: skip
        return _render.text(answer), artifact
