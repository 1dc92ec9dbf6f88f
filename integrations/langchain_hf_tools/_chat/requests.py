"""The request of a call: the model's own fields, then what the call says."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import InputError, shown
from hf_tools.task import build
from hf_tools.tasks.chat import ChatCompletion
from langchain_hf_tools._chat import binding
from langchain_hf_tools._chat.fields import Conversing, Sampling
from langchain_hf_tools._chat.media import Parts
from langchain_hf_tools._chat.messages import Writer
from langchain_hf_tools._chat.reasoning import replay_for
from langchain_hf_tools._connecting.checked import aliases
from langchain_hf_tools._connecting.connection import check_called
from langchain_hf_tools._connecting.timeouts import as_timeout

C = TypeVar("C", HfInference, AsyncHfInference)

NOT_SENT = frozenset(["ls_structured_output_format", "stream", "stream_usage"])
"""What LangChain and we ourselves say with a call, but not to the server."""
OPTIONS = frozenset(["timeout", "max_retries", "extra_headers", "wait_for_model", "bill_to"])
"""Options of the client that a single call may set."""
APART = NOT_SENT | OPTIONS
"""What is no parameter of the request."""
ALIASES: Mapping[str, str] = aliases(Sampling)
"""Other names of parameters, and what they are names of."""


def checked(more: Mapping[str, Any]) -> dict[str, Any]:
    """What a call says, by the parameters' own names; InputError for what neither the task nor the client knows."""
    known = _known()
    given: dict[str, Any] = {}
    for name, value in more.items():
        own = ALIASES.get(name, name)
        if own not in known:
            near = difflib.get_close_matches(name, [*known, *ALIASES], 1)
            meant = f" (did you mean `{near[0]}`?)" if near else ""
            hint = "What only the server knows goes into `extra_body`"
            raise InputError(f"chat_completion: `{shown(name, 60)}` is not a parameter of a call{meant}", hint=hint)
        if own in given:
            raise InputError(f"chat_completion: `{own}` is given twice, by two of its names")
        given[own] = value
    check_called(given)
    return given


@functools.cache
def _known() -> frozenset[str]:
    """What a call may say, besides the messages."""
    build(ChatCompletion)
    return frozenset({*inspect.signature(ChatCompletion).parameters, *OPTIONS, *NOT_SENT} - {"messages"})


def options(more: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """The options of the client that a call sets; its headers come beside those of the model."""
    found = {name: value for name, value in more.items() if name in OPTIONS}
    if "timeout" in found:
        found["timeout"] = as_timeout(found["timeout"])
    if "extra_headers" in found:
        found["extra_headers"] = {**headers, **found["extra_headers"]}
    return found


def writer(fields: Conversing, model: str | None, profile: Mapping[str, Any] | None) -> Writer:
    """How the messages for a model are written."""
    media = fields.tool_media or ("inline" if (profile or {}).get("image_tool_message") else "hoist")
    return Writer(Parts(fields.media_store), replay_for(model, fields.reasoning_replay), media == "hoist")


def task(
    messages: list[dict[str, Any]], own: Mapping[str, Any], stop: list[str] | None, more: Mapping[str, Any]
) -> ChatCompletion:
    """The request; what a call says, which is checked, comes before the model's own fields."""
    given: dict[str, Any] = {**own, **({} if stop is None else {"stop": stop})}
    given |= {name: value for name, value in more.items() if name not in APART}
    if given.get("tools"):
        given |= binding.bound(given["tools"], given.get("tool_choice"), None)
    else:  # the model's own wish is for calls with tools
        choice = given.get("tool_choice")
        given |= {"parallel_tool_calls": more.get("parallel_tool_calls"), "tools": None}
        given["tool_choice"] = None if choice in ("auto", "none") else choice
    if "response_format" in given:
        given["response_format"] = binding.response_format(given["response_format"])
    if given.get("extra_body") and own.get("extra_body"):
        given["extra_body"] = {**own["extra_body"], **given["extra_body"]}
    given["stop"] = given.get("stop") or None
    return ChatCompletion(messages, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and the client's options for it."""

    task: ChatCompletion
    options: Mapping[str, Any]
    usage: bool = True

    def by(self, client: C) -> C:
        """The client with these options; connections are shared."""
        return client.with_options(**self.options) if self.options else client

    def streamed(self) -> ChatCompletion:
        """The request for a stream; InputError where several answers would be mixed up in it."""
        number: Any = (self.task.extra_body or {}).get("n", self.task.n)
        if isinstance(number, int) and number > 1:
            raise InputError(f"chat_completion: `n` = {number} cannot be streamed", hint="Use invoke or generate")
        told = self.usage or self.task.stream_options is not None
        return self.task if told else replace(self.task, stream_options={})
