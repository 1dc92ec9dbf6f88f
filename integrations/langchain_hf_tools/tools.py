"""A task as a tool that an agent can call."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any, Literal, Self, cast

from langchain_core.tools import BaseTool, ToolException
from pydantic import ConfigDict, Field, PrivateAttr, ValidationError

from hf_tools import AsyncHfInference, HfInference, Response
from hf_tools.catalogue import catalogue
from hf_tools.errors import InputError, shown
from hf_tools.methods import signature
from hf_tools.providers import is_url
from hf_tools.task import Task
from langchain_hf_tools._connecting.checked import Checked
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools._tools import render, schema, told


@functools.cache
def _tasks() -> Mapping[str, Any]:
    return dict(catalogue())


def _task(name: object) -> Any:
    """The class of a task; InputError with the nearest names for one that there is not."""
    kind = _tasks().get(name) if isinstance(name, str) else None
    if kind is None:
        near = difflib.get_close_matches(str(name), _tasks()) or list(_tasks())
        raise InputError(f"`task` = {shown(repr(name), 60)}: there is no such task", hint=f"Try {', '.join(near)}")
    return kind


def _refused(error: Any) -> str:
    """What is wrong with the arguments, without their values, for the model to read."""
    assert isinstance(error, ValidationError)
    problems = [f"`{'.'.join(map(str, one['loc']))}`: {one['msg']}" for one in error.errors(include_url=False)]
    return f"The arguments do not fit: {shown('; '.join(problems), 500)}. Correct them and call again."


class HfInferenceTool(Checked, BaseTool):
    """One inference task as a tool.

    HfInferenceTool("summarization", HfInference(model="facebook/bart-large-cnn")).invoke({"text": "..."})

    The content is a short text; the artifact is `{"task", "model", "provider", "answer"}`, JSON with the whole answer
    (media as base64, vectors as lists). What goes wrong is an answer that tells the model what it may do about it, not
    the end of the agent; the error itself is the cause of the ToolException. InputError for wrong arguments here.
    `expose_model` lets the model choose among models of the Hub by their ID.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    task: str
    """Name of the task's method, such as `summarization`."""
    model: str | None = None
    """The model to ask; without it that of the client, else one that the Hub recommends."""
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    clients: Clients = Field(exclude=True, repr=False)
    """Whom the tool asks."""

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
        kind = _task(task)
        if not isinstance(cast(object, expose_model), bool):
            raise InputError(f"`expose_model` ({type(expose_model).__name__}): must be True or False")
        given: dict[str, Any] = {
            "name": f"hf_{task}",
            "description": schema.described(kind, expose_model=expose_model),
            "args_schema": schema.arguments(kind, expose_model=expose_model),
            "handle_tool_error": True,
            "handle_validation_error": _refused,
            "clients": Clients(client, async_client) if clients is None else clients,
        }
        try:
            super().__init__(**{"task": task, **given, **fields})
        except TypeError as error:  # LangChain's own check
            raise InputError(f"`args_schema`: {shown(error)}") from error
        self._kind = kind

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed; InputError for what the constructor refuses, and for another task."""
        if update and "task" in update:
            raise InputError("`task`: a tool keeps its task", hint="Make another HfInferenceTool")
        return super().model_copy(update=update, deep=deep)

    def _run(self, *args: Any, **kwargs: Any) -> tuple[str, dict[str, Any]]:
        client = self.clients.blocking
        try:
            return self._answer(client.respond(self._asked(args, kwargs)))
        except Exception as error:  # whatever it is, an agent goes on
            raise ToolException(told.told(error, self.args)) from error

    async def _arun(self, *args: Any, **kwargs: Any) -> tuple[str, dict[str, Any]]:
        client = self.clients.awaiting
        try:
            return self._answer(await client.respond(self._asked(args, kwargs)))
        except Exception as error:  # whatever it is, an agent goes on
            raise ToolException(told.told(error, self.args)) from error

    def _asked(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Task[Any]:
        """The task with these arguments; InputError for what a model must not write."""
        first = dict(zip(signature(self._kind).parameters, args, strict=False))  # a bare text is the first argument
        given = {name: value for name, value in {**first, **kwargs}.items() if value is not None}
        for name in schema.MEDIA.keys() & given.keys():
            if not isinstance(given[name], str) or given[name][:5].lower() != "data:":
                form = f"(data:{name}/<type>;base64,<data>), no path and no URL"
                value = shown(repr(given[name]), 60)
                raise InputError(f"{self.task}: `{name}` = {value}: only a data: URI is taken here {form}")
        model = given.setdefault("model", self.model)
        if "model" in kwargs and isinstance(model, str) and is_url(model):
            raise InputError(f"{self.task}: `model` = {shown(repr(model), 60)}: only a model ID is taken here")
        task: Task[Any] = self._kind(**given)
        return task

    def _answer(self, response: Response[Any]) -> tuple[str, dict[str, Any]]:
        answer = response.answer
        artifact = {
            "task": self.task, "model": response.route.model, "provider": response.provider,
            "answer": render.plain(answer),
        }  # fmt: skip
        return render.text(answer), artifact
