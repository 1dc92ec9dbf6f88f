"""Tasks that read a picture: what they send, and what they make of every answer."""

import base64
import json
import math
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
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
    MediaError,
    ReportedError,
    ShapeError,
    UnexpectedContent,
)
from hf_tools.media import Image
from hf_tools.media.source import Source
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.image import (
    DepthEstimation,
    DepthEstimationOutput,
    ImageClassification,
    ImageSegmentation,
    ImageToText,
    ObjectDetection,
    ZeroShotImageClassification,
    ZeroShotObjectDetection,
)

Recording = Callable[[str], list[dict[str, Any]]]
Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
MakeReply = Callable[[Any], Reply]
Spec = Callable[[str, str], Any]

PNG = b"\x89PNG\r\n\x1a\nrest"
B64 = "iVBORw0KGgpyZXN0"
JPEG = b"\xff\xd8\xffrest"
BOX = {"xmin": -1, "ymin": 2, "xmax": 30, "ymax": 40}
TASKS: list[Task[Any]] = [
    ImageClassification(PNG),
    ObjectDetection(PNG),
    ImageSegmentation(PNG),
    ImageToText(PNG),
    DepthEstimation(PNG),
    ZeroShotImageClassification(PNG, ["a", "b"]),
    ZeroShotObjectDetection(PNG, ["a"]),
]
RAW = TASKS[:5]


def name_of(value: object) -> str:
    return value.name if isinstance(value, Task) else str(value)[:40]


