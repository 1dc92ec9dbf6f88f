"""Text generation: a prompt in, its continuation out, behind LangChain's interface for models that do not chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseLLM, LangSmithParams
from langchain_core.outputs import GenerationChunk, LLMResult
from pydantic import AliasChoices, Field

from hf_tools import Response
from hf_tools.errors import HfError, InputError
from hf_tools.inputs import Fraction, NotNegative, NotNegativeFloat, Object, Positive, TopK
from hf_tools.tasks.generation import TextGeneration, TextGenerationOutput
from langchain_hf_tools._calls import generations
from langchain_hf_tools._calls.batches import Batch, Concurrent, awaited
from langchain_hf_tools._calls.fields import task_fields
from langchain_hf_tools._calls.ordered import aordered, ordered
from langchain_hf_tools._connecting.connection import CONFIG
from langchain_hf_tools.errors import model_errors

_call: ContextVar[tuple[object, Mapping[str, Any]] | None] = ContextVar("hf_tools_llm_call", default=None)
"""The model that generates, and the parameters of the call: LangChain's cache looks at the fields only."""


class HfInferenceLLM(Concurrent, BaseLLM):
    """A text generation model that Hugging Face, an endpoint or the embedded backend runs; for base models.

        HfInferenceLLM(base_url="http://127.0.0.1:8080", max_new_tokens=50).invoke("Once upon a time")  # TGI, vLLM
        HfInferenceLLM(provider="local", temperature=0).stream("The capital of France is")

    A model that was trained to chat does better with ChatHfInference. Nothing is sent but what was set; the fields are
    the parameters of `text_generation`, and any of them, with `model`, may be given in a call. Several prompts go out
    together, `max_concurrency` at once. Calls raise an HfError; a stream that ends early raises StreamInterrupted,
    with the text as far as it came in `partial`.

    Tokens are in `llm_output["token_usage"]` and in the `generation_info` of each prompt's first generation, with the
    `finish_reason`; of a stream they are in its last chunk. Whether a text begins with its prompt is up to the server
    and to `return_full_text`.
    """

    model_config = CONFIG

    adapter_id: str | None = None
    """LoRA adapter to use (TGI)."""
    best_of: Positive | None = None
    """Write this many and return the likeliest; above 1 not in a stream."""
    decoder_input_details: bool | None = None
    """Return the tokens of the prompt too (TGI, not in a stream)."""
    details: bool | None = None
    """Return details about the generation, in `generation_info` (TGI)."""
    do_sample: bool | None = None
    """Sample instead of taking the likeliest token. Documented default true; TGI takes false with any parameter."""
    frequency_penalty: float | None = None
    """-2 to 2: above 0 makes a token less likely the more often it was used."""
    grammar: Object | None = None
    """`{"type": "json", "value": schema}` or `{"type": "regex", "value": ...}` (TGI)."""
    max_new_tokens: NotNegative | None = None
    """Most tokens that are written. The old API stopped at 250; today's servers at their context."""
    max_time: NotNegativeFloat | None = None
    """Soft limit in seconds for the model itself; the old API took 0 to 120."""
    num_return_sequences: Positive | None = None
    """How many generations to write for each prompt; not in a stream."""
    repetition_penalty: NotNegativeFloat | None = None
    """1 is neutral, above it repeats become less likely; the old API took 0 to 100."""
    return_full_text: bool | None = None
    """Begin the text with the prompt. hf-inference and toolkit servers do unless it is False; TGI by its model."""
    seed: NotNegative | None = None
    """Makes sampling repeatable where the server can."""
    stop: list[str] | None = Field(default=None, validation_alias=AliasChoices("stop", "stop_sequences"))
    """Texts that end the generation and are no part of it; most servers take up to 4. Also `stop_sequences`."""
    temperature: NotNegativeFloat | None = None
    """Spread of the sampling; the old API took 0 to 100, default 1.0; TGI refuses 0."""
    top_k: TopK | None = None
    """Sample among this many of the likeliest tokens only."""
    top_n_tokens: Positive | None = None
    """Return this many of the likeliest tokens at each place (TGI)."""
    top_p: Fraction | None = None
    """Sample among the likeliest tokens that together have this probability; TGI refuses 0 and 1."""
    truncate: Positive | None = None
    """Shorten the prompt to this many tokens."""
    typical_p: Fraction | None = None
    """Mass of typical decoding (TGI)."""
    watermark: bool | None = None
    """Mark the text as written by a machine (TGI)."""
    extra_body: Object | None = None
    """More parameters, as the server names them."""

    @property
    def _llm_type(self) -> str:
        return "hf-inference-llm"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """What tells answers apart, without secrets; in a call with its parameters."""
        told = _call.get()
        asked = {"model": self.model, "base_url": self.base_url}
        where = {name: url and url.partition("?")[0] for name, url in asked.items()}
        given = {name: value for name, value in task_fields(self, TextGeneration).items() if value is not None}
        if "stop" in given:
            given["stop_sequences"] = given.pop("stop")  # LangChain puts the call's own under this name
        return {**given, **where, "provider": self.provider, **(told[1] if told and told[0] is self else {})}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        """What tracing is told about a call."""
        found = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        found["ls_provider"] = "huggingface"
        found["ls_model_name"] = kwargs.get("model") or self.model or self.base_url or self.provider
        if (most := kwargs.get("max_new_tokens", self.max_new_tokens)) is not None:
            found["ls_max_tokens"] = most
        return found

    def generate(self, prompts: list[str], stop: Any = None, callbacks: Any = None, **kwargs: Any) -> LLMResult:
        """LangChain's `generate`, with a cache that tells calls with other parameters apart."""
        token = _call.set((self, _parameters(kwargs)))
        try:
            return super().generate(prompts, stop, callbacks, **kwargs)
        finally:
            _call.reset(token)

    async def agenerate(self, prompts: list[str], stop: Any = None, callbacks: Any = None, **kwargs: Any) -> LLMResult:
        """The same, awaited."""
        token = _call.set((self, _parameters(kwargs)))
        try:
            return await super().agenerate(prompts, stop, callbacks, **kwargs)
        finally:
            _call.reset(token)

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> LLMResult:  # fmt: skip
        with model_errors():
            tasks, client = [self._task(prompt, stop, kwargs) for prompt in prompts], self._clients.blocking

            def work(place: int) -> Response[TextGenerationOutput]:
                with _named(prompts, place):
                    return client.respond(tasks[place])

            found = ordered(iter(range(len(tasks))), work, at_once=self._at_once())
            return generations.result([*found], _stops(tasks), kwargs.get("model") or self.model)

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> LLMResult:  # fmt: skip
        with model_errors():
            tasks, client = [self._task(prompt, stop, kwargs) for prompt in prompts], self._clients.awaiting

            async def work(place: int) -> Response[TextGenerationOutput]:
                with _named(prompts, place):
                    return await client.respond(tasks[place])

            found = aordered(awaited(range(len(tasks))), work, at_once=self._at_once())
            return generations.result([each async for each in found], _stops(tasks), kwargs.get("model") or self.model)

    def _stream(
        self, prompt: str, stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[GenerationChunk]:  # fmt: skip
        with model_errors():
            task = _single(self._task(prompt, stop, kwargs))
            ending = generations.Ending(_stops([task]))
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
            ending = generations.Ending(_stops([task]))
            async with self._clients.awaiting.stream(task) as stream:
                async for part in stream:
                    if text := ending.feed(part.text):
                        yield await _atold(GenerationChunk(text=text), run_manager)
                yield await _atold(
                    generations.last(stream.final, stream.headers, ending.last(), task.model), run_manager
                )

    def _task(self, prompt: str, stop: list[str] | None, more: Mapping[str, Any]) -> TextGeneration:
        """The request: the fields, then what this call says; InputError for what the task does not know."""
        given = task_fields(self, TextGeneration)
        if stop is not None or "stop_sequences" in more:
            given["stop"] = stop
        return TextGeneration(prompt, **{**given, **more})


def _parameters(call: Mapping[str, Any]) -> dict[str, Any]:
    """What a call says to the task, of all that it says."""
    return {name: value for name, value in call.items() if name not in ("tags", "metadata", "run_name", "run_id")}


def _stops(tasks: Sequence[TextGeneration]) -> list[str]:
    """The texts that end a generation; the same ones for all prompts of a call."""
    return [*((tasks[0].stop or tasks[0].stop_sequences or ()) if tasks else ())]


def _single(task: TextGeneration) -> TextGeneration:
    """The task, refused where several generations would be mixed up in one stream."""
    for name in ("num_return_sequences", "best_of"):
        if (getattr(task, name) or 1) > 1:
            raise InputError(f"text_generation: `{name}` above 1 cannot be streamed", hint="Use invoke or generate")
    return task


@contextmanager
def _named(prompts: Sequence[str], place: int) -> Generator[None, None, None]:
    """Say which of several prompts an error is about."""
    try:
        yield
    except HfError as error:
        if len(prompts) > 1:
            Batch(place, [prompts[place]]).name(error, "prompt")
        raise


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
