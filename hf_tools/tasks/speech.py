"""Text in, sound out."""

from __future__ import annotations

import wave
from array import array
from collections.abc import Mapping
from dataclasses import KW_ONLY
from io import BytesIO
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hf_tools.answer import Answer
from hf_tools.errors import ShapeError
from hf_tools.inputs import Fraction, NotNegativeFloat, Object, Positive, Text, TopK, ordered
from hf_tools.media import Audio
from hf_tools.task import Body, Reply, Route, Server, Task, cannot, only
from hf_tools.tasks.results import separate, within
from hf_tools.wire import as_json, depth, excerpt, inputs, media_body, one, parse

MOST_CHANNELS = 64


class GeneratesSound(Task[Audio]):
    """What the generation of a sound may be told.

    The answer has the bytes as the server sent them; where it sent samples, they become a WAV file. An answer
    that only links to the sound is a ShapeError with the URL as `link`.
    """

    deadline: ClassVar[float] = 600.0

    text: Text
    """The text to make heard."""
    _: KW_ONLY
    do_sample: bool | None = None
    """Sample instead of taking the likeliest token."""
    early_stopping: bool | Literal["never"] | None = None
    """When beam search ends."""
    epsilon_cutoff: Fraction | None = None
    """Sample among tokens above this probability only, 0 to 1 (both excluded by most servers)."""
    eta_cutoff: Fraction | None = None
    """Limit of eta sampling, 0 to 1 (both excluded by most servers)."""
    max_length: Positive | None = None
    """Most tokens, the text included; `max_new_tokens` goes first."""
    max_new_tokens: Positive | None = None
    """Most tokens that are made."""
    min_length: Positive | None = None
    """Fewest tokens, the text included; `min_new_tokens` goes first."""
    min_new_tokens: Positive | None = None
    """Fewest tokens that are made."""
    num_beam_groups: Positive | None = None
    """Groups of beams that are kept different."""
    num_beams: Positive | None = None
    """Beams of the beam search."""
    penalty_alpha: NotNegativeFloat | None = None
    """Balance of contrastive search: model confidence against degeneration."""
    temperature: NotNegativeFloat | None = None
    """Spread of the sampling."""
    top_k: TopK | None = None
    """Sample among this many of the likeliest tokens only."""
    top_p: Fraction | None = None
    """Sample among the likeliest tokens that together have this probability."""
    typical_p: Fraction | None = None
    """Mass of typical decoding."""
    use_cache: bool | None = None
    """Let the model reuse its last keys and values, which is faster."""
    generation_parameters: Object | None = None
    """More parameters of the generation, as the server names them."""
    extra_body: Object | None = None
    """More parameters, as the server names them."""

    @property
    def costly(self) -> bool:
        return True

    def __post_init__(self) -> None:
        ordered(self.min_length, self.max_length, ("min_length", "max_length"))
        ordered(self.min_new_tokens, self.max_new_tokens, ("min_new_tokens", "max_new_tokens"))
        given = self.given("generation_parameters", "extra_body")
        separate(given, self.generation_parameters, "generation_parameters")
        separate({**given, **(self.generation_parameters or {})}, self.extra_body, "extra_body")

    def body(self, route: Route, given: Mapping[str, Any]) -> Body:
        """The request of `inputs` and `parameters`: flat on hf-inference, in a mapping of their own on the toolkit."""
        parameters: dict[str, Any] = {**given, **(self.generation_parameters or {})}
        if route.server == "toolkit" and parameters:
            parameters = {"generation_parameters": parameters}
        return inputs(route, self.text, {**parameters, **(self.extra_body or {})})

    def encode(self, route: Route) -> Body:
        return self.body(route, self.given("generation_parameters", "extra_body"))

    def decode(self, reply: Reply) -> Audio:
        value = media_body(Audio, reply)
        return value if isinstance(value, Audio) else sound(one(value))


