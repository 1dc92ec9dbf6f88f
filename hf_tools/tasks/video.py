"""Films: made from text and pictures, and classified."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar

from hf_tools.inputs import OutputTransform, Positive, Text, Texts, TopK
from hf_tools.media import Video
from hf_tools.media.sources import ImageInput, VideoInput, link, read
from hf_tools.task import Body, Reply, Route, Server, Task, cannot
from hf_tools.tasks.diffusion import Diffuses
from hf_tools.tasks.results import Count, Scored, TargetSize, made
from hf_tools.wire import binary, flat, inputs, parse, read_json


class GeneratesVideo(Diffuses[Video]):
    """What the generation of a film may be told, whatever it starts from.

    An answer that only links to the film is a ShapeError with the URL as `link`.
    """

    servers: ClassVar[frozenset[Server]] = frozenset(["toolkit"])

    _: KW_ONLY
    num_frames: Count | None = None
    """How many frames the film has."""

    def parameters(self, prompt: str | None = None) -> dict[str, Any]:
        """The parameters with what else the caller gave."""
        first = {"prompt": prompt} if prompt is not None else {}
        return {**first, **self.given("extra_body"), **(self.extra_body or {})}

    def decode(self, reply: Reply) -> Video:
        return made(Video, reply)


class TextToVideo(GeneratesVideo):
    """Film what a text describes."""

    name: ClassVar[str] = "text-to-video"
    remote: ClassVar[tuple[str, ...]] = ("fal-ai", "novita", "replicate", "together", "wavespeed")

    prompt: Text
    """What the film shows."""
    _: KW_ONLY
    negative_prompt: Texts | str | None = None
    """What the film must not show: one text or several, as the server takes it."""

    def encode(self, route: Route) -> Body:
        return inputs(route, self.prompt, self.parameters())


class ImageToVideo(GeneratesVideo):
    """Let a picture move."""

    name: ClassVar[str] = "image-to-video"
    remote: ClassVar[tuple[str, ...]] = ("fal-ai", "together", "wavespeed")

    image: ImageInput
    """The picture to start from: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    _: KW_ONLY
    prompt: Text | None = None
    """What happens in the film."""
    negative_prompt: str | None = None
    """What the film must not show."""
    target_size: TargetSize | None = None
    """Size of the frames in pixels, `{"width": ..., "height": ...}`."""

    def encode(self, route: Route) -> Body:
        return binary(self, route, read(self.image), self.parameters())


class ImageTextToVideo(GeneratesVideo):
    """Film from a picture, a text, or both."""

    name: ClassVar[str] = "image-text-to-video"
    remote: ClassVar[tuple[str, ...]] = ("fal-ai", "wavespeed")

    image: ImageInput | None = None
    """The picture to start from; without it there must be a prompt."""
    prompt: Text | None = None
    """What happens in the film; without it there must be a picture."""
    _: KW_ONLY
    negative_prompt: str | None = None
    """What the film must not show."""
    target_size: TargetSize | None = None
    """Size of the frames in pixels, `{"width": ..., "height": ...}`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image is None and self.prompt is None:
            raise ValueError("give `image`, `prompt` or both")

    def encode(self, route: Route) -> Body:
        parameters = self.parameters(self.prompt)
        if self.image is None:
            return inputs(route, None, parameters)  # the toolkit refuses a body without the key `inputs`
        return binary(self, route, read(self.image), parameters)


class VideoClassificationOutput(Scored):
    """A class of the film."""


class VideoClassification(Task[list[VideoClassificationOutput]]):
    """Say what a film shows: labels with scores, most likely first.

    An inference-toolkit endpoint takes no film, only an http(s) URL, which it fetches itself.
    """

    name: ClassVar[str] = "video-classification"
    deadline: ClassVar[float] = 600.0
    keeps_urls: ClassVar[frozenset[Server]] = frozenset(["toolkit"])
    """Servers to which a URL is passed on unread: the exchange does not load a `Source` with a URL for them."""

    video: VideoInput
    """The film: bytes, a path, a URL, a data: URI, a file object or a result."""
    _: KW_ONLY
    function_to_apply: OutputTransform | None = None
    """Function that turns the model's outputs into scores."""
    num_frames: Positive | None = None
    """How many frames of the film are looked at."""
    frame_sampling_rate: Positive | None = None
    """Look at each n-th frame."""
    top_k: TopK | None = None
    """Return this many of the likeliest labels."""

    def encode(self, route: Route) -> Body:
        if route.server not in self.keeps_urls:
            return binary(self, route, read(self.video), self.given())
        url = link(self.video)
        if url is None:
            hint = "It takes an http(s) URL that it can read itself: pass that as `video`"
            raise cannot(self, route, "the bytes of a video", hint)
        return inputs(route, url, self.given())

    def decode(self, reply: Reply) -> list[VideoClassificationOutput]:
        return parse(list[VideoClassificationOutput], flat(read_json(reply)))