def all_of(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else [answer]  # pyright: ignore[reportUnknownVariableType]


# encode


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize("task", RAW, ids=name_of)
def test_raw_bytes_where_nothing_else_is_given(task: Task[Any], server: Server, encode: Encode) -> None:
    assert encode(task, server) == Body(PNG, "image/png", "", "*/*")


FULL: list[tuple[Task[Any], dict[str, Any]]] = [
    (ImageClassification(PNG, function_to_apply="softmax", top_k=20), {"function_to_apply": "softmax", "top_k": 20}),
    (ObjectDetection(PNG, threshold=0.5), {"threshold": 0.5}),
    (
        ImageSegmentation(PNG, mask_threshold=0.4, overlap_mask_area_threshold=0.8, subtask="panoptic", threshold=0.9),
        {"mask_threshold": 0.4, "overlap_mask_area_threshold": 0.8, "subtask": "panoptic", "threshold": 0.9},
    ),
    (
        ImageToText(PNG, max_new_tokens=4096, generation_parameters={"num_beams": 2}),
        {"max_new_tokens": 4096, "generation_parameters": {"num_beams": 2}},
    ),
    (ZeroShotImageClassification(PNG, ["a", "b"]), {"candidate_labels": ["a", "b"]}),
    (
        ZeroShotImageClassification(PNG, "tree, cat", hypothesis_template="a photo of {}"),
        {"candidate_labels": ["tree", "cat"], "hypothesis_template": "a photo of {}"},
    ),
    (
        ZeroShotObjectDetection(PNG, ["cat, small"], threshold=0, top_k=1),
        {"candidate_labels": ["cat, small"], "threshold": 0, "top_k": 1},
    ),
]


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize(("task", "parameters"), FULL, ids=name_of)
def test_cases_26_and_86_base64_with_parameters(
    task: Task[Any], parameters: dict[str, Any], server: Server, written: Written
) -> None:
    assert written(task, server) == ("", {"inputs": B64, "parameters": parameters})


def test_a_type_that_the_toolkit_refuses_is_refused_here_by_name(encode: Encode) -> None:
    heic = b"\0\0\0\x18ftypheic"
    with pytest.raises(InputError, match=r"image data of type image/heic .*It takes .*image/webp"):
        encode(ImageClassification(heic), "toolkit")
    assert encode(ImageClassification(heic), "hf-inference").content_type == "image/heic"
    assert encode(ImageClassification(b"?"), "hf-inference") == Body(b"?", None)


def test_options_of_the_route_need_the_json_form() -> None:
    route = Route("hf-inference", "https://server.test", options={"use_gpu": True})
    body = ImageClassification(PNG).encode(route)
    assert json.loads(body.content) == {"inputs": B64, "parameters": {}, "options": {"use_gpu": True}}


def test_case_84_json_tasks_never_ask_for_an_image(encode: Encode) -> None:
    assert {encode(task, "toolkit").accept for task in TASKS} == {"*/*"}


# recordings


@pytest.mark.parametrize(
    ("case", "task", "expected"),
    [
        (
            "image_classification",
            ImageClassification(PNG),
            [
                {"score": 0.1176738440990448, "label": "brassiere, bra, bandeau"},
                {"score": 0.0957278460264206, "label": "sombrero"},
                {"score": 0.09000881016254425, "label": "cowboy hat, ten-gallon hat"},
                {"score": 0.06615243852138519, "label": "bonnet, poke bonnet"},
                {"score": 0.06151164695620537, "label": "fur coat"},
            ],
        ),
        (
            "object_detection",
            ObjectDetection(PNG),
            [
                {
                    "score": 0.9486683011054993,
                    "label": "person",
                    "box": {"xmin": 59, "ymin": 39, "xmax": 420, "ymax": 510},
                }
            ],
        ),
        ("image_to_text", ImageToText(PNG), {"generated_text": "a woman in a hat and dress posing for a photo"}),
        (
            "zero_shot_image_classification",
            ZeroShotImageClassification(PNG, ["tree", "woman", "cat"]),
            [
                {"score": 0.998569130897522, "label": "woman"},
                {"score": 0.001249051420018077, "label": "cat"},
                {"score": 0.00018181592167820781, "label": "tree"},
            ],
        ),
    ],
)
def test_recordings(case: str, task: Task[Any], expected: Any, recording: Recording, encode: Encode) -> None:
    for each in recording(case):
        answer = task.decode(each["reply"])
        assert [one.model_dump() for one in all_of(answer)] == all_of(expected)
        if "body_bytes" in each["request"]:  # raw bytes then, raw bytes now
            assert encode(task, "hf-inference").content == PNG
            assert encode(task, "hf-inference").accept == each["request"]["headers"]["accept"]


def test_recorded_request_of_zero_shot_image_classification_is_of_2023(recording: Recording, written: Written) -> None:
    # then the picture was in `image` and the labels were joined; the spec of today has `inputs` and a list
    then = recording("zero_shot_image_classification")[0]["request"]["body"]
    path, now = written(ZeroShotImageClassification(PNG, then["parameters"]["candidate_labels"]), "hf-inference")
    assert (path, set(then), set(now)) == ("", {"image", "parameters"}, {"inputs", "parameters"})
    assert ",".join(now["parameters"]["candidate_labels"]) == then["parameters"]["candidate_labels"]


def test_recorded_masks_decode_lazily(recording: Recording) -> None:
    (each,) = recording("image_segmentation")
    shortened, whole = ImageSegmentation(PNG).decode(each["reply"])
    assert (whole.label, whole.score) == ("person", 0.993846)
    assert (whole.mask.mime_type, len(whole.mask)) == ("image/png", 2994)
    assert whole.mask.to_pil().size == (512, 512)
    assert whole.mask is whole.mask
    assert (shortened.label, shortened.score) == ("LABEL_199", 0.915131)
    with pytest.raises(DecodeError, match='the mask of "LABEL_199": not valid base64'):  # the recording cut it
        _ = shortened.mask


# decode


def test_case_20_semantic_segmentation_has_no_score_and_a_bad_mask_is_named(reply: MakeReply) -> None:
    body = [{"label": "sky", "mask": B64}, {"label": "sea", "mask": "%%%", "score": None}]
    sky, sea = ImageSegmentation(PNG).decode(reply(body))
    assert (sky.score, sky.mask) == (None, Image(PNG))
    assert "mask" not in repr(sky)
    assert sky.model_dump(by_alias=True) == {"label": "sky", "score": None, "mask": B64}
    with pytest.raises(DecodeError, match='mask of "sea"'):
        _ = sea.mask


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        ("Og==\n=", DecodeError),
        ("data:image/png;base64,", DecodeError),
        (base64.b64encode(b"OggS....").decode(), UnexpectedContent),
        ("https://server.test/mask.png", DecodeError),
    ],
)
def test_masks_that_are_none(mask: str, error: type[HfError], reply: MakeReply) -> None:
    (part,) = ImageSegmentation(PNG).decode(reply([{"label": "sky", "mask": mask}]))
    with pytest.raises(error, match='the mask of "sky"'):
        _ = part.mask


