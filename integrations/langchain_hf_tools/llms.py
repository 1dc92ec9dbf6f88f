"""Text generation: a prompt in, its continuation out, behind LangChain's interface for models that do not chat."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseLLM, LangSmithParams
from langchain_core.outputs import GenerationChunk, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import get_config_list
from pydantic import AliasChoices, Field

from hf_tools import Response
from hf_tools.errors import InputError
from hf_tools.inputs import Fraction, NotNegative, NotNegativeFloat, Object, Positive, TopK
from hf_tools.tasks.generation import TextGeneration, TextGenerationOutput
from langchain_hf_tools._calls import generations
from langchain_hf_tools._calls.batches import Concurrent
from langchain_hf_tools._calls.calls import Call, Named, bound, bounded, call_of, calling
from langchain_hf_tools._calls.cutting import awaited, writable
from langchain_hf_tools._calls.fields import task_fields
from langchain_hf_tools._calls.ordered import aordered, ordered
from langchain_hf_tools._connecting.connection import CONFIG, Connection, check_called, without_query
from langchain_hf_tools.errors import model_errors

SEVERAL = ("num_return_sequences", "best_of", "n")
"""What asks for more than one generation; `n` is the name that OpenAI-shaped servers have for the first."""
CHARACTERS = 4
"""Characters of a token, on the average of English texts."""


_BY_ONE: Any = Runnable
"""LangChain's `batch` for whatever has `invoke`, which is called for each input."""


