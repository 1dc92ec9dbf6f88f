"""A case: what is asked of a server that this project did not write, and what must hold of its answer.

A case is written once, in cases.py. It is asked when cassettes are recorded, when they are replayed, and of running
servers; each time blocking, awaited and, where LangChain has something for it, through LangChain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import HfError
from hf_tools.task import Server
from hf_tools.tasks.chat import ChatCompletionOutput
from hf_tools.tasks.features import Features


@dataclass(frozen=True)
class Said:
    """What of an answer to a chat the core and LangChain both tell."""

    texts: Sequence[str]
    """The text of each choice."""
    calls: Sequence[tuple[str, Any]]
    """Name and arguments of the tool calls of the first choice; arguments that are no JSON as they came."""
    finish: str | None
    model: str | None
    tokens: tuple[int, int, int]
    """Read, written, both; -1 where the server did not tell."""
    logprobs: Sequence[tuple[str, float]] = ()
    """Each token of the first choice and its log probability."""
    pieces: int = 1
    """How many pieces of a stream carried something of the answer."""

    @property
    def text(self) -> str:
        """The text of the first choice."""
        return self.texts[0]


@dataclass(frozen=True)
class Case:
    """One exchange with one server."""

    server: str
    """Its name, a key of SERVERS."""
    name: str
    task: Any
    """What is asked: an object of a class in hf_tools.tasks."""
    holds: Callable[[Any], None]
    """Fails unless the answer is right. It gets a Said for a chat, vectors for embeddings, else the core's answer."""
    error: type[HfError] | None = None
    """The error that must be raised; `holds` gets that."""
    path: str = ""
    """Where the task is below the server's URL."""
    speaks: Server = "openai"
    stream: bool = False
    retries: int = 0

    @property
    def id(self) -> str:
        """What the case is called in tests, and its cassette in `cassettes/`."""
        return f"{self.server}/{self.name}"


def ask(case: Case, url: str) -> Any:
    """The answer to a case by the blocking client."""
    with HfInference(token=False) as hf:
        endpoint = hf.endpoint(url + case.path, server=case.speaks).with_options(max_retries=case.retries)
        if not case.stream:
            return plain(endpoint.run(case.task))
        with endpoint.stream(case.task) as stream:
            pieces = [piece for piece in stream if carries(piece)]
        return plain(stream.final, len(pieces))


async def ask_awaited(case: Case, url: str) -> Any:
    """The answer to a case by the awaited client."""
    async with AsyncHfInference(token=False) as hf:
        endpoint = hf.endpoint(url + case.path, server=case.speaks).with_options(max_retries=case.retries)
        if not case.stream:
            return plain(await endpoint.run(case.task))
        async with endpoint.stream(case.task) as stream:
            pieces = [piece async for piece in stream if carries(piece)]
        return plain(stream.final, len(pieces))


def check(case: Case, get: Callable[[], Any]) -> None:
    """Fail unless what `get` gives, or the error that it raises, is what the case says."""
    try:
        answer = get()
    except HfError as error:
        refused(case, error)
    else:
        answered(case, answer)


async def check_awaited(case: Case, get: Any) -> None:
    """The same for an awaitable."""
    try:
        answer = await get
    except HfError as error:
        refused(case, error)
    else:
        answered(case, answer)


def answered(case: Case, answer: Any) -> None:
    """Fail unless the answer is what the case says."""
    assert case.error is None, f"{case.error} was expected, got {answer}"
    case.holds(answer)


def refused(case: Case, error: HfError) -> None:
    """Fail unless the error is what the case says."""
    if case.error is None or not isinstance(error, case.error):
        raise error
    case.holds(error)


def plain(answer: Any, pieces: int = 1) -> Any:
    """A core answer as `holds` gets it."""
    if isinstance(answer, Features):
        return answer.vectors()
    return said(answer, pieces) if isinstance(answer, ChatCompletionOutput) else answer


def carries(piece: Any) -> bool:
    """Whether a piece of a stream has text or a part of a tool call."""
    return bool(piece.text or piece.tool_calls)


def said(answer: ChatCompletionOutput, pieces: int) -> Said:
    """A core answer to a chat."""
    first, usage = answer.choices[0], answer.usage
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) if usage else (None,) * 3
    read, written, both = (-1 if count is None else count for count in counts)
    return Said(
        texts=[choice.message.content or "" for choice in answer.choices],
        calls=[(call.function.name, arguments(call.function.arguments)) for call in first.message.tool_calls],
        finish=first.finish_reason,
        model=answer.model,
        tokens=(read, written, both),
        logprobs=tokens(first.logprobs),
        pieces=pieces,
    )


def tokens(logprobs: Any) -> list[tuple[str, float]]:
    """Tokens and their log probabilities from OpenAI's form."""
    found: list[Any] = logprobs["content"] if logprobs else []
    return [(each["token"], each["logprob"]) for each in found]


def arguments(text: str) -> Any:
    """The arguments of a call, or the text itself if it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text
