"""Sound in: its text, its labels, or its parts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast

from pydantic import BeforeValidator, Field, model_validator

from hf_tools.answer import Answer
from hf_tools.inputs import Object, OutputTransform, TopK
from hf_tools.media import Audio
from hf_tools.media.sources import AudioInput, read
from hf_tools.task import Body, Reply, Route, Server, Task, cannot, only
from hf_tools.tasks.results import Encoded, Scored, separate
from hf_tools.wire import Label, binary, flat, from_base64, multipart, one, parse, read_json

Timestamps: TypeAlias = bool | Literal["word", "char"]


def _chunk(value: Any) -> Any:
    """OpenAI-shaped servers give segments and words with `start` and `end`."""
    if not isinstance(value, dict):
        return value
    given = cast("dict[str, Any]", value)
    if given.get("timestamp") is not None:
        return given
    return {"text": given.get("word"), **given, "timestamp": (given.get("start"), given.get("end"))}


class AutomaticSpeechRecognitionChunk(Answer):
    """A piece of the text and when it is said: start and end in seconds, None where the model cannot tell."""

    text: str
    """What is said in it."""
    timestamp: tuple[float | None, float | None]
    """Its start and end in seconds."""


Chunk: TypeAlias = Annotated[AutomaticSpeechRecognitionChunk, BeforeValidator(_chunk)]


class AutomaticSpeechRecognitionOutput(Answer):
    """What is said: an empty text where nothing is; `chunks` where timestamps were asked for."""

    text: str
    """All that is said."""
    chunks: list[Chunk] = Field(default_factory=lambda: list[AutomaticSpeechRecognitionChunk]())
    """The pieces with their times."""

    @model_validator(mode="before")
    @classmethod
    def _timed(cls, value: Any) -> Any:
        """Chunks under their other names: words where they were asked for, else segments."""
        if not isinstance(value, dict):
            return value
        given = cast("dict[str, Any]", value)
        return {**given, "chunks": given.get("chunks") or given.get("words") or given.get("segments") or []}


class AutomaticSpeechRecognition(Task[AutomaticSpeechRecognitionOutput]):
    """Write down what is said."""

    name: ClassVar[str] = "automatic-speech-recognition"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "openai"])
    deadline: ClassVar[float] = 600.0

    audio: AudioInput
    """The sound: bytes, a path, a URL, a data: URI, a file object or a result."""
    _: KW_ONLY
    return_timestamps: Timestamps | None = None
    """True for the times of the chunks, `word` or `char` for those of each word or character."""
    generation_parameters: Object | None = None
    """More parameters of the text generation, as the server names them."""
    extra_body: Object | None = None
    """More parameters, as the server names them."""

    def __post_init__(self) -> None:
        separate(self.given("extra_body"), self.extra_body, "extra_body")

    def encode(self, route: Route) -> Body:
        extra, audio = dict(self.extra_body or {}), read(self.audio)
        if route.server != "openai":
            return binary(self, route, audio, self.given("extra_body") | extra)
        parameters = only(self, route, self.given("extra_body"), frozenset(["return_timestamps"]))
        values = {"model": route.model} if route.model else {}
        return multipart(
            "file", audio, {**values, **self.timed(route, parameters), **extra}, path="/v1/audio/transcriptions"
        )

    def timed(self, route: Route, parameters: Mapping[str, Any]) -> dict[str, str]:
        """The values that ask an OpenAI-shaped server for timestamps."""
        wanted = parameters.get("return_timestamps")
        if wanted == "char":
            raise cannot(self, route, "`return_timestamps` = 'char'", "It can do True and 'word'")
        if not wanted:
            return {}
        words = {"timestamp_granularities[]": "word"} if wanted == "word" else {}
        return {"response_format": "verbose_json", **words}

    def decode(self, reply: Reply) -> AutomaticSpeechRecognitionOutput:
        return parse(AutomaticSpeechRecognitionOutput, one(read_json(reply)))


class AudioClassificationOutput(Scored):
    """A class of the sound."""


class AudioClassification(Task[list[AudioClassificationOutput]]):
    """Say what is heard: labels with scores, most likely first."""

    name: ClassVar[str] = "audio-classification"

    audio: AudioInput
    """The sound: bytes, a path, a URL, a data: URI, a file object or a result."""
    _: KW_ONLY
    top_k: TopK | None = None
    """Return this many of the likeliest labels; servers return 5 unless told."""
    function_to_apply: OutputTransform | None = None
    """Function that turns the model's outputs into scores."""

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.audio), self.given())

    def decode(self, reply: Reply) -> list[AudioClassificationOutput]:
        return parse(list[AudioClassificationOutput], flat(read_json(reply)))


class AudioToAudioOutput(Answer):
    """A sound that was made of the input, for instance one of its voices."""

    label: Label
    """What the sound is, as the model names it."""
    encoded_blob: Encoded = Field(alias="blob", repr=False)
    """The sound as it came: base64."""
    content_type: str | None = Field(None, alias="content-type")
    """The type that the server declares; `blob.mime_type` is what the bytes say."""

    @cached_property
    def blob(self) -> Audio:
        """The sound; decoded once, DecodeError where broken."""
        found = from_base64(Audio, self.encoded_blob, f'the sound of "{self.label}"')
        known = found.mime_type != "application/octet-stream"
        return found if known else Audio(found.data, self.content_type or "")


class AudioToAudio(Task[list[AudioToAudioOutput]]):
    """Enhance a sound or separate its voices: one result for each."""

    name: ClassVar[str] = "audio-to-audio"
    deadline: ClassVar[float] = 600.0

    audio: AudioInput
    """The sound: bytes, a path, a URL, a data: URI, a file object or a result."""

    @property
    def costly(self) -> bool:
        return True

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.audio), {})

    def decode(self, reply: Reply) -> list[AudioToAudioOutput]:
        return parse(list[AudioToAudioOutput], flat(read_json(reply)))