@pytest.mark.parametrize("body", [[{"generated_text": " a giraffe "}], {"generated_text": " a giraffe "}])
def test_case_27_image_to_text_list_or_dict(body: Any, reply: MakeReply) -> None:
    assert ImageToText(PNG).decode(reply(body)).generated_text == " a giraffe "


@pytest.mark.parametrize("key", ["generatedText", "md_results"])
def test_image_to_text_under_its_other_names(key: str, reply: MakeReply) -> None:
    assert ImageToText(PNG).decode(reply({key: "x"})).generated_text == "x"


@pytest.mark.parametrize("body", ['[{"label":"a","score":null}]', '[{"label":"a","score":NaN}]'])
@pytest.mark.parametrize("task", [TASKS[0], TASKS[5]], ids=name_of)
def test_case_9_scores_that_are_none(task: Task[Any], body: str, reply: MakeReply) -> None:
    (element,) = task.decode(reply(body))
    assert (element.label, math.isnan(element.score)) == ("a", True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], []),
        ([{"label": "a", "score": 1}], [("a", 1.0)]),  # case 89
        ([{"score": 1.4291124728060822e-08, "label": "a"}], [("a", 1.4291124728060822e-08)]),
        ([{"label": 3, "score": "0.5"}], [("3", 0.5)]),  # case 90
        ([[{"label": "a", "score": 0.5}, {"label": "b", "score": 0.1}]], [("a", 0.5), ("b", 0.1)]),
        ({"label": "a", "score": 0.5}, [("a", 0.5)]),
    ],
)
@pytest.mark.parametrize("task", [TASKS[0], TASKS[5]], ids=name_of)
def test_labels(task: Task[Any], body: Any, expected: list[tuple[str, float]], reply: MakeReply) -> None:
    found = task.decode(reply(body))
    assert [(each.label, each.score) for each in found] == expected
    assert all(type(each.score) is float for each in found)


@pytest.mark.parametrize("task", [TASKS[1], TASKS[6]], ids=name_of)
def test_boxes(task: Task[Any], reply: MakeReply) -> None:
    assert task.decode(reply([])) == []
    (found,) = task.decode(reply([{"label": "cat", "score": 1, "box": BOX, "id": 7}]))
    assert (found.label, found.score, found.id) == ("cat", 1.0, 7)
    assert (found.box.xmin, found.box.ymin, found.box.xmax, found.box.ymax) == (-1, 2, 30, 40)


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (PNG, None),
        (json.dumps(B64), None),
        ({"depth": B64}, None),
        ([{"depth": B64}], None),
        ({"depth": f"data:image/png;base64,{B64}"}, None),
        ({"depth": B64, "predicted_depth": [[0.5, None], [1, 2]]}, [[0.5, None], [1, 2]]),
    ],
)
def test_depth_in_all_its_shapes(body: Any, numbers: Any, reply: MakeReply) -> None:
    answer = DepthEstimation(PNG).decode(reply(body))
    assert (answer.depth, answer.predicted_depth) == (Image(PNG), numbers)
    assert answer.depth is answer.depth


def test_depth_as_numbers_only(reply: MakeReply) -> None:
    answer = DepthEstimation(PNG).decode(reply({"predicted_depth": [[1.5]]}))
    assert answer.predicted_depth == [[1.5]]
    with pytest.raises(ShapeError, match=r"no picture.*predicted_depth"):
        _ = answer.depth


def test_depth_that_is_broken(reply: MakeReply) -> None:
    answer = DepthEstimation(PNG).decode(reply({"depth": "%"}))
    with pytest.raises(DecodeError, match="the depth: not valid base64: %"):
        _ = answer.depth


