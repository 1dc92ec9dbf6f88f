"""Together's own forms: pictures and films, by the router and with a key of Together."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from hf_tools.errors import InputError, InvalidRequest, JobFailed, NotFound, ReportedError, ShapeError
from hf_tools.providers.dialects import Job, Target
from hf_tools.providers.together import PROVIDER
from hf_tools.task import Reply
from tests.providers.conftest import HF_KEY, OWN_KEY, Make

ROUTED = "https://router.huggingface.co/together"
DIRECT = "https://api.together.xyz"
SIDES = pytest.mark.parametrize(("key", "base"), [(HF_KEY, ROUTED), (OWN_KEY, DIRECT)], ids=["routed", "direct"])
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
PNG_URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
FILE = "https://files.example/fox.mp4?signature=1"
DRAWN = {
    "id": "oF",
    "model": "m",
    "object": "list",
    "data": [{"index": 0, "b64_json": base64.b64encode(JPEG).decode()}],
}
FINISHED = {"id": "j1", "object": "video", "status": "completed", "outputs": {"cost": 1, "video_url": FILE}}
KONTEXT = "black-forest-labs/FLUX.1-kontext-pro"


def keys(requests: list[httpx.Request]) -> list[str | None]:
    """The key that each request carried."""
    return [request.headers.get("authorization") for request in requests]


@SIDES
def test_draws_a_picture(world: Make, key: str, base: str) -> None:
    there = world("together", "text-to-image", "FLUX.1-dev", DRAWN)
    image = there.client(key).text_to_image(
        "a fox", negative_prompt="snow", height=512, width=768, num_inference_steps=9, guidance_scale=3.5, seed=7,
        extra_body={"n": 1},
    )  # fmt: skip
    assert (image.data, image.mime_type) == (JPEG, "image/jpeg")
    assert there.sent == [("POST", f"{base}/v1/images/generations")]
    assert keys(there.requests) == [f"Bearer {key}"]
    assert there.body == {
        "model": "FLUX.1-dev", "prompt": "a fox", "response_format": "base64", "negative_prompt": "snow",
        "height": 512, "width": 768, "steps": 9, "guidance_scale": 3.5, "seed": 7, "n": 1,
    }  # fmt: skip


@SIDES
def test_downloads_a_picture_that_comes_as_a_url(world: Make, key: str, base: str) -> None:
    linked = {"data": [{"index": 0, "b64_json": None, "url": "https://files.example/fox.jpg"}]}
    there = world("together", "text-to-image", "FLUX.1-dev", linked, httpx.Response(200, content=JPEG))
    image = there.client(key).text_to_image("a fox", extra_body={"response_format": "url"})
    assert image.data == JPEG
    assert there.sent[1:] == [("GET", "https://files.example/fox.jpg")]
    assert keys(there.requests) == [f"Bearer {key}", None]
    assert there.body == {"model": "FLUX.1-dev", "prompt": "a fox", "response_format": "url"}


def test_draws_with_lora_weights(world: Make) -> None:
    weights = {"adapter": "lora", "adapterWeightsPath": "x.safetensors"}
    there = world("together", "text-to-image", "FLUX.1-dev-lora", DRAWN, **weights)
    there.client().text_to_image("a fox")
    assert there.body["image_loras"] == [{"path": "https://huggingface.co/org/model", "scale": 1}]


@SIDES
@pytest.mark.parametrize(
    ("served", "image"),
    [(KONTEXT, {"image_url": PNG_URI}), ("black-forest-labs/FLUX.2-dev", {"reference_images": [PNG_URI]})],
)
def test_changes_a_picture(world: Make, key: str, base: str, served: str, image: dict[str, Any]) -> None:
    there = world("together", "image-to-image", served, DRAWN)
    changed = there.client(key).image_to_image(
        PNG, "as a drawing", negative_prompt="snow", target_size={"width": 768, "height": 512},
        num_inference_steps=9, guidance_scale=3.5, seed=7, extra_body={"output_format": "png"},
    )  # fmt: skip
    assert changed.data == JPEG
    assert there.sent == [("POST", f"{base}/v1/images/generations")]
    assert keys(there.requests) == [f"Bearer {key}"]
    assert there.body == {
        "model": served, "prompt": "as a drawing", **image, "response_format": "base64", "negative_prompt": "snow",
        "width": 768, "height": 512, "steps": 9, "guidance_scale": 3.5, "seed": 7, "output_format": "png",
    }  # fmt: skip


def test_a_prompt_is_always_sent_and_one_side_alone_is_enough(world: Make) -> None:
    there = world("together", "image-to-image", KONTEXT, DRAWN)
    there.client().image_to_image(PNG, width=768)
    assert there.body == {
        "model": KONTEXT, "prompt": "", "image_url": PNG_URI, "response_format": "base64", "width": 768,
    }  # fmt: skip


@SIDES
def test_makes_a_film_and_waits_for_it(world: Make, key: str, base: str, no_waiting: list[float]) -> None:
    states = [{"id": "j1"}, {"id": "j1", "status": "queued"}, {"status": "in_progress"}, FINISHED]
    there = world("together", "text-to-video", "Wan-AI/wan-t2v", *states, httpx.Response(200, content=MP4))
    seen: list[Any] = []
    film = there.client(key, on_progress=seen.append).text_to_video(
        "a fox runs", num_inference_steps=20, guidance_scale=8.0, seed=7, negative_prompt=["snow"],
        extra_body={"seconds": "5"},
    )  # fmt: skip
    assert (film.data, film.mime_type) == (MP4, "video/mp4")
    poll = ("GET", f"{base}/v2/videos/j1")
    assert there.sent == [("POST", f"{base}/v2/videos"), poll, poll, poll, ("GET", FILE)]
    assert keys(there.requests) == [f"Bearer {key}"] * 4 + [None]
    assert [(handle.id, handle.state) for handle in seen] == [("j1", ""), ("j1", "queued"), ("j1", "in_progress")]
    assert no_waiting == pytest.approx([2.0, 2.4, 2.88])
    assert there.body == {
        "model": "Wan-AI/wan-t2v", "prompt": "a fox runs", "steps": 20, "guidance_scale": 8.0, "seed": 7,
        "negative_prompt": "snow", "seconds": "5",
    }  # fmt: skip


@SIDES
def test_makes_a_film_from_a_picture(world: Make, key: str, base: str) -> None:
    there = world("together", "image-to-video", "Wan-AI/wan-i2v", FINISHED, httpx.Response(200, content=MP4))
    film = there.client(key).image_to_video(
        PNG, prompt="it runs", negative_prompt="snow", target_size={"width": 1280, "height": 720},
        num_inference_steps=20, guidance_scale=8.0, seed=7, extra_body={"fps": 24},
    )  # fmt: skip
    assert film.data == MP4
    assert there.sent == [("POST", f"{base}/v2/videos"), ("GET", FILE)]
    assert keys(there.requests) == [f"Bearer {key}", None]
    assert there.body == {
        "model": "Wan-AI/wan-i2v", "frame_images": [{"input_image": PNG_URI, "frame": "first"}], "prompt": "it runs",
        "negative_prompt": "snow", "width": 1280, "height": 720, "steps": 20, "guidance_scale": 8.0, "seed": 7,
        "fps": 24,
    }  # fmt: skip


async def test_a_film_with_the_asynchronous_client(world: Make) -> None:
    begun = {"id": "j1", "status": "in_progress"}
    there = world("together", "text-to-video", "m", begun, FINISHED, httpx.Response(200, content=MP4))
    film = await there.aclient().text_to_video("a fox runs")
    assert film.data == MP4
    assert there.sent[1:] == [("GET", f"{ROUTED}/v2/videos/j1"), ("GET", FILE)]


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("text-to-image", {"scheduler": "ddim"}, "`scheduler`", "Leave it out: the model has its own"),
    ("image-to-image", {"strength": 0.5}, "`strength`", "Leave it out: say in the prompt how much is to change"),
    ("image-to-image", {"guess_mode": True}, "`guess_mode`", "Leave it out: say in the prompt what the picture shows"),
    ("text-to-video", {"num_frames": 81}, "`num_frames`", "Leave it out: give `seconds` and `fps` in `extra_body`"),
    ("image-to-video", {"num_frames": 81}, "`num_frames`", "Leave it out: give `seconds` and `fps` in `extra_body`"),
    ("text-to-video", {"negative_prompt": ["a", "b"]}, "several texts in `negative_prompt`", "Put them into one text"),
]


@pytest.mark.parametrize(("task", "given", "what", "instead"), REFUSED)
def test_refuses_what_together_cannot_be_told(
    world: Make, task: str, given: dict[str, Any], what: str, instead: str
) -> None:
    there = world("together", task, "m", DRAWN)
    call = getattr(there.client(), task.replace("-", "_"))
    with pytest.raises(InputError) as caught:
        call("a fox" if task.startswith("text") else PNG, **given)
    assert caught.value.message == f"{task.replace('-', '_')}: together cannot carry {what}"
    assert caught.value.hint == instead
    assert (caught.value.task, caught.value.model, there.requests) == (task, "org/model", [])


def waiting() -> Job:
    """A film that is being made."""
    reply = Reply(200, {}, b'{"id": "j1", "status": "queued"}')
    outcome = PROVIDER.own["text-to-video"].outcome(reply, Target("together", "m", "org/model", ROUTED))
    assert isinstance(outcome, Job)
    return outcome


@pytest.mark.parametrize(
    ("answer", "reason", "state"),
    [
        ({"status": "failed", "error": {"message": "no foxes", "code": "x"}}, "'failed': no foxes", "failed"),
        ({"status": "failed", "error": "no foxes"}, "'failed': no foxes", "failed"),
        ({"status": "failed", "error": None}, "'failed'", "failed"),
        ({"error": {"code": "x"}}, '\'failed\': {"code": "x"}', "failed"),
        ({"status": "Cancelled"}, "'Cancelled'", "cancelled"),
    ],
)
def test_a_failed_or_unknown_state_ends_the_job(answer: Any, reason: str, state: str) -> None:
    with pytest.raises(JobFailed) as caught:
        waiting().read(answer)
    assert caught.value.message == f"the provider's job ended in the state {reason}"
    assert caught.value.state == state


def test_an_unknown_state_is_not_asked_after_again(world: Make) -> None:
    there = world("together", "text-to-video", "m", {"id": "j1", "status": "queued"}, {"status": "cancelled"})
    with pytest.raises(JobFailed, match="ended in the state 'cancelled'"):
        there.client().text_to_video("a fox")
    assert len(there.requests) == 2


WRONG: list[tuple[str, Any, type[Exception], str]] = [
    ("text-to-image", {"data": []}, ShapeError, "no URL at `data.url`"),
    ("text-to-image", {"data": [{"index": 0}]}, ShapeError, "no URL at `data.url`"),
    ("text-to-image", {"error": {"message": "no credit", "type": "x"}}, ReportedError, "no credit"),
    ("text-to-image", httpx.Response(422, json={"error": {"message": "steps"}}), InvalidRequest, "steps"),
    ("text-to-video", {"status": "completed", "outputs": {}}, ShapeError, "no URL at `outputs.video_url`"),
    ("text-to-video", {"status": "queued"}, ShapeError, "id: Field required"),
    ("text-to-video", ["queued"], ShapeError, "unexpected answer"),
    ("text-to-video", {"id": "..", "status": "queued"}, ShapeError, "is none of its own"),
]


@pytest.mark.parametrize(("task", "answer", "error", "said"), WRONG)
def test_wrong_answers(world: Make, task: str, answer: Any, error: type[Exception], said: str) -> None:
    there = world("together", task, "m", answer)
    with pytest.raises(error, match=said):
        getattr(there.client(OWN_KEY), task.replace("-", "_"))("a fox")
    assert len(there.requests) == 1


def test_a_status_that_is_an_error_ends_the_job(world: Make) -> None:
    gone = httpx.Response(404, json={"error": {"message": "no such job"}})
    there = world("together", "text-to-video", "m", {"id": "j 1", "status": "queued"}, gone)
    with pytest.raises(NotFound, match="no such job"):
        there.client().text_to_video("a fox")
    assert there.sent[1:] == [("GET", f"{ROUTED}/v2/videos/j%201")]
