"""fal: sound and text at once, pictures, films and music through its queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hf_tools.errors import JobFailed, shown
from hf_tools.loose import table
from hf_tools.media import Media
from hf_tools.media.sources import read
from hf_tools.providers.dialects import (
    Dialect,
    Done,
    Job,
    Link,
    Outcome,
    Provider,
    Target,
    below,
    first_link,
    lora,
    state_of,
)
from hf_tools.providers.wishes import one_negative, refusal, size_of
from hf_tools.task import Body
from hf_tools.wire import excerpt

if TYPE_CHECKING:
    from hf_tools.tasks.audio import AudioToAudio, AutomaticSpeechRecognition
    from hf_tools.tasks.diffusion import Diffuses
    from hf_tools.tasks.image import ImageSegmentation
    from hf_tools.tasks.image_generation import ImageTextToImage, ImageToImage, TextToImage
    from hf_tools.tasks.speech import GeneratesSound
    from hf_tools.tasks.video import ImageTextToVideo, ImageToVideo, TextToVideo

QUEUE, SUBDOMAIN = "https://queue.fal.run", "?_subdomain=queue"
"""Address of the queue, and how the router is told to use it."""
HOSTS = frozenset(["fal.run", "queue.fal.run"])
RUNNING, DONE = frozenset(["in_queue", "in_progress"]), frozenset(["completed"])
MIMES = {"audio/wav": "audio/x-wav", "audio/webm": "video/webm"}
"""What fal calls these types of sound; it decodes whatever else comes as `audio/mpeg`, and refuses other names."""
LEVELS = {True: "segment", "word": "word"}
"""How fal is asked for the times of the text."""
Finish = Callable[[Any], Outcome]


# the requests


def diffused(task: Diffuses[Any], target: Target, head: Mapping[str, Any], size: str = "image_size") -> dict[str, Any]:
    """The request for a picture or a film; `size` is fal's name of its width and height."""
    given = task.given("extra_body", "width", "height", "target_size")
    given = {**head, **given, **sized(task, target, size), **loras(target)}
    return {**one_negative(task, target, given), **(task.extra_body or {})}


def sized(task: Diffuses[Any], target: Target, name: str) -> dict[str, Any]:
    """Width and height in pixels, as one value."""
    size = size_of(task, target)
    return {name: size} if size else {}


def loras(target: Target) -> dict[str, Any]:
    """The weights that are put upon the model; fal's general LoRA model must be told which one that is."""
    if target.weights is None:
        return {}
    base = {"model_name": "stabilityai/stable-diffusion-xl-base-1.0"} if target.model == "fal-ai/lora" else {}
    return {"loras": [{"path": lora(target), "scale": 1}], **base}


def text_to_image(task: TextToImage, target: Target) -> dict[str, Any]:
    """A picture of a text."""
    return diffused(task, target, {"prompt": task.prompt})


def image_to_image(task: ImageToImage | ImageTextToImage, target: Target) -> dict[str, Any]:
    """A picture of another one or of a text: some models take one picture, some a list."""
    uri = None if task.image is None else read(task.image).data_uri
    head = {"prompt": task.prompt} if task.prompt is not None else {}
    return diffused(task, target, {**({"image_url": uri, "image_urls": [uri]} if uri else {}), **head})


def text_to_video(task: TextToVideo, target: Target) -> dict[str, Any]:
    """A film of a text."""
    return diffused(task, target, {"prompt": task.prompt})


def image_to_video(task: ImageToVideo | ImageTextToVideo, target: Target) -> dict[str, Any]:
    """A film of a picture or of a text."""
    uri = {} if task.image is None else {"image_url": read(task.image).data_uri}
    head = {"prompt": task.prompt} if task.prompt is not None else {}
    return diffused(task, target, {**uri, **head}, "video_size")


def image_segmentation(task: ImageSegmentation, _: Target) -> dict[str, Any]:
    """A mask of a picture, in the answer itself where the model can do that."""
    return {"image_url": read(task.image).data_uri, "sync_mode": True, **task.given()}


def spoken(task: GeneratesSound, _: Target, name: str) -> dict[str, Any]:
    """A sound of a text, which goes by this name."""
    given = task.given("generation_parameters", "extra_body")
    return {name: task.text, **given, **(task.generation_parameters or {}), **(task.extra_body or {})}


def heard(value: object) -> str:
    """A sound as a data: URI with a type that fal takes."""
    sound = read(value)
    return f"data:{MIMES.get(sound.mime_type, 'audio/mpeg')};base64,{sound.base64}"


def audio_to_audio(task: AudioToAudio, _: Target) -> dict[str, Any]:
    """A sound made of another one."""
    return {"audio_url": heard(task.audio)}


def transcription(task: AutomaticSpeechRecognition, target: Target) -> dict[str, Any]:
    """The text of a sound."""
    wanted = task.return_timestamps
    if wanted == "char":
        raise refusal(task, target, "`return_timestamps` = 'char'", "It can do True and 'word'")
    level = {"chunk_level": LEVELS[wanted]} if wanted else {}
    return {"audio_url": heard(task.audio), **level, **(task.generation_parameters or {}), **(task.extra_body or {})}


