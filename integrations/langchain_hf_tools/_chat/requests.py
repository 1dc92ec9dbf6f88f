"""The request of a call: the model's own fields, then what the call says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hf_tools.errors import InputError
from hf_tools.tasks.chat import ChatCompletion
from langchain_hf_tools._chat import binding
from langchain_hf_tools._chat.fields import Conversing
from langchain_hf_tools._chat.media import Parts
from langchain_hf_tools._chat.messages import Writer
from langchain_hf_tools._chat.reasoning import replay_for

NOT_SENT = frozenset(["ls_structured_output_format", "stream_usage"])
"""What LangChain and we ourselves say with a call, but not to the server."""


def writer(fields: Conversing, model: str | None, profile: Mapping[str, Any] | None) -> Writer:
    """How the messages for a model are written."""
    media = fields.tool_media or ("inline" if (profile or {}).get("image_tool_message") else "hoist")
    return Writer(Parts(fields.media_store), replay_for(model, fields.reasoning_replay), media == "hoist")


def task(
    messages: list[dict[str, Any]], own: Mapping[str, Any], stop: list[str] | None, more: Mapping[str, Any]
) -> ChatCompletion:
    """The request; what a call says comes before the model's own fields. InputError for what the task does not know."""
    given: dict[str, Any] = {**own, **({} if stop is None else {"stop": stop})}
    given |= {name: value for name, value in more.items() if name not in NOT_SENT}
    if given.get("tools"):
        given |= binding.bound(given["tools"], given.get("tool_choice"), None)
    elif "parallel_tool_calls" not in more:  # the model's own wish is for calls with tools
        given["parallel_tool_calls"] = None
    if "response_format" in given:
        given["response_format"] = binding.response_format(given["response_format"])
    if given.get("extra_body") and own.get("extra_body"):
        given["extra_body"] = {**own["extra_body"], **given["extra_body"]}
    return ChatCompletion(messages, **given)


def streamed(made: ChatCompletion, *, usage: bool) -> ChatCompletion:
    """The request for a stream; InputError where several answers would be mixed up in it."""
    if (made.n or 1) > 1:
        raise InputError(f"chat_completion: `n` = {made.n} cannot be streamed", hint="Use invoke or generate")
    if usage or made.stream_options is not None:
        return made
    return replace(made, stream_options={"include_usage": False})
