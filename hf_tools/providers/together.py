"""Together: most tasks in OpenAI's form; pictures and films with names of its own for what they may be told."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hf_tools.answer import Answer
from hf_tools.inputs import Text
from hf_tools.loose import rows, table
from hf_tools.media.sources import read
from hf_tools.providers.dialects import Dialect, Done, Job, Link, Provider, Target, below, first_link, state_of
from hf_tools.providers.wishes import one_negative, refusal
from hf_tools.task import Task
from hf_tools.wire import parse

if TYPE_CHECKING:
    from hf_tools.tasks.image_generation import ImageToImage, TextToImage
    from hf_tools.tasks.video import ImageToVideo, TextToVideo

HOSTS = frozenset(["api.together.xyz", "api.together.ai"])
IMAGES, VIDEOS = "/v1/images/generations", "/v2/videos"
RUNNING = frozenset(["", "queued", "in_progress"])
"""A job may have no state at first."""
DONE = frozenset(["completed"])
INTERVAL = 2.0
"""Seconds between two questions after a film, as huggingface.js waits."""
ABSENT = {
    "scheduler": "the model has its own",
    "strength": "say in the prompt how much is to change",
    "guess_mode": "say in the prompt what the picture shows",
    "num_frames": "give `seconds` and `fps` in `extra_body`",
}
"""What the API does not have (its OpenAPI description of 2026), and what to do instead."""


class Begun(Answer):
    """A job that has begun."""

    id: Text


def parameters(task: Task[Any], target: Target) -> dict[str, Any]:
    """The parameters by Together's names; InputError naming one that its API does not have."""
    given = task.given("extra_body", num_inference_steps="steps")
    for name, instead in ABSENT.items():
        if name in given:
            raise refusal(task, target, f"`{name}`", f"Leave it out: {instead}")
    size = given.pop("target_size", None)
    return {**one_negative(task, target, given), **(size or {})}


def drawn(task: TextToImage | ImageToImage, target: Target, prompt: str, image: Mapping[str, Any]) -> dict[str, Any]:
    """The request for a picture."""
    body = {"model": target.model, "prompt": prompt, **image, "response_format": "base64"}
    if target.weights is not None:
        body["image_loras"] = [{"path": f"https://huggingface.co/{target.hub_model}", "scale": 1}]
    return {**body, **parameters(task, target), **(task.extra_body or {})}


def text_to_image(task: TextToImage, target: Target) -> dict[str, Any]:
    """A picture of a text."""
    return drawn(task, target, task.prompt, {})


def image_to_image(task: ImageToImage, target: Target) -> dict[str, Any]:
    """A picture of another one: FLUX.1 Kontext takes it as `image_url`, all the others as a reference.

    A prompt must be there, be it empty.
    """
    uri, name = read(task.image).data_uri, target.model.lower()
    kontext = "flux.1" in name and "kontext" in name
    return drawn(task, target, task.prompt or "", {"image_url": uri} if kontext else {"reference_images": [uri]})


def text_to_video(task: TextToVideo, target: Target) -> dict[str, Any]:
    """A film of a text."""
    head = {"model": target.model, "prompt": task.prompt}
    return {**head, **parameters(task, target), **(task.extra_body or {})}


def image_to_video(task: ImageToVideo, target: Target) -> dict[str, Any]:
    """A film that begins with a picture; Together takes about 60 KB of it (61,440 characters of the data: URI)."""
    frames = [{"input_image": read(task.image).data_uri, "frame": "first"}]
    head = {"model": target.model, "frame_images": frames}
    return {**head, **parameters(task, target), **(task.extra_body or {})}


def picture(value: Any, _: Target) -> Done | Link:
    """The picture: base64, or behind a URL where `extra_body` asked for that."""
    found = rows(table(value).get("data"))
    return Done(value) if found and found[0].get("b64_json") else first_link(value, "data", "url")


def film(value: Any, target: Target, job: str = "") -> Link | Job:
    """The film, or the job that makes it; `job` is its ID where it is known."""
    found, error = table(value), table(value).get("error")
    status = found.get("status") or ("failed" if error else "")
    state = state_of(status, RUNNING, DONE, table(error).get("message") or error)
    if state in DONE:
        return first_link(value, "outputs", "video_url")
    job = job or parse(Begun, value).id
    url = below(target, f"{target.base}{VIDEOS}/{quote(job, safe='')}", HOSTS)
    return Job(job, url, partial(film, target=target, job=job), state, INTERVAL)


PROVIDER = Provider(
    "together", "https://api.together.xyz", schemas="flat",
    openai={
        "chat-completion": "/v1/chat/completions", "text-generation": "/v1/completions",
        "feature-extraction": "/v1/embeddings", "text-to-speech": "/v1/audio/speech",
        "automatic-speech-recognition": "/v1/audio/transcriptions",
    },
    own={
        "text-to-image": Dialect(IMAGES, text_to_image, picture, confirmed=True),
        "image-to-image": Dialect(IMAGES, image_to_image, picture, confirmed=True),
        "text-to-video": Dialect(VIDEOS, text_to_video, film, confirmed=True),
        "image-to-video": Dialect(VIDEOS, image_to_video, film),
    },
)  # fmt: skip
