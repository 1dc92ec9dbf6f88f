"""WaveSpeed's own forms: predictions that are asked after, by the router and with a key of WaveSpeed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hf_tools.errors import AuthenticationError, InputError, JobFailed, ReportedError, ShapeError
from hf_tools.media import Image
from tests.providers.conftest import HF_KEY, MODEL, OWN_KEY, Make

ROUTED, DIRECT = "https://router.huggingface.co/wavespeed", "https://api.wavespeed.ai"
SIDES = pytest.mark.parametrize(("key", "base"), [(HF_KEY, ROUTED), (OWN_KEY, DIRECT)], ids=["routed", "direct"])
PNG, PNG_URI = b"\x89PNG\r\n\x1a\n\x00\x00", "data:image/png;base64,iVBORw0KGgoAAA=="
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
FILE = "https://d1q70pf5vjeyhc.cloudfront.net/predictions/p1/1.jpeg?signature=1"
SERVED, RESULT = "wavespeed-ai/flux-dev", "/api/v3/predictions/p1/result"
SIZE = {"width": 768, "height": 512}
STEPS: dict[str, Any] = {"num_inference_steps": 9, "guidance_scale": 3.5, "seed": 7}
NAMED: dict[str, Any] = {"negative_prompt": "snow", **STEPS, "extra_body": {"enable_safety_checker": False}}
BODY = {"negative_prompt": "snow", **STEPS, "enable_safety_checker": False}
IMAGES = {"image": PNG_URI, "images": [PNG_URI]}


def said(status: str | None, **data: Any) -> dict[str, Any]:
    """What WaveSpeed says of a prediction."""
    return {"code": 200, "message": "success", "data": {"id": "p1", "model": SERVED, "status": status, **data}}


CREATED = said("created", outputs=[], urls={"get": DIRECT + RESULT})
COMPLETED = said("completed", outputs=[FILE], urls={"get": DIRECT + RESULT}, error="")

CALLS: list[tuple[str, list[Any], dict[str, Any], dict[str, Any], bytes]] = [
    ("text-to-image", ["a fox"], {"scheduler": "ddim", **SIZE, **NAMED},
     {"prompt": "a fox", "scheduler": "ddim", "size": "768*512", **BODY}, JPEG),
    ("text-to-image", ["a fox"], {}, {"prompt": "a fox"}, JPEG),
    ("text-to-video", ["a fox"], {"num_frames": 81, **NAMED, "negative_prompt": ["snow"]},
     {"prompt": "a fox", "num_frames": 81, **BODY}, MP4),
    ("image-to-image", [PNG, "a drawing"], {"strength": 0.5, "guess_mode": True, "target_size": SIZE, **NAMED},
     {**IMAGES, "prompt": "a drawing", "strength": 0.5, "guess_mode": True, "size": "768*512", **BODY}, JPEG),
    ("image-to-image", [PNG], SIZE, {**IMAGES, "size": "768*512"}, JPEG),
    ("image-to-video", [PNG], {"prompt": "it runs", "num_frames": 81, "target_size": SIZE, **NAMED},
     {**IMAGES, "prompt": "it runs", "num_frames": 81, "size": "768*512", **BODY}, MP4),
    ("image-text-to-image", [PNG, "a drawing"], {"strength": 0.5, "target_size": SIZE, **NAMED},
     {**IMAGES, "prompt": "a drawing", "strength": 0.5, "size": "768*512", **BODY}, JPEG),
    ("image-text-to-video", [PNG, "it runs"], {"num_frames": 81, "target_size": SIZE, **NAMED},
     {**IMAGES, "prompt": "it runs", "num_frames": 81, "size": "768*512", **BODY}, MP4),
]  # fmt: skip


def keys(requests: list[httpx.Request]) -> list[str | None]:
    """The key that each request carried."""
    return [request.headers.get("authorization") for request in requests]


@SIDES
@pytest.mark.parametrize(("task", "given", "named", "body", "data"), CALLS)
def test_makes_it_and_waits_for_it(
    world: Make, key: str, base: str, task: str, given: list[Any], named: dict[str, Any], body: Any, data: bytes
) -> None:
    there = world("wavespeed", task, SERVED, CREATED, said("processing"), COMPLETED, httpx.Response(200, content=data))
    seen: list[Any] = []
    found = getattr(there.client(key, on_progress=seen.append), task.replace("-", "_"))(*given, **named)
    assert found.data == data
    poll = ("GET", base + RESULT)
    assert there.sent == [("POST", f"{base}/api/v3/{SERVED}"), poll, poll, ("GET", FILE)]
    assert keys(there.requests) == [f"Bearer {key}"] * 3 + [None]
    assert there.body == body
    assert [(one.id, one.state, one.job.cancel) for one in seen] == [
        ("p1", "created", None),
        ("p1", "processing", None),
    ]


@pytest.mark.parametrize("task", ["image-text-to-image", "image-text-to-video"])
def test_draws_from_a_text_alone_upon_a_transparent_pixel(world: Make, task: str) -> None:
    data = MP4 if task.endswith("video") else JPEG
    there = world("wavespeed", task, SERVED, COMPLETED, httpx.Response(200, content=data))
    assert getattr(there.client(), task.replace("-", "_"))(prompt="a fox").data == data
    uri = there.body["image"]
    assert there.body == {"image": uri, "images": [uri], "prompt": "a fox"}
    pixel = Image.from_base64(uri).to_pil()
    assert (pixel.size, pixel.mode, pixel.getpixel((0, 0))) == ((1, 1), "RGBA", (0, 0, 0, 0))


@SIDES
def test_takes_what_is_made_at_once(world: Make, key: str, base: str) -> None:
    inline = said("completed", outputs=[PNG_URI])
    there = world("wavespeed", "text-to-image", SERVED, inline)
    found = there.client(key).text_to_image("a fox", extra_body={"enable_sync_mode": True})
    assert (found.data, found.mime_type) == (PNG, "image/png")
    assert there.sent == [("POST", f"{base}/api/v3/{SERVED}")]


def test_asks_again_where_the_first_answer_has_no_state(world: Make) -> None:
    begun = {"code": 200, "data": {"id": "p1", "urls": {"get": DIRECT + RESULT}}}
    there = world("wavespeed", "text-to-image", SERVED, begun, COMPLETED, httpx.Response(200, content=JPEG))
    assert there.client().text_to_image("a fox").data == JPEG
    assert there.sent[1] == ("GET", ROUTED + RESULT)


def test_draws_with_lora_weights(world: Make) -> None:
    weights = {"adapter": "lora", "adapterWeightsPath": "x.safetensors"}
    there = world("wavespeed", "text-to-image", SERVED, COMPLETED, httpx.Response(200, content=JPEG), **weights)
    there.client().text_to_image("a fox")
    assert there.body == {"prompt": "a fox", "loras": [{"path": MODEL, "scale": 1}]}


async def test_makes_a_film_with_the_asynchronous_client(world: Make) -> None:
    there = world("wavespeed", "text-to-video", SERVED, CREATED, COMPLETED, httpx.Response(200, content=MP4))
    assert (await there.aclient().text_to_video("a fox")).data == MP4
    assert there.sent == [("POST", f"{ROUTED}/api/v3/{SERVED}"), ("GET", ROUTED + RESULT), ("GET", FILE)]


@pytest.mark.parametrize(
    ("task", "given", "named", "what", "hint"),
    [
        ("text-to-image", "a fox", {"width": 768}, "`width` alone", "Give both `width` and `height`"),
        ("image-to-image", PNG, {"height": 512}, "`height` alone", "Give both `width` and `height`"),
        ("text-to-video", "a fox", {"negative_prompt": ["a", "b"]}, "several texts in `negative_prompt`",
         "Put them into one text"),
    ],
)  # fmt: skip
def test_refuses_what_wavespeed_cannot_be_told(
    world: Make, task: str, given: Any, named: dict[str, Any], what: str, hint: str
) -> None:
    there, name = world("wavespeed", task, SERVED, CREATED), task.replace("-", "_")
    with pytest.raises(InputError) as caught:
        getattr(there.client(), name)(given, **named)
    assert (caught.value.message, caught.value.hint) == (f"{name}: wavespeed cannot carry {what}", hint)
    assert there.requests == []


WRONG: list[tuple[list[Any], type[Exception], str]] = [
    ([httpx.Response(401, json={"code": 401, "message": "Unauthorized"})], AuthenticationError, "401 Unauthorized"),
    ([{"code": 400, "message": "no credit", "data": None}], ReportedError, "answered with the code 400: no credit"),
    ([{"code": 500}], ReportedError, 'answered with the code 500: {"code": 500}'),
    ([{"code": 200, "data": None}], ShapeError, "no URL at `data.urls.get`"),
    ([{}], ShapeError, "no URL at `data.urls.get`"),
    ([said("created", urls={"get": "https://evil.example/p1"})], ShapeError, "https://evil.example/p1 is none"),
    ([said("created", urls={"get": "http://api.wavespeed.ai/p1"})], ShapeError, "http://api.wavespeed.ai/p1 is"),
    ([said("failed", error="unsafe")], JobFailed, "ended in the state 'failed': unsafe"),
    ([CREATED, said("failed", error="unsafe")], JobFailed, "ended in the state 'failed': unsafe"),
    ([CREATED, said("failed", error="")], JobFailed, "ended in the state 'failed'"),
    ([CREATED, said("cancelled")], JobFailed, "ended in the state 'cancelled'"),
    ([CREATED, said(None)], JobFailed, "ended in the state None"),
    ([CREATED, {"error": "gateway"}], JobFailed, "ended in the state None: gateway"),
    ([CREATED, {"code": 200, "data": {}}], JobFailed, "ended in the state None"),
    ([CREATED, {"code": 404, "message": "not found"}], ReportedError, "answered with the code 404: not found"),
    ([CREATED, said("completed", outputs=[])], ShapeError, "no URL at `data.outputs`"),
    ([CREATED, said("completed")], ShapeError, "no URL at `data.outputs`"),
]


@pytest.mark.parametrize(("answers", "error", "what"), WRONG)
def test_says_what_went_wrong(world: Make, answers: list[Any], error: type[Exception], what: str) -> None:
    there = world("wavespeed", "text-to-image", SERVED, *answers)
    with pytest.raises(error) as caught:
        there.client(max_retries=0).text_to_image("a fox")
    assert type(caught.value) is error
    assert what in str(caught.value)
    assert [request.url.host for request in there.requests] == ["router.huggingface.co"] * len(answers)
