"""A task, or one of the core tools, as a LangChain tool that an agent can call."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NoReturn, Self, cast

from langchain_core.tools import BaseTool, ToolException
from pydantic import ConfigDict, Field, PrivateAttr

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import InputError, shown
from hf_tools.media import Media
from hf_tools.media.policy import MediaPolicy
from hf_tools.media.source import Source
from hf_tools.media.store import MediaStore
from langchain_hf_tools._connecting.checked import Checked
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools._tools import told
from langchain_hf_tools._tools.abilities import Ability, Ask, Result, Work, read
from langchain_hf_tools._tools.arguments import Argument, model_of, understood
from langchain_hf_tools._tools.bench import UNPICKLED, Bench, conversation, key
from langchain_hf_tools._tools.catalogued import task as class_of
from langchain_hf_tools._tools.choosing import ability_of, made_bench, offered
from langchain_hf_tools._tools.content import noted
from langchain_hf_tools._tools.costs import about, cost_class, tags
from langchain_hf_tools._tools.previews import preview
from langchain_hf_tools._tools.progress import told_progress
from langchain_hf_tools.budgets import Budget

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
"""What every provider takes as the name of a tool; Gemini wants a letter or _ first."""


class HfInferenceTool(Checked, BaseTool):
    """One inference task as a tool.

    HfInferenceTool("summarization", HfInference(model="facebook/bart-large-cnn")).invoke({"text": "..."})

    `task` is the name of a task's method, or of a core tool such as `describe_image`. The content is a text of at most
    2,000 characters; the artifact is JSON: `{"task", "model", "provider", "data", "media", "usage", "timings",
    "request_id"}`, where media are told by handle and lie in `store`. What goes wrong is an answer that tells the model
    what it may do about it, not the end of the agent; the error itself is the cause of the ToolException.

    `media` says which media a model may name: handles and small data: URIs, unless it opens more. `parameters`: the
    optional parameters of the task that the model may set, "all" for each that is plain. `expose_model` lets the model
    choose among models of the Hub by their ID. `budget` and `previews` are as in HfInferenceToolkit. InputError for
    wrong arguments.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    task: str
    """Name of the task's method, such as `summarization`, or of a core tool."""
    model: str | None = None
    """The model to ask; without it that of the client, else the default one of the task."""
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    bench: Bench = Field(exclude=True, repr=False)
    """What the tool works with."""

    _ability: Any = PrivateAttr()
    _arguments: tuple[Argument, ...] = PrivateAttr(default=())

    def __init__(
        self,
        task: str,
        client: HfInference | None = None,
        *,
        async_client: AsyncHfInference | None = None,
        store: MediaStore | None = None,
        media: MediaPolicy | None = None,
        budget: Budget | None = None,
        parameters: Iterable[str] | Literal["all"] | None = None,
        expose_model: bool = False,
        previews: bool = False,
        prefix: str = "hf_",
        bench: Bench | None = None,
        **fields: Any,
    ) -> None:
        if bench is None:
            bench = made_bench(Clients(client, async_client), store, media, budget, {}, expose_model, previews)
        ability = ability_of(task, bench, parameters)
        arguments = offered(ability, bench)
        made = _fields(ability, arguments, bench, prefix, chosen=fields.get("model") is not None)
        try:
            super().__init__(**{"task": task, **made, **fields})
        except TypeError as error:  # LangChain's own check of `args_schema`
            raise InputError(f"HfInferenceTool: {shown(error)}") from error
        self._ability, self._arguments = ability, arguments

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed; InputError for what the constructor refuses, and for another task."""
        if update and "task" in update:
            raise InputError("`task`: a tool keeps its task", hint="Make another HfInferenceTool")
        return super().model_copy(update=update, deep=deep)

    def __reduce__(self) -> NoReturn:
        raise TypeError(UNPICKLED.format("HfInferenceTool"))

    # `self` has no name of its own here: a model may write an argument that is called so
    def _run(self, /, *args: Any, **kwargs: Any) -> Any:
        work = self._work(args, kwargs)
        try:
            ask = next(work)
            while True:
                try:
                    reply = self._performed(ask)
                except Exception as error:  # noqa: BLE001 - the work knows what to say
                    ask = work.throw(error)
                else:
                    ask = work.send(reply)
        except StopIteration as stop:
            return stop.value
        finally:
            work.close()

    async def _arun(self, /, *args: Any, **kwargs: Any) -> Any:
        work = self._work(args, kwargs)
        try:
            ask = next(work)
            while True:
                try:
                    reply = await self._aperformed(ask)
                except Exception as error:  # noqa: BLE001 - the work knows what to say
                    ask = work.throw(error)
                else:
                    ask = work.send(reply)
        except StopIteration as stop:
            return stop.value
        finally:
            work.close()

    def _performed(self, ask: Ask) -> Any:
        if callable(ask):
            return ask()
        client = self.bench.clients.blocking
        if isinstance(ask, Source):
            return client.load(ask)
        with self.bench.counted(self.name) as came:
            came(response := told_progress(client, self.name).respond(ask))
        return response

    async def _aperformed(self, ask: Ask) -> Any:
        if callable(ask):
            return await asyncio.to_thread(ask)
        client = self.bench.clients.awaiting
        if isinstance(ask, Source):
            return await client.load(ask)
        with self.bench.counted(self.name) as came:
            came(response := await told_progress(client, self.name).respond(ask))
        return response

    def _work(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Generator[Ask, Any, Any]:
        """The whole of a call; a ToolException with what the model may do about it for whatever goes wrong."""
        names = [each.name for each in self._arguments]
        written = {**dict(zip(names, args, strict=False)), **kwargs}  # a bare text is the first argument
        this, start = key(conversation(), self.name, written), time.monotonic()
        try:
            result = yield from self._asked(written)
            content = yield from self._shown(result)
        except Exception as error:  # whatever it is, an agent goes on
            said = told.told(error, getattr(self._ability, "names", names))
            raise ToolException(told.again(self.bench.attempts.failed(this)) + said) from error
        self.bench.attempts.worked(this)
        result.artifact["timings"]["seconds"] = round(time.monotonic() - start, 3)
        return content if self.response_format == "content" else (content, result.artifact)

    def _asked(self, written: Mapping[str, Any]) -> Work:
        ability = cast(Ability, self._ability)
        given = understood(self._arguments, written)
        chosen = self.model is not None or "model" in given.values
        if not chosen and len(ability.tasks) == 1 and (said := self.bench.unserved(ability.tasks[0])):
            raise told.Unserved(told.USELESS, hint=said)
        try:
            values = yield from read(self.bench, self._arguments, given.values)
            if self.model is not None:
                values.setdefault("model", self.model)
            result = yield from ability.work(self.bench, values)
        except InputError as error:
            for note in given.notes[: told.NOTES]:
                error.add_note(note)
            raise
        result.text = noted(result.text, given.notes)
        return result

    def _shown(self, result: Result) -> Generator[Ask, Any, str | list[str | dict[str, Any]]]:
        """The content, with small copies of pictures where they are wanted."""
        wanted = self.bench.previews or result.shown
        blocks: list[str | dict[str, Any]] = (yield partial(_previews, result.made)) if wanted and result.made else []
        if blocks:
            return [{"type": "text", "text": result.text}, *blocks]
        return f"{result.text} It cannot be shown: it is broken, or of a rare format." if result.shown else result.text


def _previews(made: Sequence[Media]) -> list[dict[str, Any]]:
    return [block for media in made if (block := preview(media)) is not None]


def named(prefix: object, name: str) -> str:
    """The name of a tool; InputError where a provider would refuse it."""
    if not isinstance(prefix, str) or not NAME.fullmatch(f"{prefix}{name}"):
        rule = "must be letters, digits, _ or -, a letter or _ first; a name has at most 64 of them"
        raise InputError(f"`prefix` = {shown(repr(prefix), 60)}: {rule}")
    return f"{prefix}{name}"


def _fields(
    ability: Ability, arguments: tuple[Argument, ...], bench: Bench, prefix: str, *, chosen: bool
) -> dict[str, Any]:
    """The fields of a tool for an ability; `chosen` says that it has a model of its own."""
    name = named(prefix, ability.name)
    cost = cost_class(ability.tasks, local=bench.local or not ability.tasks)
    useless = not chosen and len(ability.tasks) == 1 and bench.unserved(ability.tasks[0])
    said = [
        ability.about,
        about(ability.tasks, local=bench.local),
        f"{told.USELESS}: do not call it." if useless else "",
    ]
    seconds = [class_of(each).deadline for each in ability.tasks]
    return {
        "name": name,
        "description": " ".join(filter(None, said)),
        "args_schema": model_of(ability.name, arguments),
        "handle_tool_error": True,
        "handle_validation_error": told.Refusal(bench, name, tuple(each.name for each in arguments)),
        "bench": bench,
        "tags": tags(arguments, ability.tasks, cost),
        "metadata": {"cost_class": cost, "max_seconds": max(seconds, default=0.0)},
    }