@pytest.mark.parametrize(
    ("task", "instance"),
    [
        (ImageClassification(PNG), [{"label": "a", "score": 0.5}]),
        (ObjectDetection(PNG), [{"label": "a", "score": 0.5, "box": BOX}]),
        (ImageSegmentation(PNG), [{"label": "a", "mask": B64}, {"label": "b", "mask": B64, "score": 1.0}]),
        (DepthEstimation(PNG), {"depth": B64, "predicted_depth": [[1.0]]}),
        (ZeroShotImageClassification(PNG, ["a"]), [{"label": "a", "score": 0.5}]),
        (ZeroShotObjectDetection(PNG, ["a"]), [{"label": "a", "score": 0.5, "box": BOX}]),
    ],
    ids=name_of,
)
def test_instances_of_the_spec(task: Task[Any], instance: Any, spec: Spec, reply: MakeReply) -> None:
    spec(task.name, "output").validate(instance)
    answer = task.decode(reply(instance))
    dumped = [one.model_dump(by_alias=True, exclude_none=True) for one in all_of(answer)]
    assert dumped == all_of(instance)


def test_the_spec_of_image_to_text_requires_another_name(spec: Spec, reply: MakeReply) -> None:
    instance = {"generatedText": "x"}
    spec("image-to-text", "output").validate(instance)
    assert ImageToText(PNG).decode(reply(instance)).generated_text == "x"


@pytest.mark.parametrize(("task", "parameters"), FULL, ids=name_of)
def test_parameters_are_those_of_the_spec(
    task: Task[Any], parameters: dict[str, Any], spec: Spec, written: Written
) -> None:
    spec(task.name, "input").validate(written(task, "hf-inference")[1])


# bad answers


BAD: list[tuple[bytes, type[HfError], str]] = [
    (b"", EmptyResponse, "empty"),
    (b" \n", EmptyResponse, "empty"),
    (b"<html><title>Bad gateway</title>", UnexpectedContent, "Bad gateway"),
    (b'[{"label": "a"', DecodeError, "not valid JSON"),
    (b'{"error": "no such model"}', ReportedError, "no such model"),
    (b'{"error": ["a", "b"]}', ReportedError, "a; b"),
    (b"7", ShapeError, "unexpected answer"),
    (b"null", ShapeError, "unexpected answer"),
    (b'[{"x": 1}]', ShapeError, "unexpected answer"),
    (b"[[[]]]", ShapeError, "unexpected answer"),
]


@pytest.mark.parametrize(("content", "error", "message"), BAD)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_bad_answers(task: Task[Any], content: bytes, error: type[HfError], message: str) -> None:
    with pytest.raises(HfError, match=message) as caught:
        task.decode(Reply(200, {"content-type": "application/json"}, content))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("task", "body", "message"),
    [
        (TASKS[0], [{"label": None, "score": 1}], "0.label"),
        (TASKS[0], [{"label": "a", "score": "high"}], "0.score"),
        (TASKS[1], [{"label": "a", "score": 1}], "0.box"),
        (TASKS[1], [{"label": "a", "score": 1, "box": {**BOX, "xmin": 0.25}}], "0.box.xmin"),
        (TASKS[2], [{"label": "a", "mask": ""}], "0.mask"),
        (TASKS[2], [{"label": "a"}], "0.mask"),
        (TASKS[3], {"generated_text": None}, "generated_text"),
        (TASKS[4], {"depth": 3}, "depth"),
        (TASKS[4], {}, "neither `depth` nor"),
    ],
)
def test_shapes_that_are_none_of_the_promised(task: Task[Any], body: Any, message: str, reply: MakeReply) -> None:
    with pytest.raises(ShapeError, match=message):
        task.decode(reply(body))


def test_depth_that_is_a_sound_or_text() -> None:
    with pytest.raises(UnexpectedContent, match="audio/flac, not image"):
        DepthEstimation(PNG).decode(Reply(200, {}, b"fLaC...."))
    with pytest.raises(UnexpectedContent, match="text, not image: Service Unavailable"):
        DepthEstimation(PNG).decode(Reply(200, {"content-type": "text/plain"}, b"Service Unavailable"))


