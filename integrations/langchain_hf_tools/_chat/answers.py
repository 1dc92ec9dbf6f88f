"""The model's answers as LangChain's: whole ones, and the pieces of a stream."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from hf_tools.errors import StreamError
from hf_tools.loose import table
from hf_tools.tasks import chat
from hf_tools.tasks.chat_stream import ChatChunk
from langchain_hf_tools._chat import tool_calls
from langchain_hf_tools._chat.cloning import PROVIDER, maker, validated
from langchain_hf_tools._chat.reasoning import Splitter, split
from langchain_hf_tools._chat.usage import counts_of, usage_of

Tags = tuple[str, str] | None


class Told(Protocol):
    """What comes with an answer: `hf_tools.Response` and both streams have it."""

    @property
    def provider(self) -> str | None:
        """Who answered."""
        ...

    @property
    def request_id(self) -> str | None:
        """The id under which the server's support finds the request."""
        ...


def result(answer: chat.ChatCompletionOutput, told: Told, tags: Tags) -> ChatResult:
    """The answer as a ChatResult: one generation for each choice; the tokens used are those of all of them."""
    counts = counts_of(answer.usage) if answer.usage else {}
    usage = usage_of(counts)
    generations: list[ChatGeneration] = []
    choices = sorted(answer.choices, key=lambda choice: choice.index)
    for choice in choices:
        calls, invalid = tool_calls.calls_of(choice)
        message = _message(choice, invalid, tags)
        message.tool_calls, message.response_metadata = calls, metadata(answer, choice, told)
        message.usage_metadata = usage if choice is choices[0] else None
        generations.append(ChatGeneration(message=message, generation_info=_info(choice)))
    output: dict[str, Any] = {"model_name": answer.model} if answer.model else {}
    if answer.usage:
        output["token_usage"] = counts
    return ChatResult(generations=generations, llm_output=output)


def combined(outputs: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    """What several calls have in common: the tokens used added up, and the model."""
    known = [output for output in outputs if output]
    counts: dict[str, int] = {}
    for output in known:
        for name, count in table(output.get("token_usage")).items():
            if type(count) is int:
                counts[name] = counts.get(name, 0) + count
    models = [output["model_name"] for output in known if "model_name" in output]
    return ({"model_name": models[-1]} if models else {}) | ({"token_usage": counts} if counts else {})


def partial_message(answer: chat.ChatCompletionOutput, tags: Tags) -> AIMessage:
    """What came of an answer whose stream ended early; none of its tool calls is valid."""
    choice = answer.choices[0]
    message = _message(choice, tool_calls.none_of(choice, "the stream ended early"), tags)
    message.response_metadata = {"model_provider": PROVIDER}
    return message


def _message(choice: chat.Choice, invalid: list[InvalidToolCall], tags: Tags) -> AIMessage:
    told, text = choice.message, choice.message.content or ""
    thought = told.reasoning
    if not thought:
        thought, text = split(text, tags)
    message = AIMessage(content=text, additional_kwargs={**_others(told), **_beside(thought, told.refusal)})
    message.invalid_tool_calls = invalid
    return message


def _others(told: chat.ChatMessage) -> dict[str, Any]:
    """What a message holds beyond the known fields, such as pictures, sound or annotations."""
    return {name: value for name, value in (told.model_extra or {}).items() if value and name not in NO_CONTENT}


NO_CONTENT = frozenset(["function_call", "name"])
"""Fields of a message that are read elsewhere, or say nothing of it."""


def _beside(reasoning: str | None, refusal: str | None) -> dict[str, Any]:
    """Reasoning and refusal where LangChain looks for them."""
    found = {"reasoning_content": reasoning, "refusal": refusal}
    return {name: text for name, text in found.items() if text}


def metadata(answer: chat.ChatCompletionOutput, choice: chat.Choice, told: Told) -> dict[str, Any]:
    """What is known of an answer besides its message."""
    served: Any = (answer.model_extra or {}).get("provider")  # some servers say it in the body
    asked = told.provider if told.provider != "auto" else None
    known = {
        "model_name": answer.model, "id": answer.id, "system_fingerprint": answer.system_fingerprint,
        "inference_provider": served if isinstance(served, str) else asked, "request_id": told.request_id,
    }  # fmt: skip
    return {"model_provider": PROVIDER, **{name: value for name, value in known.items() if value}, **_info(choice)}


def _info(choice: chat.Choice) -> dict[str, Any]:
    found = {"finish_reason": choice.finish_reason, "logprobs": choice.logprobs}
    return {name: value for name, value in found.items() if value}


class Pieces:
    """The chunks of one stream: text and reasoning as they come, all that must be whole at the end."""

    def __init__(self, tags: Tags) -> None:
        self._tags, self._splitter, self._chunk_of = tags, Splitter(tags), maker()

    @contextmanager
    def told(self) -> Generator[None]:
        """Write into the error of a stream that ends early what came of the message: `partial_message`."""
        try:
            yield
        except StreamError as error:
            if isinstance(error.partial, chat.ChatCompletionOutput):
                vars(error)["partial_message"] = partial_message(error.partial, self._tags)
            raise

    def of(self, chunk: ChatChunk) -> Iterable[ChatGenerationChunk]:
        """The chunks that a piece of the stream brings; mostly one."""
        if chunk.reasoning:
            self._splitter = Splitter(None)  # the server keeps it apart, so marks in the text are text
        found, text = self._splitter.feed(chunk.text)
        reasoning = chunk.reasoning + found
        if reasoning or chunk.refusal:
            return _chunk(text, reasoning, chunk.refusal)
        return (self._chunk_of(text),) if text else ()

    def end(self, answer: chat.ChatCompletionOutput, usage: Any, told: Told) -> Iterator[ChatGenerationChunk]:
        """The end: tool calls, which are released only now that they are whole, then usage and metadata.

        The calls have a chunk of their own: LangChain's third version of events loses invalid ones in the last chunk.
        """
        found, text = self._splitter.close()
        yield from _chunk(text, found, "")
        choice = answer.choices[0]
        if choice.message.tool_calls:
            message = AIMessageChunk(
                content="", tool_call_chunks=tool_calls.chunks_of(choice), response_metadata=_from_here()
            )
            yield ChatGenerationChunk(message=message)
        message = AIMessageChunk(
            content="", usage_metadata=usage_of(usage), response_metadata=metadata(answer, choice, told),
            additional_kwargs=_others(choice.message), chunk_position="last",
        )  # fmt: skip
        yield ChatGenerationChunk(message=message, generation_info=_info(choice))


def _chunk(text: str, reasoning: str, refusal: str) -> Iterator[ChatGenerationChunk]:
    """A chunk with text, reasoning or refusal; none where there is none of them."""
    if beside := _beside(reasoning, refusal):
        message = AIMessageChunk(content="", additional_kwargs=beside, response_metadata=_from_here())
        yield ChatGenerationChunk(message=message)
    if text:
        yield validated(text)


def _from_here() -> dict[str, Any]:
    return {"model_provider": PROVIDER}
