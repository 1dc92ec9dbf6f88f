"""Z.ai: chat in OpenAI's form, pictures as jobs, the text in pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hf_tools.answer import Answer
from hf_tools.inputs import Text
from hf_tools.loose import table
from hf_tools.media.sources import read
from hf_tools.providers.dialects import Dialect, Done, Job, Link, Provider, Target, below, first_link, state_of
from hf_tools.providers.wishes import refusal
from hf_tools.wire import parse

if TYPE_CHECKING:
    from hf_tools.tasks.image import ImageToText
    from hf_tools.tasks.image_generation import TextToImage

HOSTS = frozenset(["api.z.ai"])
RUNNING, DONE = frozenset(["processing"]), frozenset(["success"])
INTERVAL = 2.0
"""Seconds between two questions after a picture, as huggingface.js waits."""


class Begun(Answer):
    """A job that has begun."""

    id: Text


def text_to_image(task: TextToImage, target: Target) -> dict[str, Any]:
    """A picture of a text; Z.ai can be told its size."""
    body: dict[str, Any] = {"model": target.model, "prompt": task.prompt}
    given = task.given("extra_body")
    for name in given:
        if name not in ("width", "height"):
            raise refusal(task, target, f"`{name}`", "It carries height, width; more goes into `extra_body`")
    if len(given) == 1:
        raise refusal(task, target, f"`{next(iter(given))}` alone", "Give both `width` and `height`")
    if given:
        body["size"] = f"{task.width}x{task.height}"
    return {**body, **(task.extra_body or {})}


def picture(value: Any, target: Target, job: str = "") -> Link | Job:
    """The picture, or the job that makes it; `job` is its ID where it is known."""
    found = table(value)
    error = found.get("error")
    state = state_of(found.get("task_status"), RUNNING, DONE, table(error).get("message") or error)
    if state in DONE:
        return first_link(value, "image_result", "url")
    job = job or parse(Begun, value).id
    url = below(target, f"{target.base}/api/paas/v4/async-result/{quote(job, safe='')}", HOSTS)
    return Job(job, url, partial(picture, target=target, job=job), state, INTERVAL)


def image_to_text(task: ImageToText, target: Target) -> dict[str, Any]:
    """The text in a picture, as Markdown."""
    if task.max_new_tokens is not None:
        raise refusal(task, target, "`max_new_tokens`", "Leave it out: the whole text is read")
    return {"model": target.model, "file": read(task.image).data_uri, **(task.generation_parameters or {})}


def text(value: Any, _: Target) -> Done:
    """The text, which the task knows by Z.ai's name for it."""
    return Done(value)


PROVIDER = Provider(
    "zai-org", "https://api.z.ai",
    openai={"chat-completion": "/api/paas/v4/chat/completions"},
    own={
        "text-to-image": Dialect("/api/paas/v4/async/images/generations", text_to_image, picture, confirmed=True),
        "image-to-text": Dialect("/api/paas/v4/layout_parsing", image_to_text, text, confirmed=True),
    },
    headers={"x-source-channel": "hugging_face", "accept-language": "en-US,en"},
)  # fmt: skip