class HfInferenceLLM(Concurrent, Connection, BaseLLM):
    """A text generation model that Hugging Face, an endpoint or the embedded backend runs; for base models.

        HfInferenceLLM(base_url="http://127.0.0.1:8080", max_new_tokens=50).invoke("Once upon a time")  # TGI, vLLM
        HfInferenceLLM(provider="local", temperature=0).stream("The capital of France is")

    A model that was trained to chat does better with ChatHfInference. Nothing is sent but what was set. The fields are
    the parameters of `hf_tools.tasks.generation.TextGeneration`, which says what each one means; any of them, with a
    `model`, may be given in a call. Several prompts go out together, `max_concurrency` at once, in `batch` no more than
    its config says. Calls raise an HfError; a stream that ends early raises StreamInterrupted, with the text as far as
    it came in `partial`.

    Tokens are in `llm_output["token_usage"]` and in the `generation_info` of each prompt's first generation, with the
    `finish_reason`; of a stream they are in its last chunk. Whether a text begins with its prompt is up to the server
    and to `return_full_text`.
    """

    model_config = CONFIG

    adapter_id: str | None = None
    best_of: Positive | None = None
    """Write this many and return the likeliest; above 1 not in a stream."""
    decoder_input_details: bool | None = None
    details: bool | None = None
    """Return details about the generation, in `generation_info` (TGI)."""
    do_sample: bool | None = None
    frequency_penalty: float | None = None
    grammar: Object | None = None
    max_new_tokens: NotNegative | None = None
    max_time: NotNegativeFloat | None = None
    num_return_sequences: Positive | None = None
    """How many generations to write for each prompt; not in a stream."""
    repetition_penalty: NotNegativeFloat | None = None
    return_full_text: bool | None = None
    """Begin the text with the prompt. hf-inference and toolkit servers do unless it is False; TGI by its model."""
    seed: NotNegative | None = None
    stop: list[str] | str | None = Field(default=None, validation_alias=AliasChoices("stop", "stop_sequences"))
    """Texts that end the generation and are no part of it; most servers take up to 4. Also `stop_sequences`."""
    temperature: NotNegativeFloat | None = None
    top_k: TopK | None = None
    top_n_tokens: Positive | None = None
    top_p: Fraction | None = None
    truncate: Positive | None = None
    typical_p: Fraction | None = None
    watermark: bool | None = None
    extra_body: Object | None = None

    @property
    def _llm_type(self) -> str:
        return "hf-inference-llm"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """What tells answers apart, without secrets; in a call with its parameters."""
        asked = {"model": self.model, "base_url": self.base_url}
        where = {name: url and without_query(url) for name, url in asked.items()}
        if query := self._url.partition("?")[2]:  # it may hold a key
            where["query"] = hashlib.sha256(query.encode()).hexdigest()[:16]
        given = {name: value for name, value in task_fields(self, TextGeneration).items() if value is not None}
        if "stop" in given:
            given["stop_sequences"] = _listed(given.pop("stop"))  # LangChain puts the call's own under this name
        return {**given, **where, "provider": self.provider, **call_of(self).parameters}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        """What tracing is told about a call."""
        found = super()._get_ls_params(stop=_listed(stop or self.stop), **kwargs)
        found["ls_provider"] = "huggingface"
        found["ls_model_name"] = without_query(kwargs.get("model") or self.model or self.base_url or self.provider)
        if (most := kwargs.get("max_new_tokens", self.max_new_tokens)) is not None:
            found["ls_max_tokens"] = most
        return found

    def generate(self, prompts: list[str], stop: Any = None, callbacks: Any = None, **kwargs: Any) -> LLMResult:
        """LangChain's `generate`, with a cache that tells calls with other parameters apart."""
        with calling(Call(self, prompts, _parameters(kwargs))):
            return super().generate(prompts, stop, callbacks, **kwargs)

    async def agenerate(self, prompts: list[str], stop: Any = None, callbacks: Any = None, **kwargs: Any) -> LLMResult:
        """The same, awaited."""
        with calling(Call(self, prompts, _parameters(kwargs))):
            return await super().agenerate(prompts, stop, callbacks, **kwargs)

    def batch(self, inputs: Any, config: Any = None, *, return_exceptions: bool = False, **kwargs: Any) -> list[str]:
        """The continuations of several prompts; with `return_exceptions` the error of one leaves the others alone."""
        configs, most = self._configs(inputs, config, alone=return_exceptions)
        if return_exceptions:
            return cast("list[str]", _BY_ONE.batch(self, inputs, configs, return_exceptions=True, **kwargs))
        with bounded(most):
            return super().batch(inputs, configs, **kwargs)

    async def abatch(
        self, inputs: Any, config: Any = None, *, return_exceptions: bool = False, **kwargs: Any
    ) -> list[str]:
        """The same, awaited."""
        configs, most = self._configs(inputs, config, alone=return_exceptions)
        if return_exceptions:
            return cast("list[str]", await _BY_ONE.abatch(self, inputs, configs, return_exceptions=True, **kwargs))
        with bounded(most):
            return await super().abatch(inputs, configs, **kwargs)

    def _configs(self, inputs: Sequence[Any], config: Any, *, alone: bool) -> tuple[list[RunnableConfig], int | None]:
        """A config for each input, and how many go at once: LangChain bounds what goes alone, but cuts other calls."""
        configs, at_once = get_config_list(config, len(inputs)), self._at_once()
        most = configs[0].get("max_concurrency") if configs else None
        new = max(1, min(most or at_once, at_once)) if alone else None
        return [cast(RunnableConfig, {**each, "max_concurrency": new}) for each in configs], most

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> LLMResult:  # fmt: skip
        with model_errors():
            asked, client = self._asked(prompts, stop, kwargs), self._clients.blocking

            def work(one: Asked) -> Response[TextGenerationOutput]:
                with one[1]:
                    return client.respond(one[0])

            found = ordered(iter(asked), work, at_once=bound(self._at_once()))
            return generations.result([*found], _stops(asked), kwargs.get("model") or self.model)

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> LLMResult:  # fmt: skip
        with model_errors():
            asked, client = self._asked(prompts, stop, kwargs), self._clients.awaiting

            async def work(one: Asked) -> Response[TextGenerationOutput]:
                with one[1]:
                    return await client.respond(one[0])

            found = aordered(awaited(asked), work, at_once=bound(self._at_once()))
            return generations.result([each async for each in found], _stops(asked), kwargs.get("model") or self.model)

    def _stream(
        self, prompt: str, stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[GenerationChunk]:  # fmt: skip
        with model_errors():
            task = _single(self._task(prompt, stop, kwargs))
            ending = generations.Ending(task.stop or task.stop_sequences or ())
            with self._clients.blocking.stream(task) as stream:
                for part in stream:
                    if text := ending.feed(part.text):
                        yield _told(GenerationChunk(text=text), run_manager)
                yield _told(generations.last(stream.final, stream.headers, ending.last(), task.model), run_manager)

    async def _astream(
        self, prompt: str, stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:  # fmt: skip
        with model_errors():
            task = _single(self._task(prompt, stop, kwargs))
            ending = generations.Ending(task.stop or task.stop_sequences or ())
            async with self._clients.awaiting.stream(task) as stream:
                async for part in stream:
                    if text := ending.feed(part.text):
                        yield await _atold(GenerationChunk(text=text), run_manager)
                yield await _atold(
                    generations.last(stream.final, stream.headers, ending.last(), task.model), run_manager
                )

    def _asked(self, prompts: list[str], stop: list[str] | None, more: Mapping[str, Any]) -> list[Asked]:
        """The requests for some prompts, each with what names its prompt in an error."""
        call, tasks = call_of(self, prompts), [self._task(prompt, stop, more) for prompt in prompts]
        places = call.places(prompts)
        for prompt, place in zip(prompts, places, strict=True):
            writable(prompt, f"prompts[{place}]")
        return [(task, call.named(task.prompt, place)) for task, place in zip(tasks, places, strict=True)]

    def _task(self, prompt: str, stop: Any, more: Mapping[str, Any]) -> TextGeneration:
        """The request: the fields, then what this call says; InputError for what the task does not know."""
        check_called(more)
        given: dict[str, Any] = task_fields(self, TextGeneration)
        if stop is not None or "stop_sequences" in more:
            given["stop"] = stop
        given |= more
        given |= {name: _listed(given[name]) for name in ("stop", "stop_sequences") if name in given}
        return TextGeneration(prompt, **given)

    def get_num_tokens(self, text: str) -> int:
        """How many tokens a text has: by `custom_get_token_ids`, else an estimate of 4 characters a token."""
        return len(self.get_token_ids(text)) if self.custom_get_token_ids else -(-len(text) // CHARACTERS)

    def get_token_ids(self, text: str) -> list[int]:
        """The ids of a text's tokens by `custom_get_token_ids`; InputError without it."""
        if self.custom_get_token_ids is None:
            with model_errors():
                raise InputError("token ids need a tokenizer", hint="Pass `custom_get_token_ids`, a function")
        return self.custom_get_token_ids(text)


Asked = tuple[TextGeneration, Named]


def _parameters(call: Mapping[str, Any]) -> dict[str, Any]:
    """What a call says to the task, of all that it says."""
    return {name: value for name, value in call.items() if name not in ("tags", "metadata", "run_name", "run_id")}


def _listed(stop: Any) -> Any:
    """The texts that end a generation as a list: a single one may be given as it is."""
    return [stop] if isinstance(stop, str) else stop


def _stops(asked: Sequence[Asked]) -> Sequence[str]:
    """The texts that end a generation; the same ones for all prompts of a call."""
    return (asked[0][0].stop or asked[0][0].stop_sequences or ()) if asked else ()


def _single(task: TextGeneration) -> TextGeneration:
    """The task, refused where several generations would be mixed up in one stream."""
    given: dict[str, Any] = {"num_return_sequences": task.num_return_sequences, "best_of": task.best_of}
    given |= task.extra_body or {}
    for name in SEVERAL:
        count = given.get(name)
        if isinstance(count, int) and count > 1:
            raise InputError(f"text_generation: `{name}` above 1 cannot be streamed", hint="Use invoke or generate")
    return task


def _told(chunk: GenerationChunk, manager: CallbackManagerForLLMRun | None) -> GenerationChunk:
    """The chunk, of which the callbacks were told."""
    if manager is not None:
        manager.on_llm_new_token(chunk.text, chunk=chunk)
    return chunk


async def _atold(chunk: GenerationChunk, manager: AsyncCallbackManagerForLLMRun | None) -> GenerationChunk:
    """The same, awaited."""
    if manager is not None:
        await manager.on_llm_new_token(chunk.text, chunk=chunk)
    return chunk