KEYS = st.sampled_from(["label", "score", "box", "mask", "generated_text", "depth", "predicted_depth", "xmin", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(B64),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("task", TASKS, ids=name_of)
@given(content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_our_errors_escapes(task: Task[Any], content: bytes) -> None:
    with suppress(HfError):
        for each in all_of(task.decode(Reply(200, {}, content))):
            _ = getattr(each, "mask", None)
            _ = each.depth if isinstance(each, DepthEstimationOutput) else None


# bad input


def untyped(cls: type[Task[Any]]) -> Any:
    """The class for a call that type checkers refuse, too."""
    return cls


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: untyped(ImageClassification)(b""), r"`image` \(bytes\): the data is empty"),
        (lambda: untyped(ImageClassification)(" "), "`image` = ' ': an empty path"),
        (lambda: untyped(ImageClassification)([PNG]), r"`image` = .*got list"),  # case 83
        (lambda: untyped(ImageClassification)("ftp://x/y"), "`image` = 'ftp://x/y': ftp: URLs"),
        (lambda: untyped(ImageClassification)(b"OggS...."), "audio/ogg, not image"),
        (
            lambda: untyped(ImageClassification)(PNG, function_to_apply="relu"),
            "`function_to_apply` = 'relu'.*'softmax'",
        ),
        (lambda: untyped(ImageClassification)(PNG, top_k=-2), "`top_k` = -2"),
        (lambda: untyped(ImageClassification)(PNG, top=3), "`top` is not a parameter.*top_k"),
        (lambda: untyped(ImageClassification)(), "`image` is missing"),
        (lambda: untyped(ObjectDetection)(PNG, threshold=1.5), "`threshold` = 1.5"),
        (lambda: untyped(ObjectDetection)(PNG, threshold=math.nan), "`threshold` = nan"),
        (lambda: untyped(ImageSegmentation)(PNG, subtask="all"), "`subtask` = 'all'.*'semantic'"),
        (lambda: untyped(ImageToText)(PNG, max_new_tokens=0), "`max_new_tokens` = 0"),
        (
            lambda: untyped(ImageToText)(PNG, max_new_tokens=1, generation_parameters={"max_new_tokens": 2}),
            "`max_new_tokens` is given twice",
        ),
        (lambda: untyped(ImageToText)(PNG, stream=True), "cannot stream"),
        (lambda: untyped(ZeroShotImageClassification)(PNG, []), "`candidate_labels` = .*must not be empty"),
        (lambda: untyped(ZeroShotImageClassification)(PNG, ["a", " "]), r"`candidate_labels.1` = ' '"),
        (lambda: untyped(ZeroShotImageClassification)([PNG], ["a"]), "got list"),
        (lambda: untyped(ZeroShotObjectDetection)(PNG), "`candidate_labels` is missing"),
        (lambda: untyped(ZeroShotObjectDetection)(PNG, ["a"], hypothesis_template="x"), "`hypothesis_template` is not"),
    ],
)
def test_bad_input(make: Callable[[], Task[Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_sources_stay_unread_until_they_are_loaded(task: Task[Any], tmp_path: Path, encode: Encode) -> None:
    labels = [["a"]] if hasattr(task, "candidate_labels") else []
    file = BytesIO(JPEG)
    for value in (tmp_path / "cat.png", "cat.png", "https://server.test/cat.png?signed=1", file):
        waiting: Task[Any] = untyped(type(task))(value, *labels, model="m")
        source: Any = getattr(waiting, "image")  # noqa: B009
        assert isinstance(source, Source)
        assert (source.kind, source.file in (None, file)) == (Image, True)
        with pytest.raises(MediaError, match="not read yet"):
            encode(waiting, "hf-inference")
        loaded = waiting.loaded({"image": Image(JPEG)})
        assert (getattr(loaded, "image"), loaded.model) == (Image(JPEG), "m")  # noqa: B009
        body = encode(loaded, "hf-inference").content
        assert body == JPEG or json.loads(body)["inputs"] == "/9j/cmVzdA=="


def test_twenty_labels_are_sent(written: Written) -> None:
    labels = [f"label {number}" for number in range(20)]
    _, body = written(ZeroShotImageClassification(PNG, labels), "toolkit")
    assert body["parameters"]["candidate_labels"] == labels
