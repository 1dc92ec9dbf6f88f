"""Replicate: a prediction of each model, whose answer may come with the request or has to be asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hf_tools.errors import ShapeError
from hf_tools.loose import items, table
from hf_tools.media import Media
from hf_tools.media.sources import read
from hf_tools.providers.dialects import Dialect, Done, Job, Link, Provider, Target, below, first_link, state_of
from hf_tools.providers.wishes import one_negative
from hf_tools.wire import excerpt

if TYPE_CHECKING:
    from hf_tools.tasks.audio import AutomaticSpeechRecognition
    from hf_tools.tasks.diffusion import Diffuses
    from hf_tools.tasks.image_generation import ImageToImage, TextToImage
    from hf_tools.tasks.speech import TextToSpeech
    from hf_tools.tasks.video import TextToVideo

HOSTS = frozenset(["api.replicate.com"])
RUNNING, DONE = frozenset(["starting", "processing"]), frozenset(["succeeded"])
Finish = Callable[[Any], Done | Link]


# the requests


def path(target: Target) -> str:
    """The route of a model, or the one for all where its name has a version after a colon."""
    return "/v1/predictions" if ":" in target.model else "/v1/models/{model}/predictions"


def predicted(given: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """The request; Replicate refuses whatever else stands beside the input."""
    _, colon, version = target.model.partition(":")
    return {"input": dict(given), **({"version": version} if colon else {})}


def diffused(task: Diffuses[Any], target: Target, head: Mapping[str, Any]) -> dict[str, Any]:
    """The request for a picture or a film."""
    given = task.given("extra_body", "target_size")
    size: dict[str, Any] = task.given().get("target_size") or {}
    weights = {"lora_weights": f"https://huggingface.co/{target.hub_model}"} if target.weights is not None else {}
    given = {**head, **given, **size, **weights}
    return predicted({**one_negative(task, target, given), **(task.extra_body or {})}, target)


def texted(task: TextToImage | TextToVideo, target: Target) -> dict[str, Any]:
    """A picture or a film of a text."""
    return diffused(task, target, {"prompt": task.prompt})


def image_to_image(task: ImageToImage, target: Target) -> dict[str, Any]:
    """A picture of another one: each model takes it under one of four names."""
    uri = read(task.image).data_uri
    head = {"image": uri, "images": [uri], "input_image": uri, "input_images": [uri]}
    return diffused(task, target, {**head, **({"prompt": task.prompt} if task.prompt is not None else {})})


def text_to_speech(task: TextToSpeech, target: Target) -> dict[str, Any]:
    """A text, read aloud."""
    given = task.given("generation_parameters", "extra_body")
    more = {**(task.generation_parameters or {}), **(task.extra_body or {})}
    return predicted({"text": task.text, **given, **more}, target)


def transcription(task: AutomaticSpeechRecognition, target: Target) -> dict[str, Any]:
    """The text of a sound."""
    given = task.given("generation_parameters", "extra_body")
    more = {**(task.generation_parameters or {}), **(task.extra_body or {})}
    return predicted({"audio": read(task.audio).data_uri, **given, **more}, target)


# the answers


def prediction(
    value: Any, target: Target, finish: Finish, *, whole: bool = False, job: Job | None = None
) -> Done | Link | Job:  # fmt: skip
    """The result, or the prediction that is under way; `job` is the one that was asked after.

    A result is often there before the state says so. Where it must be `whole`, a list is awaited to its end.
    """
    about = table(value)
    output, state = about.get("output"), state_of(about.get("status"), RUNNING, DONE, about.get("error"))
    if state in DONE or (output and not (whole and isinstance(output, list))):
        return finish(value)
    later = partial(prediction, target=target, finish=finish, whole=whole)
    if job is None:
        url = below(target, first_link(value, "urls", "get").url, HOSTS)
        job = Job(str(about.get("id") or ""), url, later, cancel=("POST", f"{url}/cancel"))
    job = replace(job, state=state)
    return replace(job, read=partial(later, job=job))


def made(value: Any) -> Link:
    """The first picture, film or sound."""
    return first_link(value, "output")


def transcribed(value: Any) -> Done | Link:
    """The text: pieces of it, or an object in which each model has another name for it."""
    output = table(value).get("output")
    pieces = items(output)
    if pieces and all(isinstance(piece, str) for piece in pieces):
        return Done({"text": "".join(pieces)})
    found = pieces[0] if pieces else output
    if isinstance(found, str):
        return Done({"text": found})
    about = table(found)
    for name in ("text", "transcription", "translation"):
        if isinstance(about.get(name), str):
            return Done({**about, "text": about[name]})
    if "txt_file" in about:
        return first_link(about, "txt_file", form=written)
    raise ShapeError(f"unexpected answer: no text at `output`; it begins {excerpt(value)}")


def written(media: Media) -> dict[str, str]:
    """The text in a file."""
    return {"text": media.data.decode("utf-8", "replace")}


def row(
    body: Callable[[Any, Target], Mapping[str, Any]], finish: Finish, *, whole: bool = False, confirmed: bool = False
) -> Dialect:  # fmt: skip
    """A task as Replicate does all of them."""
    return Dialect(path, body, partial(prediction, finish=finish, whole=whole), confirmed=confirmed)


PROVIDER = Provider(
    "replicate", "https://api.replicate.com", headers={"Prefer": "wait"},
    own={
        "automatic-speech-recognition": row(transcription, transcribed, whole=True),
        "image-to-image": row(image_to_image, made),
        "text-to-image": row(texted, made, confirmed=True),
        "text-to-speech": row(text_to_speech, made, confirmed=True),
        "text-to-video": row(texted, made),
    },
)  # fmt: skip
