"""Novita: chat and text in OpenAI's form, films as jobs or at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hf_tools.answer import Answer
from hf_tools.inputs import Text
from hf_tools.loose import table
from hf_tools.providers.dialects import Dialect, Job, Link, Provider, Target, below, first_link, state_of
from hf_tools.providers.wishes import one_negative
from hf_tools.wire import parse

if TYPE_CHECKING:
    from hf_tools.tasks.video import TextToVideo

HOSTS = frozenset(["api.novita.ai"])
RUNNING = frozenset(["task_status_queued", "task_status_processing"])
DONE = frozenset(["task_status_succeed"])


class Begun(Answer):
    """A job that has begun."""

    task_id: Text


def text_to_video(task: TextToVideo, target: Target) -> dict[str, Any]:
    """A film of a text; each of Novita's models has parameters of its own, so that none is refused here."""
    given = task.given("extra_body", num_inference_steps="steps")
    return {"prompt": task.prompt, **one_negative(task, target, given), **(task.extra_body or {})}


def film(value: Any, target: Target) -> Link | Job:
    """The film, or the job that makes it."""
    if "video" in table(value):
        return first_link(value, "video", "video_url")
    job = parse(Begun, value).task_id
    url = below(target, f"{target.base}/v3/async/task-result?task_id={quote(job, safe='')}", HOSTS)
    return Job(job, url, partial(result, job=job, url=url))


def result(value: Any, job: str, url: str) -> Link | Job:
    """What has become of a job."""
    task = table(table(value).get("task"))
    state = state_of(task.get("status"), RUNNING, DONE, task.get("reason"))
    if state in DONE:
        return first_link(value, "videos", "video_url")
    return Job(job, url, partial(result, job=job, url=url), state)


PROVIDER = Provider(
    "novita", "https://api.novita.ai",
    openai={"chat-completion": "/v3/openai/chat/completions", "text-generation": "/v3/openai/completions"},
    own={"text-to-video": Dialect("/v3/async/{model}", text_to_video, film, confirmed=True)},
)  # fmt: skip