class TextToAudio(GeneratesSound):
    """Make music or a sound that a text describes."""

    name: ClassVar[str] = "text-to-audio"


OPENAI = ("voice", "response_format", "speed")


class TextToSpeech(GeneratesSound):
    """Read a text aloud."""

    name: ClassVar[str] = "text-to-speech"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "openai"])

    _: KW_ONLY
    voice: Text | None = None
    """Name of the voice (OpenAI-shaped servers only)."""
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None = None
    """Format of the sound (OpenAI-shaped servers only)."""
    speed: Annotated[float, Field(gt=0)] | None = None
    """How fast to speak, 1 is normal (OpenAI-shaped servers only; OpenAI takes 0.25 to 4)."""

    def encode(self, route: Route) -> Body:
        given = self.given("extra_body")
        if route.server == "openai":
            body: dict[str, Any] = {"model": route.model} if route.model else {}
            body |= {"input": self.text, **only(self, route, given, frozenset(OPENAI)), **(self.extra_body or {})}
            return as_json(body, path="/v1/audio/speech")
        for name in OPENAI:
            if name in given:
                hint = "OpenAI-shaped servers take it; what this server knows itself goes into `extra_body`"
                raise cannot(self, route, f"`{name}`", hint)
        return self.body(route, self.given("generation_parameters", "extra_body"))


# samples


class Sound(Answer):
    """The sound of a JSON answer: base64 or samples, and the rate in Hz."""

    audio: list[Any] | dict[str, Any] | str
    sampling_rate: Annotated[float, Field(ge=1, le=10_000_000)] | None = None


def sound(value: Any) -> Audio:
    """The sound of a JSON answer: samples with their rate, or base64; ShapeError where it holds none."""
    if not isinstance(value, dict) or "audio" not in value:
        return within(Audio, value, "the answer")
    answer = parse(Sound, value)
    rate = None if answer.sampling_rate is None else round(answer.sampling_rate)
    if not isinstance(answer.audio, list):
        found = within(Audio, answer.audio, "`audio`")
        return Audio(found.data, found.mime_type, rate)
    if rate is None:
        raise ShapeError("unexpected answer: samples in `audio`, but no `sampling_rate`")
    return Audio(wav(channels(answer.audio), rate), "audio/wav", rate)


def channels(samples: list[Any]) -> list[list[float | None]]:
    """One row of samples for each channel, from [n], [channels][n], [n][channels] or one of them in a list."""
    while depth(samples) > 2 and len(samples) == 1:
        samples = samples[0]
    if depth(samples) == 1:
        samples = [samples]
    rows = parse(list[list[float | None]], samples)
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise ShapeError(f"unexpected answer: `audio` is empty or ragged: it begins {excerpt(samples)}")
    if len(rows) > len(rows[0]):
        rows = [list(row) for row in zip(*rows, strict=True)]
    if len(rows) > MOST_CHANNELS:
        raise ShapeError(f"unexpected answer: `audio` has {len(rows)} channels of {len(rows[0])} samples")
    return rows


def wav(rows: list[list[float | None]], rate: int) -> bytes:
    """A WAV file of 16 bits: samples of -1 to 1 are scaled and clipped; NaN is silence.

    Whole numbers, some of them beyond 1, are 16-bit samples already.
    """
    whole = all(float(sample or 0).is_integer() for row in rows for sample in row)
    ready = whole and any(abs(sample or 0) > 1 for row in rows for sample in row)
    scale = 1 if ready else 32767
    mixed = array("h", bytes(2 * len(rows) * len(rows[0])))
    for number, row in enumerate(rows):
        mixed[number :: len(rows)] = array("h", [_pcm(sample, scale) for sample in row])
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(len(rows))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(mixed.tobytes())
    return buffer.getvalue()


def _pcm(sample: float | None, scale: int) -> int:
    if sample is None or sample != sample:
        return 0
    return round(max(-32768.0, min(32767.0, sample * scale)))
