"""Novita's own form: films, by the router and with a key of Novita."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hf_tools.errors import InputError, InvalidRequest, JobFailed, NotFound, ReportedError, ShapeError
from tests.providers.conftest import HF_KEY, OWN_KEY, Make

ROUTED = "https://router.huggingface.co/novita"
DIRECT = "https://api.novita.ai"
SIDES = pytest.mark.parametrize(("key", "base"), [(HF_KEY, ROUTED), (OWN_KEY, DIRECT)], ids=["routed", "direct"])
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
FILE = "https://files.example/fox.mp4?signature=1"
BEGUN = {"task_id": "t1"}


def told(status: str | None, *videos: Any, reason: str = "") -> dict[str, Any]:
    """What Novita says of a job."""
    task = {"task_id": "t1", "task_type": "WAN_TXT_TO_VIDEO", "status": status, "reason": reason, "eta": 0}
    return {"extra": {"seed": "7"}, "task": task, "images": [], "videos": list(videos), "audios": []}


FINISHED = told("TASK_STATUS_SUCCEED", {"video_url": FILE, "video_url_ttl": "0", "video_type": "mp4"})


@SIDES
def test_makes_a_film_and_waits_for_it(world: Make, key: str, base: str, no_waiting: list[float]) -> None:
    states = [BEGUN, told("TASK_STATUS_QUEUED"), told("TASK_STATUS_PROCESSING"), FINISHED]
    there = world("novita", "text-to-video", "wan-t2v", *states, httpx.Response(200, content=MP4))
    seen: list[Any] = []
    film = there.client(key, on_progress=seen.append).text_to_video(
        "a fox runs", num_frames=81, num_inference_steps=30, guidance_scale=5.0, seed=7, negative_prompt="snow",
        extra_body={"width": 832, "height": 480, "fast_mode": True},
    )  # fmt: skip
    assert (film.data, film.mime_type) == (MP4, "video/mp4")
    poll = ("GET", f"{base}/v3/async/task-result?task_id=t1")
    assert there.sent == [("POST", f"{base}/v3/async/wan-t2v"), poll, poll, poll, ("GET", FILE)]
    authorizations = [request.headers.get("authorization") for request in there.requests]
    assert authorizations == [f"Bearer {key}"] * 4 + [None]
    states_seen = [(handle.id, handle.state) for handle in seen]
    assert states_seen == [("t1", ""), ("t1", "task_status_queued"), ("t1", "task_status_processing")]
    assert no_waiting == pytest.approx([0.5, 0.6, 0.72])
    assert there.body == {
        "prompt": "a fox runs", "num_frames": 81, "steps": 30, "guidance_scale": 5.0, "seed": 7,
        "negative_prompt": "snow", "width": 832, "height": 480, "fast_mode": True,
    }  # fmt: skip


@SIDES
def test_a_film_that_comes_at_once(world: Make, key: str, base: str) -> None:
    answer = {"video": {"video_url": FILE, "video_url_ttl": "0"}}
    there = world("novita", "text-to-video", "hunyuan-video", answer, httpx.Response(200, content=MP4))
    film = there.client(key).text_to_video("a fox runs", negative_prompt=["snow"])
    assert film.data == MP4
    assert there.sent == [("POST", f"{base}/v3/async/hunyuan-video"), ("GET", FILE)]
    assert "authorization" not in there.requests[1].headers
    assert there.body == {"prompt": "a fox runs", "negative_prompt": "snow"}


async def test_a_film_with_the_asynchronous_client(world: Make) -> None:
    there = world("novita", "text-to-video", "wan-t2v", BEGUN, FINISHED, httpx.Response(200, content=MP4))
    film = await there.aclient().text_to_video("a fox runs")
    assert film.data == MP4
    assert there.sent[1:] == [("GET", f"{ROUTED}/v3/async/task-result?task_id=t1"), ("GET", FILE)]


def test_refuses_several_negative_prompts(world: Make) -> None:
    there = world("novita", "text-to-video", "wan-t2v", BEGUN)
    with pytest.raises(InputError) as caught:
        there.client().text_to_video("a fox", negative_prompt=["snow", "rain"])
    assert caught.value.message == "text_to_video: novita cannot carry several texts in `negative_prompt`"
    assert caught.value.hint == "Put them into one text"
    assert (caught.value.task, caught.value.model, there.requests) == ("text-to-video", "org/model", [])


@pytest.mark.parametrize(
    ("answer", "reason", "state"),
    [
        (told("TASK_STATUS_FAILED", reason="no foxes"), "'TASK_STATUS_FAILED': no foxes", "task_status_failed"),
        (told("TASK_STATUS_FAILED"), "'TASK_STATUS_FAILED'", "task_status_failed"),
        (told("TASK_STATUS_CANCELED"), "'TASK_STATUS_CANCELED'", "task_status_canceled"),
        (told(None), "None", ""),
        ({"message": "?"}, "None", ""),
    ],
)
def test_a_failed_or_unknown_state_ends_the_job(world: Make, answer: Any, reason: str, state: str) -> None:
    there = world("novita", "text-to-video", "wan-t2v", BEGUN, answer)
    with pytest.raises(JobFailed) as caught:
        there.client(OWN_KEY).text_to_video("a fox")
    assert caught.value.message == f"the provider's job ended in the state {reason}"
    assert (caught.value.state, caught.value.handle.id, len(there.requests)) == (state, "t1", 2)


WRONG: list[tuple[Any, type[Exception], str]] = [
    ({"video": {}}, ShapeError, "no URL at `video.video_url`"),
    ({"task_id": ""}, ShapeError, "task_id: "),
    ({"code": 400}, ShapeError, "task_id: Field required"),
    ({"error": "no credit"}, ReportedError, "no credit"),
    (httpx.Response(400, json={"code": 400, "reason": "X", "message": "bad prompt"}), InvalidRequest, "bad prompt"),
]


@pytest.mark.parametrize(("answer", "error", "said"), WRONG)
def test_wrong_answers(world: Make, answer: Any, error: type[Exception], said: str) -> None:
    there = world("novita", "text-to-video", "wan-t2v", answer)
    with pytest.raises(error, match=said):
        there.client().text_to_video("a fox")
    assert len(there.requests) == 1


def test_a_job_that_made_nothing(world: Make) -> None:
    there = world("novita", "text-to-video", "wan-t2v", BEGUN, told("TASK_STATUS_SUCCEED"))
    with pytest.raises(ShapeError, match=r"no URL at `videos\.video_url`"):
        there.client().text_to_video("a fox")


def test_a_status_that_is_an_error_ends_the_job(world: Make) -> None:
    gone = httpx.Response(404, json={"message": "no such task"})
    there = world("novita", "text-to-video", "wan-t2v", {"task_id": "t&1"}, gone)
    with pytest.raises(NotFound, match="no such task"):
        there.client().text_to_video("a fox")
    assert there.sent[1:] == [("GET", f"{ROUTED}/v3/async/task-result?task_id=t%261")]
