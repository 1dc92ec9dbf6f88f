"""Pictures in, labels, boxes, masks, depth or text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import AliasChoices, Field, model_validator

from hf_tools.answer import Answer
from hf_tools.errors import ShapeError
from hf_tools.inputs import Fraction, Labels, Object, OutputTransform, Positive, Text, TopK
from hf_tools.media import Image
from hf_tools.media.sources import ImageInput, read
from hf_tools.task import Body, Reply, Route, Task
from hf_tools.tasks.results import Detected, Encoded, Scored, separate
from hf_tools.wire import Label, binary, flat, from_base64, inputs, media_body, one, parse, read_json

Subtask: TypeAlias = Literal["instance", "panoptic", "semantic"]


class ImageClassificationOutput(Scored):
    """A class of the picture."""


class ImageClassification(Task[list[ImageClassificationOutput]]):
    """Say what a picture shows: labels with scores, most likely first."""

    name: ClassVar[str] = "image-classification"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    _: KW_ONLY
    function_to_apply: OutputTransform | None = None
    """Function that turns the model's outputs into scores."""
    top_k: TopK | None = None
    """Return this many of the likeliest labels; servers return 5 unless told."""

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.image), self.given())

    def decode(self, reply: Reply) -> list[ImageClassificationOutput]:
        return parse(list[ImageClassificationOutput], flat(read_json(reply)))


class ObjectDetectionOutput(Detected):
    """A thing in the picture."""


class ObjectDetection(Task[list[ObjectDetectionOutput]]):
    """Find things in a picture: labels with scores and boxes; nothing found is an empty list."""

    name: ClassVar[str] = "object-detection"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    _: KW_ONLY
    threshold: Fraction | None = None
    """Smallest score of what is returned, 0 to 1."""

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.image), self.given())

    def decode(self, reply: Reply) -> list[ObjectDetectionOutput]:
        return parse(list[ObjectDetectionOutput], flat(read_json(reply)))


class ImageSegmentationOutput(Answer):
    """A part of the picture; `score` is None where the model has none (semantic segmentation)."""

    label: Label
    """What the part is, as the model names it."""
    score: float | None = None
    """How sure the model is, 0 to 1."""
    encoded_mask: Encoded = Field(alias="mask", repr=False)
    """The mask as it came: base64."""

    @cached_property
    def mask(self) -> Image:
        """The mask, as large as the picture, bright where the part is; decoded once, DecodeError where broken."""
        return from_base64(Image, self.encoded_mask, f'the mask of "{self.label}"')


class ImageSegmentation(Task[list[ImageSegmentationOutput]]):
    """Divide a picture into parts: labels with masks."""

    name: ClassVar[str] = "image-segmentation"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    _: KW_ONLY
    mask_threshold: float | None = None
    """Value from which on a predicted mask counts as set."""
    overlap_mask_area_threshold: Fraction | None = None
    """Overlap of masks, 0 to 1, below which small loose parts are dropped."""
    subtask: Subtask | None = None
    """Kind of segmentation, as far as the model can."""
    threshold: Fraction | None = None
    """Smallest score of what is returned, 0 to 1."""

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.image), self.given())

    def decode(self, reply: Reply) -> list[ImageSegmentationOutput]:
        return parse(list[ImageSegmentationOutput], flat(read_json(reply)))


class ImageToTextOutput(Answer):
    """What the picture shows, or the text in it."""

    generated_text: str = Field(validation_alias=AliasChoices("generated_text", "generatedText", "md_results"))
    """The text."""


class ImageToText(Task[ImageToTextOutput]):
    """Describe a picture, or read the text in it."""

    name: ClassVar[str] = "image-to-text"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    _: KW_ONLY
    max_new_tokens: Positive | None = None
    """Most tokens that are written."""
    generation_parameters: Object | None = None
    """More parameters of the text generation, as the server names them."""

    def __post_init__(self) -> None:
        separate(self.given("generation_parameters"), self.generation_parameters, "generation_parameters")

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.image), self.given())

    def decode(self, reply: Reply) -> ImageToTextOutput:
        return parse(ImageToTextOutput, one(read_json(reply)))


class DepthEstimationOutput(Answer):
    """How far away each point is: a picture (`depth`), and numbers where the server sends them."""

    encoded_depth: Encoded | None = Field(None, alias="depth", repr=False)
    """The picture as it came: base64."""
    predicted_depth: list[Any] | None = Field(None, repr=False)
    """Rows of numbers as the server sent them (nested lists, None for NaN), if it did."""

    @model_validator(mode="after")
    def _something(self) -> DepthEstimationOutput:
        if self.encoded_depth is None and self.predicted_depth is None:
            raise ValueError("neither `depth` nor `predicted_depth`")
        return self

    @cached_property
    def depth(self) -> Image:
        """The depth as a grey picture; decoded once, DecodeError where broken, ShapeError where only numbers came."""
        if self.encoded_depth is None:
            raise ShapeError("the server sent no picture of the depth", hint="Its numbers are in `predicted_depth`")
        return from_base64(Image, self.encoded_depth, "the depth")


class DepthEstimation(Task[DepthEstimationOutput]):
    """Estimate how far away each point of a picture is.

    A default inference-toolkit endpoint answers this task with an error; a custom handler can do it.
    """

    name: ClassVar[str] = "depth-estimation"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.image), {})

    def decode(self, reply: Reply) -> DepthEstimationOutput:
        value = media_body(Image, reply)
        value = one(value) if not isinstance(value, Image) else value.data_uri
        return parse(DepthEstimationOutput, {"depth": value} if isinstance(value, str) else value)


class ZeroShotImageClassificationOutput(Scored):
    """One of the candidate labels."""


class ZeroShotImageClassification(Task[list[ZeroShotImageClassificationOutput]]):
    """Say which of your labels fits a picture: each label with its score, most likely first."""

    name: ClassVar[str] = "zero-shot-image-classification"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    candidate_labels: Labels
    """The labels to choose from, or one string with commas between them; the old API advised at most 10."""
    _: KW_ONLY
    hypothesis_template: Text | None = None
    """Sentence that is compared with the picture; `{}` stands for the label."""

    def encode(self, route: Route) -> Body:
        return inputs(route, read(self.image).base64, {"candidate_labels": self.candidate_labels, **self.given()})

    def decode(self, reply: Reply) -> list[ZeroShotImageClassificationOutput]:
        return parse(list[ZeroShotImageClassificationOutput], flat(read_json(reply)))


class ZeroShotObjectDetectionOutput(Detected):
    """A thing in the picture; its label is one of the candidates."""


class ZeroShotObjectDetection(Task[list[ZeroShotObjectDetectionOutput]]):
    """Find things of your labels in a picture; nothing found is an empty list."""

    name: ClassVar[str] = "zero-shot-object-detection"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    candidate_labels: Labels
    """What to look for, or one string with commas between."""
    _: KW_ONLY
    threshold: Fraction | None = None
    """Smallest score of what is returned, 0 to 1."""
    top_k: TopK | None = None
    """Return at most this many, the likeliest."""

    def encode(self, route: Route) -> Body:
        parameters: Mapping[str, Any] = {"candidate_labels": self.candidate_labels, **self.given()}
        return inputs(route, read(self.image).base64, parameters)

    def decode(self, reply: Reply) -> list[ZeroShotObjectDetectionOutput]:
        return parse(list[ZeroShotObjectDetectionOutput], flat(read_json(reply)))
