"""WaveSpeed: pictures and films, each of them a prediction that is asked after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hf_tools.errors import ReportedError, shown
from hf_tools.loose import table
from hf_tools.media.sources import read
from hf_tools.providers.dialects import Dialect, Job, Link, Provider, Target, below, first_link, state_of
from hf_tools.providers.wishes import one_negative, size_of
from hf_tools.wire import excerpt

if TYPE_CHECKING:
    from hf_tools.tasks.diffusion import Diffuses
    from hf_tools.tasks.image_generation import ImageTextToImage, ImageToImage, TextToImage
    from hf_tools.tasks.video import ImageTextToVideo, ImageToVideo, TextToVideo

PATH = "/api/v3/{model}"
HOSTS = frozenset(["api.wavespeed.ai"])
RUNNING, DONE = frozenset(["created", "processing"]), frozenset(["completed"])
NOTHING = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="
)
"""A picture of one transparent pixel: models that edit pictures want one even where they draw from a text alone."""


# the requests


def diffused(task: Diffuses[Any], target: Target, head: Mapping[str, Any]) -> dict[str, Any]:
    """The request for a picture or a film."""
    given = task.given("extra_body", "width", "height", "target_size")
    loras = {"loras": [{"path": target.hub_model, "scale": 1}]} if target.weights is not None else {}
    given = {**head, **given, **sized(task, target), **loras}
    return {**one_negative(task, target, given), **(task.extra_body or {})}


def sized(task: Diffuses[Any], target: Target) -> dict[str, Any]:
    """Width and height in pixels as WaveSpeed's documentation has them: `"1024*768"`."""
    size = size_of(task, target)
    return {"size": f"{size['width']}*{size['height']}"} if size else {}


def texted(task: TextToImage | TextToVideo, target: Target) -> dict[str, Any]:
    """A picture or a film of a text."""
    return diffused(task, target, {"prompt": task.prompt})


def pictured(
    task: ImageToImage | ImageToVideo | ImageTextToImage | ImageTextToVideo, target: Target
) -> dict[str, Any]:  # fmt: skip
    """A picture or a film of another picture: some models take one, some a list."""
    uri = NOTHING if task.image is None else read(task.image).data_uri
    head = {"prompt": task.prompt} if task.prompt is not None else {}
    return diffused(task, target, {"image": uri, "images": [uri], **head})


# the answers


def prediction(value: Any, target: Target, job: Job | None = None) -> Link | Job:
    """The result, or the prediction that is under way; `job` is the one that was asked after."""
    data = reported(value)
    reason = data.get("error") or table(value).get("error")
    state = state_of(data.get("status", None if job else "created"), RUNNING, DONE, reason)
    if state in DONE:
        return first_link(value, "data", "outputs")
    if job is None:
        url = below(target, first_link(value, "data", "urls", "get").url, HOSTS)
        job = Job(str(data.get("id") or ""), url, partial(prediction, target=target))
    job = replace(job, state=state)
    return replace(job, read=partial(prediction, target=target, job=job))


def reported(value: Any) -> dict[str, Any]:
    """The prediction in an answer; ReportedError where the answer is an error despite its status of 200."""
    about = table(value)
    code = about.get("code", 200)
    if code != 200:
        said = shown(about.get("message") or excerpt(value))
        raise ReportedError(f"the server answered with the code {shown(code, 20)}: {said}", code=str(code))
    return table(about.get("data"))


PROVIDER = Provider(
    "wavespeed", "https://api.wavespeed.ai",
    own={
        "image-text-to-image": Dialect(PATH, pictured, prediction),
        "image-text-to-video": Dialect(PATH, pictured, prediction),
        "image-to-image": Dialect(PATH, pictured, prediction),
        "image-to-video": Dialect(PATH, pictured, prediction),
        "text-to-image": Dialect(PATH, texted, prediction, confirmed=True),
        "text-to-video": Dialect(PATH, texted, prediction),
    },
)  # fmt: skip
