"""Pictures out of text and pictures."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar

from hf_tools.inputs import Fraction, Positive, Text
from hf_tools.media import Image
from hf_tools.media.sources import ImageInput, read
from hf_tools.task import Body, Reply, Route, Server, cannot, only
from hf_tools.tasks.diffusion import Diffuses
from hf_tools.tasks.results import TargetSize, agree, made, sized
from hf_tools.wire import as_json, binary, inputs


class GeneratesImage(Diffuses[Image]):
    """What the generation of a picture may be told, whatever it starts from.

    The format of the picture is what its bytes say: servers send JPEG or WebP where PNG was asked for. An answer
    that only links to the picture is a ShapeError with the URL as `link`.
    """

    _: KW_ONLY
    negative_prompt: str | None = None
    """What the picture must not show."""
    height: Positive | None = None
    """Height in pixels."""
    width: Positive | None = None
    """Width in pixels."""

    def decode(self, reply: Reply) -> Image:
        return made(Image, reply)


class TextToImage(GeneratesImage):
    """Draw what a text describes."""

    name: ClassVar[str] = "text-to-image"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "openai"])

    prompt: Text
    """What the picture shows."""
    _: KW_ONLY
    scheduler: Text | None = None
    """Name of another scheduler that fits the model."""

    def encode(self, route: Route) -> Body:
        extra = self.extra_body or {}
        parameters = self.given("extra_body")
        if route.server != "openai":
            return inputs(route, self.prompt, {**parameters, **extra}, accept="image/png")
        only(self, route, parameters, frozenset(["height", "width"]))
        body: dict[str, Any] = {"model": route.model} if route.model else {}
        body |= {"prompt": self.prompt, "response_format": "b64_json"}
        if len(parameters) == 1:
            raise cannot(self, route, f"`{next(iter(parameters))}` alone", "Give both `width` and `height`")
        if parameters:
            body["size"] = f"{self.width}x{self.height}"
        return as_json({**body, **extra}, path="/v1/images/generations")


class ChangesImage(GeneratesImage):
    """What the generation of a picture from another one may be told."""

    _: KW_ONLY
    target_size: TargetSize | None = None
    """Size in pixels, `{"width": ..., "height": ...}`, instead of `width` and `height`."""
    strength: Fraction | None = None
    """How much may change, 0 to 1 (Stable Diffusion only)."""
    guess_mode: bool | None = None
    """Guess what the picture shows even without a prompt; guidance_scale 3.0 to 5.0 goes well with it (ControlNet)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        agree(self.target_size, self.width, self.height)

    def parameters(self, prompt: str | None) -> dict[str, Any]:
        """The parameters, the size in the form of today's servers."""
        first = {"prompt": prompt} if prompt is not None else {}
        return sized({**first, **self.given("extra_body")}) | dict(self.extra_body or {})


class ImageToImage(ChangesImage):
    """Change a picture as a text says."""

    name: ClassVar[str] = "image-to-image"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    prompt: Text | None = None
    """What the new picture shows."""

    def encode(self, route: Route) -> Body:
        # a custom handler on the toolkit answers with a PIL image or with JSON: `*/*` gets both
        accept = "image/png" if route.server == "hf-inference" else "*/*"
        return binary(self, route, read(self.image), self.parameters(self.prompt), accept=accept)


class ImageTextToImage(ChangesImage):
    """Draw from a picture, a text, or both."""

    name: ClassVar[str] = "image-text-to-image"
    servers: ClassVar[frozenset[Server]] = frozenset(["toolkit"])
    remote: ClassVar[tuple[str, ...]] = ("fal-ai", "wavespeed")

    image: ImageInput | None = None
    """The picture to start from; without it there must be a prompt."""
    prompt: Text | None = None
    """What the new picture shows; without it there must be a picture."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image is None and self.prompt is None:
            raise ValueError("give `image`, `prompt` or both")

    def encode(self, route: Route) -> Body:
        parameters = self.parameters(self.prompt)
        if self.image is None:
            return inputs(route, None, parameters)  # the toolkit refuses a body without the key `inputs`
        return binary(self, route, read(self.image), parameters)
