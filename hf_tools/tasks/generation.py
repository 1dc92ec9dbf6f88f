"""Text generation: a prompt in, its continuation out, whole or as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, ClassVar

from hf_tools.answer import Answer
from hf_tools.inputs import Fraction, NotNegative, NotNegativeFloat, Object, Positive, Text, TopK
from hf_tools.loose import UNPROMISED, rows, table
from hf_tools.task import Body, Reply, Route, Server, Streamed, cannot, only
from hf_tools.tasks.decoding import StreamDecoder, expected
from hf_tools.wire import Label, as_json, depth, inputs, one, parse, read_json

LONG = 4096
"""Above this many tokens a second run after an unclear failure would be expensive."""

COMPLETIONS = frozenset(
    [
        "best_of",
        "frequency_penalty",
        "max_tokens",
        "n",
        "repetition_penalty",
        "seed",
        "stop",
        "temperature",
        "top_k",
        "top_p",
        "logprobs",
        "echo",
        "min_p",
        "typical_p",
    ]
)
"""What the OpenAI-shaped /v1/completions of vLLM, SGLang, TGI and llama.cpp takes, of our parameters."""


class Token(Answer):
    """One token; `special` tokens such as `</s>` are no text."""

    text: str
    """The token as text."""
    id: int | None = None
    """Its number in the model's vocabulary."""
    logprob: float | None = None
    """Its log probability."""
    special: bool = False
    """Whether it is a mark, and no text."""


class TextGenerationDetails(Answer):
    """How the text came about; only where `details=True` was asked for."""

    finish_reason: str | None = None
    """Why the text ends there: `length`, `eos_token` or `stop_sequence`."""
    generated_tokens: int | None = None
    """Tokens that were written."""
    seed: int | None = None
    """The seed of the sampling."""
    prefill: list[Token] = []
    """The tokens of the prompt, where `decoder_input_details` asked for them."""
    tokens: list[Token] = []
    """The tokens that were written."""


class TextGenerationOutput(Answer):
    """A continuation; with `num_return_sequences` above 1 the others are in `sequences`, this one first.

    Whether the text begins with the prompt depends on the server and on `return_full_text`; it is never stripped.
    """

    generated_text: str
    """The continuation."""
    details: Annotated[TextGenerationDetails | None, UNPROMISED] = None
    """How it came about, where `details` asked for it."""
    finish_reason: Annotated[Label | None, UNPROMISED] = None
    """Why it ends there, where an OpenAI-shaped server told."""
    usage: Annotated[dict[str, Any] | None, UNPROMISED] = None
    """Tokens used, where an OpenAI-shaped server told."""
    sequences: list[TextGenerationOutput] = []
    """All continuations where several came, this one first; else empty."""


@dataclass(slots=True)
class TextGenerationPart:
    """A piece of the stream: `text` is empty for a special token; `details` and `generated_text` come at the end."""

    text: str = ""
    """The next characters."""
    token: dict[str, Any] | None = None
    """The token as the server sent it."""
    special: bool = False
    """Whether the token is a mark, and no text."""
    finish_reason: str | None = None
    """Why the text ends, with its last piece."""
    generated_text: str | None = None
    """The whole text, with the last piece."""
    details: dict[str, Any] | None = None
    """How the text came about, with the last piece."""
    index: int = 0
    """Which of several continuations it belongs to, from 0."""
    raw: dict[str, Any] = field(default_factory=lambda: dict[str, Any](), repr=False)
    """The event as the server sent it."""


class TextGeneration(Streamed[TextGenerationOutput, TextGenerationPart]):
    """Continue a text."""

    name: ClassVar[str] = "text-generation"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "tgi", "openai"])

    prompt: Text
    """The text to continue."""
    _: KW_ONLY
    adapter_id: str | None = None
    """LoRA adapter to use (TGI)."""
    best_of: Positive | None = None
    """Write this many and return the likeliest."""
    decoder_input_details: bool | None = None
    """Return the tokens of the prompt too (TGI, not in a stream)."""
    details: bool | None = None
    """Return details about the generation (TGI)."""
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
    """How many continuations to write; the old API took 1 to 10, default 1."""
    repetition_penalty: NotNegativeFloat | None = None
    """1 is neutral, above it repeats become less likely; the old API took 0 to 100."""
    return_full_text: bool | None = None
    """Begin the text with the prompt. Documented default true; a TGI server decides by its model."""
    seed: NotNegative | None = None
    """Makes sampling repeatable where the server can."""
    stop: list[str] | None = None
    """Texts that end the generation; most servers take up to 4."""
    stop_sequences: list[str] | None = None
    """Another name of `stop`."""
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

    def __post_init__(self) -> None:
        if self.stop is not None and self.stop_sequences is not None:
            raise ValueError("`stop` and `stop_sequences` are two names of one parameter: give one of them")

    @property
    def costly(self) -> bool:
        return (self.max_new_tokens or 0) > LONG

    @property
    def slow(self) -> bool:
        return self.max_new_tokens is None or self.costly

    def encode(self, route: Route) -> Body:
        if route.stream and route.server == "toolkit":
            raise cannot(self, route, "a stream", "Call text_generation(...) instead")
        if route.server == "openai":
            return self._completions(route)
        parameters = self.given("extra_body", stop_sequences="stop") | dict(self.extra_body or {})
        return inputs(route, self.prompt, parameters, root={"stream": True} if route.stream else {})

    def _completions(self, route: Route) -> Body:
        wire = {"max_new_tokens": "max_tokens", "stop_sequences": "stop", "num_return_sequences": "n"}
        named = self.given("extra_body", "return_full_text", **wire)
        if self.return_full_text:
            named["echo"] = True
        head: dict[str, Any] = {"model": route.model} if route.model else {}
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if route.stream else {}
        known = streamed | only(self, route, named, COMPLETIONS)
        body = head | {"prompt": self.prompt} | known | dict(self.extra_body or {})
        return as_json(body, path="/v1/completions")

    def decode(self, reply: Reply) -> TextGenerationOutput:
        return _output(read_json(reply))

    def decoder(self, head: Reply) -> GenerationDecoder:
        extra = self.extra_body or {}
        count = extra.get("n", extra.get("num_return_sequences", self.num_return_sequences))
        return GenerationDecoder(head, self.decode, expected(count))


