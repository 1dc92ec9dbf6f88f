"""What a text generation model answers, as LangChain has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.outputs import Generation, GenerationChunk, LLMResult

from hf_tools import Response
from hf_tools.tasks.generation import TextGenerationOutput
from langchain_hf_tools._connecting.connection import without_query

Usage = dict[str, Any]
TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")
HEADERS = {"prompt_tokens": "x-prompt-tokens", "completion_tokens": "x-generated-tokens"}
"""Where TGI tells the tokens of an answer that is no stream."""


def result(responses: Sequence[Response[TextGenerationOutput]], stops: Iterable[str], model: str | None) -> LLMResult:
    """The generations of each prompt; tokens are summed up in `llm_output` where every answer told them."""
    generations: list[list[Generation]] = []
    usages: list[Usage] = []
    for response in responses:
        answer = response.answer
        usages.append(usage(answer, response.headers))
        about = [_info(each) for each in answer.sequences or [answer]]
        about[0] |= {"token_usage": usages[-1]} if usages[-1] else {}
        texts = [Ending(stops).whole(each.generated_text) for each in answer.sequences or [answer]]
        generations.append(
            [Generation(text=text, generation_info=info or None) for text, info in zip(texts, about, strict=True)]
        )
    told = {name: sum(each[name] for each in usages) for name in TOTALS if all(name in each for each in usages)}
    asked = (responses[0].route.model if responses else None) or model
    name = asked and without_query(asked)
    return LLMResult(generations=generations, llm_output={"token_usage": told, "model_name": name})


def usage(answer: TextGenerationOutput, headers: Mapping[str, str]) -> Usage:
    """The tokens used, in OpenAI's names; only what the server told."""
    if answer.usage:
        return dict(answer.usage)
    found = {name: int(headers[header]) for name, header in HEADERS.items() if headers.get(header, "").isdigit()}
    if answer.details is not None and answer.details.generated_tokens is not None:
        found.setdefault("completion_tokens", answer.details.generated_tokens)
    return {**found, "total_tokens": sum(found.values())} if len(found) == len(HEADERS) else found


def last(answer: TextGenerationOutput, headers: Mapping[str, str], text: str, model: str | None) -> GenerationChunk:
    """The end of a stream: what was held back, why it ends, and the tokens."""
    info = _info(answer)
    if used := usage(answer, headers):
        info["token_usage"] = used
    if model is not None:
        info["model_name"] = without_query(model)
    return GenerationChunk(text=text, generation_info=info or None)


def _info(answer: TextGenerationOutput) -> dict[str, Any]:
    details = answer.details
    reason = answer.finish_reason or (details.finish_reason if details else None)
    found: dict[str, Any] = {"finish_reason": reason} if reason else {}
    return found if details is None else {**found, "details": details.model_dump(exclude_none=True)}


class Ending:
    """Leaves out a text of `stop` at the end, which TGI includes and other servers do not."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = sorted(filter(None, stops), key=len, reverse=True)
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next characters; those that cannot belong to the end."""
        text = self._held + text
        longest = min(len(text), len(self._stops[0]) if self._stops else 0)
        kept = next((size for size in range(longest, 0, -1) if self._begins(text[-size:])), 0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def last(self) -> str:
        """What was held back, without the end."""
        return next((self._held.removesuffix(stop) for stop in self._stops if self._held.endswith(stop)), self._held)

    def whole(self, text: str) -> str:
        """A whole text without the end."""
        return self.feed(text) + self.last()

    def _begins(self, text: str) -> bool:
        return any(stop.startswith(text) for stop in self._stops)