@dataclass(frozen=True, slots=True)
class PictureOptional(Dialect):
    """A task with or without a picture.

    With a key of fal's own, the model without the last part of its name (`fal-ai/flux-2/edit`) draws without a
    picture; the router knows the model by its whole name only.
    """

    def write(self, task: Any, target: Target) -> Body:
        """The request; the part of the name that `stem` leaves out comes back where there is a picture."""
        body = Dialect.write(self, task, target)
        return body if task.image is None else replace(body, path=f"/{target.model}".removeprefix(stem(target)))


def stem(target: Target) -> str:
    """The path of a model that need not have a picture."""
    whole = f"/{target.model}"
    return whole if target.routed or whole.count("/") < 3 else whole.rpartition("/")[0]


# the answers


def queued(value: Any, target: Target, finish: Finish) -> Job:
    """The job that fal has taken: its state is asked for, then its result."""
    about, query = table(value), SUBDOMAIN if target.routed else ""
    result = below(target, first_link(value, "response_url").url, HOSTS, QUEUE).partition("?")[0]
    job = Job(
        str(about.get("request_id") or result.rpartition("/")[2]), f"{result}/status{query}", finish,
        cancel=("PUT", f"{result}/cancel{query}"),
    )  # fmt: skip
    return advanced({"status": "IN_QUEUE", **about}, job, f"{result}{query}", finish)


def advanced(value: Any, job: Job, result: str, finish: Finish) -> Job:
    """The job as its state says; once it has ended, the address of its result is the one to ask."""
    about = table(value)
    error, state = about.get("error"), str(about.get("status") or "")
    if error:
        said = error if isinstance(error, str) else excerpt(error)
        raise JobFailed(f"the provider's job failed: {shown(said)}", state=state)
    state = state_of(about.get("status"), RUNNING, DONE, about.get("detail"))
    if state in DONE:
        return replace(job, url=result, read=finish, state=state, queue_position=None)
    place = about.get("queue_position")
    later = partial(advanced, job=job, result=result, finish=finish)
    return replace(job, read=later, state=state, queue_position=place if isinstance(place, int) else None)


def sound(value: Any) -> Link:
    """The sound: music has another name than speech at some models."""
    return first_link(value, "audio_file" if table(value).get("audio_file") else "audio", "url")


def voice(value: Any) -> Link:
    """The one sound that was made of another one, with the text that is said in it, if any."""
    return first_link(value, "audio", "url", form=partial(labelled, label=table(value).get("text") or "speech"))


def labelled(media: Media, label: str) -> list[dict[str, Any]]:
    """A sound in the form of the task."""
    return [{"label": label, "blob": media.base64, "content-type": media.mime_type}]


def mask(value: Any) -> Link:
    """The one mask that fal makes; it has neither label nor score."""
    return first_link(value, "image", "url", form=lambda media: [{"label": "mask", "mask": media.base64}])


def transcribed(value: Any, _: Target) -> Done:
    """The text, which some models call `output`."""
    about = table(value)
    return Done({**about, "text": about["output"]} if "output" in about and "text" not in about else value)


def waiting(
    body: Callable[[Any, Target], Mapping[str, Any]], finish: Finish, kind: type[Dialect] = Dialect, *,
    confirmed: bool = False,
) -> Dialect:  # fmt: skip
    """A task that goes through the queue."""
    path = stem if kind is PictureOptional else "/{model}"
    return kind(path, body, partial(queued, finish=finish), base=QUEUE, query=SUBDOMAIN, confirmed=confirmed)


def picture(value: Any) -> Link:
    """The first picture."""
    return first_link(value, "images", "url")


def film(value: Any) -> Link:
    """The film."""
    return first_link(value, "video", "url")


def speech(value: Any, _: Target) -> Link:
    """The text, read aloud."""
    return first_link(value, "audio", "url")


PROVIDER = Provider(
    "fal-ai", "https://fal.run", scheme="Key",
    own={
        "audio-to-audio": waiting(audio_to_audio, voice),
        "automatic-speech-recognition": Dialect("/{model}", transcription, transcribed, confirmed=True),
        "image-segmentation": waiting(image_segmentation, mask),
        "image-text-to-image": waiting(image_to_image, picture, PictureOptional),
        "image-text-to-video": waiting(image_to_video, film, PictureOptional),
        "image-to-image": waiting(image_to_image, picture),
        "image-to-video": waiting(image_to_video, film),
        "text-to-audio": waiting(partial(spoken, name="prompt"), sound),
        "text-to-image": waiting(text_to_image, picture, confirmed=True),
        "text-to-speech": Dialect("/{model}", partial(spoken, name="text"), speech),
        "text-to-video": waiting(text_to_video, film),
    },
)  # fmt: skip