def _output(value: Any) -> TextGenerationOutput:
    if "choices" in table(value):
        usage = table(table(value).get("usage")) or None
        value = [
            {"generated_text": choice.get("text"), "finish_reason": choice.get("finish_reason") or None, "usage": usage}
            for choice in sorted(rows(table(value)["choices"]), key=_index)
        ]
    elif depth(value) > 1:
        value = one(value)
    return _first(parse(list[TextGenerationOutput], value if isinstance(value, list) else [value]))


def _index(choice: dict[str, Any]) -> int:
    """The place of a continuation among several; 0 where the server does not tell."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _first(outputs: list[TextGenerationOutput]) -> TextGenerationOutput:
    if not outputs:
        return parse(TextGenerationOutput, outputs)
    first = outputs[0]
    return first if len(outputs) == 1 else first.model_copy(update={"sequences": outputs})


class GenerationDecoder(StreamDecoder[TextGenerationOutput, TextGenerationPart]):
    """Reads the token events of TGI and the completion chunks of OpenAI-shaped servers.

    `count` continuations were asked for; token events can carry only one.
    """

    def __init__(self, head: Reply, whole: Any, count: int = 1) -> None:
        super().__init__(head, whole)
        self._count = count
        self._texts: dict[int, list[str]] = {}
        self._final: dict[str, Any] = {}
        self._reasons: dict[int, str] = {}

    def part(self, value: dict[str, Any]) -> Sequence[TextGenerationPart]:
        if "choices" in value:
            return self._chunk(value)
        token, details = table(value.get("token")), table(value.get("details"))
        if not (token or details or "generated_text" in value):
            return ()
        special = bool(token.get("special"))
        part = TextGenerationPart("" if special else str(token.get("text") or ""), token or None, special, raw=value)
        self._texts.setdefault(0, []).append(part.text)
        if details:
            part.details = self._final["details"] = details
            reason = details.get("finish_reason")
            part.finish_reason = self._final["finish_reason"] = str(reason) if reason else None
        if isinstance(value.get("generated_text"), str):
            part.generated_text = self._final["generated_text"] = value["generated_text"]
            self.finished = True
        return [part]

    def _chunk(self, value: dict[str, Any]) -> list[TextGenerationPart]:
        self.usage = table(value.get("usage")) or self.usage
        parts: list[TextGenerationPart] = []
        for choice in rows(value["choices"]):
            index, reason = choice.get("index"), choice.get("finish_reason") or None
            index = index if isinstance(index, int) else 0
            part = TextGenerationPart(str(choice.get("text") or ""), index=index, raw=value)
            self._texts.setdefault(index, []).append(part.text)
            if reason:
                part.finish_reason = self._reasons[index] = str(reason)
            parts.append(part)
        self.finished = len(self._texts) >= self._count and self._texts.keys() <= self._reasons.keys()
        return parts

    def parts_of(self, answer: TextGenerationOutput) -> Sequence[TextGenerationPart]:
        """A whole answer, sent though a stream was asked for, as one part a continuation."""
        self.usage = answer.usage
        return [
            TextGenerationPart(
                each.generated_text, finish_reason=each.finish_reason, generated_text=each.generated_text, index=index
            )
            for index, each in enumerate(answer.sequences or [answer])
        ]

    def assembled(self) -> TextGenerationOutput:
        outputs = [
            {
                "generated_text": "".join(pieces), "usage": self.usage, "finish_reason": self._reasons.get(index),
            } for index, pieces in sorted(self._texts.items())
        ] or [{"generated_text": ""}]  # fmt: skip
        outputs[0] |= self._final
        return _first(parse(list[TextGenerationOutput], outputs))
