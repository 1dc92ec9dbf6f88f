"""Tasks that make a picture: what they send, and what they make of every answer."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import (
    DecodeError,
    EmptyResponse,
    HfError,
    InputError,
    ReportedError,
    ShapeError,
    UnexpectedContent,
)
from hf_tools.media import Image
from hf_tools.media.source import Source
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.image_generation import ImageTextToImage, ImageToImage, TextToImage

Recording = Callable[[str], list[dict[str, Any]]]
Encode = Callable[[Task[Any], Server], Body]
MakeReply = Callable[[Any], Reply]
Spec = Callable[[str, str], Any]

PNG = b"\x89PNG\r\n\x1a\nrest"
B64 = "iVBORw0KGgpyZXN0"
JPEG = b"\xff\xd8\xffrest"
WEBP = b"RIFF....WEBPrest"
ASTRONAUT = "An astronaut riding a horse on the moon."
TASKS: list[Task[Image]] = [TextToImage("a fox"), ImageToImage(PNG), ImageTextToImage(PNG)]
TEXT: dict[str, Any] = {
    "negative_prompt": "blur",
    "height": 512,
    "width": 768,
    "num_inference_steps": 4096,
    "guidance_scale": 7.5,
    "scheduler": "DDIM",
    "seed": 0,
}
SIZE = {"width": 768, "height": 512}
CHANGE: dict[str, Any] = {
    "negative_prompt": "blur",
    "num_inference_steps": 30,
    "guidance_scale": 3.5,
    "seed": -1,
    "strength": 0.75,
    "guess_mode": False,
}


def name_of(value: object) -> str:
    return value.name if isinstance(value, Task) else str(value)[:40]


def untyped(cls: type[Task[Any]]) -> Any:
    """The class for a call that type checkers refuse, too."""
    return cls


def read(body: Body) -> tuple[str, str, Any]:
    assert body.content_type == "application/json"
    return body.path, body.accept, json.loads(body.content)


# encode


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
def test_text_to_image(server: Server, encode: Encode) -> None:
    assert read(encode(TextToImage("a fox"), server)) == ("", "image/png", {"inputs": "a fox"})
    full = TextToImage("a fox", **TEXT, extra_body={"clip_skip": 2})
    assert read(encode(full, server)) == (
        "",
        "image/png",
        {"inputs": "a fox", "parameters": {**TEXT, "clip_skip": 2}},
    )


def test_case_87_sides_may_differ_for_the_toolkit(encode: Encode) -> None:
    body = read(encode(TextToImage("a fox", width=8, height=16), "toolkit"))[2]
    assert body["parameters"] == {"width": 8, "height": 16}


def test_text_to_image_on_an_openai_server(encode: Encode) -> None:
    assert read(encode(TextToImage("a fox"), "openai")) == (
        "/v1/images/generations",
        "*/*",
        {"model": "served", "prompt": "a fox", "response_format": "b64_json"},
    )
    task = TextToImage("a fox", width=768, height=512, extra_body={"n": 1})
    body = task.encode(Route("openai", "https://server.test"))
    assert read(body)[2] == {"prompt": "a fox", "response_format": "b64_json", "size": "768x512", "n": 1}


@pytest.mark.parametrize("name", ["negative_prompt", "num_inference_steps", "guidance_scale", "scheduler", "seed"])
def test_what_an_openai_server_cannot_carry_is_named(name: str, encode: Encode) -> None:
    with pytest.raises(InputError, match=f"an OpenAI-shaped server cannot carry `{name}`.*height, width"):
        encode(TextToImage("a fox", **{name: TEXT[name]}), "openai")


@pytest.mark.parametrize("name", ["width", "height"])
def test_one_side_alone_is_no_size_on_an_openai_server(name: str, encode: Encode) -> None:
    with pytest.raises(InputError, match=f"cannot carry `{name}` alone.*Give both"):
        encode(untyped(TextToImage)("a fox", **{name: 64}), "openai")


@pytest.mark.parametrize(
    ("task", "server", "accept"),
    [
        (ImageToImage(PNG), "hf-inference", "image/png"),
        (ImageToImage(PNG), "toolkit", "*/*"),
        (ImageTextToImage(PNG), "toolkit", "*/*"),
    ],
)
def test_raw_bytes_where_nothing_else_is_given(task: Task[Any], server: Server, accept: str, encode: Encode) -> None:
    assert encode(task, server) == Body(PNG, "image/png", "", accept)


@pytest.mark.parametrize(
    ("given_", "sent"),
    [
        ({}, {}),
        (CHANGE, CHANGE),
        ({"width": 768, "height": 512}, {"target_size": SIZE}),
        ({"target_size": SIZE}, {"target_size": SIZE}),
        ({"target_size": SIZE, "width": 768}, {"target_size": SIZE}),
        ({"target_size": SIZE, "width": 768, "height": 512}, {"target_size": SIZE}),
        ({"width": 768}, {"width": 768}),
        ({"height": 512}, {"height": 512}),
        ({"extra_body": {"mask": "x"}}, {"mask": "x"}),
    ],
)
def test_pictures_from_pictures(given_: dict[str, Any], sent: dict[str, Any], encode: Encode, spec: Spec) -> None:
    for cls in (ImageToImage, ImageTextToImage):
        for server in cls.servers:
            _, _, body = read(encode(untyped(cls)(PNG, "make it night", **given_), server))
            assert body == {"inputs": B64, "parameters": {"prompt": "make it night", **sent}}
            spec(cls.name, "input").validate(body)


def test_a_prompt_alone_goes_without_a_picture(encode: Encode) -> None:
    task = ImageTextToImage(prompt="a fox", seed=3)
    expected = {"inputs": None, "parameters": {"prompt": "a fox", "seed": 3}}
    assert read(encode(task, "toolkit")) == ("", "*/*", expected)


def test_who_serves_the_tasks() -> None:
    assert TextToImage.servers == {"hf-inference", "toolkit", "openai"}
    assert ImageToImage.servers == {"hf-inference", "toolkit"}
    assert ImageTextToImage.servers == {"toolkit"}
    assert ImageTextToImage.remote == ("fal-ai", "wavespeed")
    assert [(task.costly, task.deadline) for task in TASKS] == [(True, 600.0)] * 3


# recordings


@pytest.mark.parametrize(
    ("case", "parameters"),
    [
        ("text_to_image", {}),
        ("text_to_image_default", {}),
        ("text_to_image_with_parameters", {"height": 256, "width": 256}),
    ],
)
def test_recordings(case: str, parameters: dict[str, Any], recording: Recording, encode: Encode) -> None:
    (each,) = recording(case)
    task = TextToImage(ASTRONAUT, **parameters)
    _, accept, body = read(encode(task, "hf-inference"))
    assert body == each["request"]["body"]
    if case != "text_to_image":  # the oldest client asked for nothing in particular
        assert accept == each["request"]["headers"]["accept"] == "image/png"
    picture = task.decode(each["reply"])
    assert (picture.mime_type, picture.extension, picture.data[:4]) == ("image/jpeg", "jpg", b"\xff\xd8\xff\xe0")


# decode


@pytest.mark.parametrize("declared", ["image/png", "image/jpeg", "application/octet-stream", "application/json", ""])
@pytest.mark.parametrize(("data", "mime"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_case_28_the_type_is_what_the_bytes_say(task: Task[Image], data: bytes, mime: str, declared: str) -> None:
    picture = task.decode(Reply(200, {"content-type": declared}, data))
    assert (picture, picture.mime_type) == (Image(data), mime)


@pytest.mark.parametrize(
    "body",
    [
        B64,  # case 29
        f"data:image/png;base64,{B64}",
        {"data": [{"b64_json": B64, "url": "https://x.test/1.png"}]},
        {"data": [{"url": f"data:image/png;base64,{B64}"}]},
        {"images": [{"image": B64}]},
        {"images": [{"url": f"data:image/png;base64,{B64}", "content_type": "image/png"}]},
        {"images": [B64, "second"]},
        {"image": B64},
        {"image": {"url": f"data:image/png;base64,{B64}"}},
        {"output": [f"data:image/png;base64,{B64}"]},
        [{"image": B64}],
        [B64],
        [[B64]],
    ],
    ids=name_of,
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_cases_29_and_77_pictures_in_json(task: Task[Image], body: Any) -> None:
    content = json.dumps(body).encode()
    for declared in ("application/json", "", "image/png"):
        assert task.decode(Reply(200, {"content-type": declared}, content)) == Image(PNG)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"url": "https://cdn.test/x.png?sig=secret"}]},
        {"images": [{"url": "https://cdn.test/x.png?sig=secret", "content_type": "image/png"}]},
        {"output": ["https://cdn.test/x.png?sig=secret"]},
        {"output": "https://cdn.test/x.png?sig=secret"},
        {"image": {"url": "https://cdn.test/x.png?sig=secret"}},
        "https://cdn.test/x.png?sig=secret",
    ],
)
def test_pictures_that_are_only_linked(body: Any) -> None:
    with pytest.raises(ShapeError, match=r"is the URL of the image, not its bytes: https://cdn\.test/x\.png") as caught:
        TextToImage("a fox").decode(Reply(200, {}, json.dumps(body).encode()))
    assert getattr(caught.value, "link") == "https://cdn.test/x.png?sig=secret"  # noqa: B009
    assert "secret" not in str(caught.value)


def test_pictures_without_a_magic_number() -> None:
    task = TextToImage("a fox")
    svg = Image(b"<svg/>", "image/svg+xml")
    assert task.decode(Reply(200, {"content-type": "image/svg+xml; charset=utf-8"}, svg.data)) == svg
    odd = b"{\x00\x01"  # begins like JSON and is none
    assert task.decode(Reply(200, {"content-type": "image/x-odd"}, odd)) == Image(odd, "image/x-odd")
    plain = b"P3 1 1 255 0 0 0"
    assert task.decode(Reply(200, {"content-type": "image/x-portable-pixmap"}, plain)).data == plain
    assert task.decode(Reply(200, {}, b"\x01\x02")).mime_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("content", "declared", "error", "message"),
    [
        (b"", "image/png", EmptyResponse, "empty"),
        (b"\n", "", EmptyResponse, "empty"),
        (b'{"error": "out of memory"}', "application/json", ReportedError, "out of memory"),  # cases 30 and 31
        (b'{"error": ["a", "b"]}', "image/png", ReportedError, "a; b"),
        (b"<html><title>504</title>", "text/html", UnexpectedContent, 'titled "504"'),
        (b"<html><title>504</title>", "image/png", UnexpectedContent, 'titled "504"'),
        (b"Service Unavailable", "text/plain", UnexpectedContent, "text, not image: Service Unavailable"),
        (b"Service Unavailable", "", UnexpectedContent, "text, not image"),
        (b"\xc3\xa9t\xc3\xa9", "text/plain", UnexpectedContent, "text, not image"),
        (b'{"image": "iVBO', "application/json", DecodeError, "not valid JSON"),
        (b'{"image": "iVBO', "", DecodeError, "not valid JSON"),
        (b'{"image": "%%%"}', "", DecodeError, "`image`: not valid base64: %%%"),
        (b'{"image": ""}', "", ShapeError, "holds no image"),
        (b'{"image": 3}', "", ShapeError, "`image` holds no image"),
        (b'"T2dnUy4uLi4="', "", UnexpectedContent, "the answer is audio/ogg, not image"),
        (b"OggS....", "image/png", UnexpectedContent, "the answer is audio/ogg, not image"),
        (b"%PDF-1.7", "", UnexpectedContent, "application/pdf, not image"),
        (b"\x00\x00", "video/x-odd", UnexpectedContent, "video/x-odd, not image"),
        (b"[]", "application/json", ShapeError, "holds no image"),
        (b"{}", "application/json", ShapeError, "the answer holds no image"),
        (b"3", "application/json", ShapeError, "the answer holds no image"),
    ],
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_bad_answers(task: Task[Image], content: bytes, declared: str, error: type[HfError], message: str) -> None:
    with pytest.raises(HfError, match=message) as caught:
        task.decode(Reply(200, {"content-type": declared}, content))
    assert type(caught.value) is error


KEYS = st.sampled_from(["image", "images", "data", "output", "outputs", "url", "b64_json", "image_url", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(B64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("task", TASKS, ids=name_of)
@given(
    content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
    declared=st.sampled_from(["", "image/png", "application/json", "text/plain", "image/svg+xml"]),
)
def test_nothing_but_our_errors_escapes(task: Task[Image], content: bytes, declared: str) -> None:
    with suppress(HfError):
        assert task.decode(Reply(200, {"content-type": declared}, content)).data


# bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TextToImage(" "), "`prompt` = ' ': must not be empty"),
        (lambda: TextToImage("a", height=0), "`height` = 0"),
        (lambda: TextToImage("a", width=-8), "`width` = -8"),
        (lambda: TextToImage("a", guidance_scale=float("inf")), "`guidance_scale` = inf"),
        (lambda: untyped(TextToImage)("a", strength=0.5), "`strength` is not a parameter"),
        (lambda: TextToImage("a", seed=1, extra_body={"seed": 2}), "`seed` is given twice"),
        (lambda: ImageToImage(b""), r"`image` \(bytes\): the data is empty"),
        (lambda: ImageToImage(PNG, ""), "`prompt` = ''"),
        (lambda: ImageToImage(PNG, strength=1.1), "`strength` = 1.1"),
        (lambda: ImageToImage(PNG, strength=float("nan")), "`strength` = nan"),
        (lambda: untyped(ImageToImage)(PNG, target_size={"width": 3}), "`target_size.height` is missing"),
        (lambda: ImageToImage(PNG, target_size={"width": 0, "height": 3}), "`target_size.width` = 0"),
        (lambda: untyped(ImageToImage)(PNG, target_size={"width": 1, "height": 3, "depth": 1}), "`target_size.depth`"),
        (
            lambda: ImageToImage(PNG, width=4, target_size={"width": 3, "height": 3}),
            "`width` = 4 contradicts `target_size` = {'width': 3, 'height': 3}",
        ),
        (
            lambda: ImageTextToImage(PNG, height=4, target_size={"width": 3, "height": 3}),
            "`height` = 4 contradicts",
        ),
        (lambda: ImageTextToImage(), "give `image`, `prompt` or both"),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("cls", [ImageToImage, ImageTextToImage])
def test_sources_stay_unread_until_they_are_loaded(cls: type[Task[Any]], tmp_path: Path, encode: Encode) -> None:
    waiting: Task[Any] = untyped(cls)(tmp_path / "a.jpg", "night", target_size=SIZE)
    assert isinstance(getattr(waiting, "image"), Source)  # noqa: B009
    body = read(encode(waiting.loaded({"image": Image(JPEG)}), "toolkit"))[2]
    assert body == {"inputs": "/9j/cmVzdA==", "parameters": {"prompt": "night", "target_size": SIZE}}
