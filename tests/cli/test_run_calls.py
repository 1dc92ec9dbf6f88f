"""A call on the command line reaches the server with the same request as the method's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools import HfInference
from hf_tools.catalogue import catalogue, streams
from hf_tools.cli import main
from hf_tools.cli.flags import Flag, flags_of
from hf_tools.cli.parsing import Command
from hf_tools.errors import HfError, InvalidRequest

URL = "https://server.test"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SOUND = b"fLaC" + bytes(20)
MEDIA = {"image": PNG, "audio": SOUND}
SERVERS: dict[str, dict[str, Any]] = {
    "toolkit": {},
    "openai": {"/v1/models": {"data": [{"id": "org/model"}]}},
    "tei": {"/info": {"model_type": {"embedding": {}}}},
    "tgi": {"/info": {"max_total_tokens": 100, "model_id": "org/model"}},
}
INPUTS: dict[str, Any] = {
    "video": "https://films.test/film.mp4",  # toolkit endpoints take nothing else
    "messages": [{"role": "user", "content": "Hi"}],
    "table": {"city": ["Bonn", "Köln"], "people": ["0.3", "1.1"]},
    "candidate_labels": ["good", "bad"],
    "texts": ["one", "two"],
    "other_sentences": ["one", "two"],
    "past_user_inputs": ["Hello"],
    "generated_responses": ["Good day"],
}
"""What stands for an input; else its media, or a text."""
OBJECTS: dict[str, Any] = {
    "target_size": {"width": 64, "height": 32},
    "word_boxes": [["word", [0, 0, 10, 10]]],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "logit_bias": {"5": -1.5},
    "tool_choice": {"type": "function", "function": {"name": "f"}},
}
VALUES = {"int": 3, "float": 0.5, "bool": True, "json": {"a": [1, None, "ß"]}, "text": "x {} y", "word": "auto"}
CALLS = [(name, server) for name, kind in catalogue() for server in SERVERS if server in kind.servers]


def value(flag: Flag) -> Any:
    """A value of a parameter, as the method takes it."""
    if flag.name in OBJECTS:
        return OBJECTS[flag.name]
    if flag.kind == "choice":
        return {"true": True}.get(flag.choices[0], flag.choices[0])
    return ["a", "b"] if flag.many else VALUES[flag.kind]


def words(flag: Flag, given: Any) -> list[str]:
    """The same on the command line, by name."""
    if flag.kind == "bool":
        return [flag.option]
    if flag.many:
        return [word for each in given for word in (flag.option, each)]
    if isinstance(given, dict | list):
        given = json.dumps(given)
    return [flag.option, {True: "true"}.get(given, str(given)) if flag.kind == "choice" else str(given)]


@pytest.fixture
def inputs(tmp_path: Path) -> Any:
    """inputs(task): the task's inputs as the method takes them, and as words."""

    def both(task: str) -> tuple[list[Any], list[str]]:
        values, line = list[Any](), list[str]()
        for flag in [each for each in flags_of(task) if each.positional]:
            given = INPUTS.get(flag.name, MEDIA.get(flag.name, "Some text"))
            values.append(given)
            if isinstance(given, bytes):
                line.append(str(tmp_path / flag.name))
                Path(line[-1]).write_bytes(given)
            elif flag.kind == "table":
                rows = zip(*([name, *column] for name, column in given.items()), strict=True)
                (tmp_path / "table.csv").write_text("".join(",".join(row) + "\n" for row in rows), "utf-8")
                line.append(str(tmp_path / "table.csv"))
            elif flag.kind == "messages":
                line.append(json.dumps(given))
            else:
                line += given if isinstance(given, list) else [given]
        return values, line

    return both


def sent(posts: list[Any]) -> list[Any]:
    """What the servers have got since, without what differs from request to request."""
    found = [(post["url"], _headers(post["headers"]), _without_boundary(post)) for post in posts]
    posts.clear()
    return found


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-type"}


def _without_boundary(post: Any) -> bytes:
    _, _, boundary = post["headers"].get("content-type", "").partition("boundary=")
    body: bytes = post["body"]
    return body.replace(boundary.encode(), b"") if boundary else body


def method(task: str, args: list[Any], kwargs: dict[str, Any]) -> str:
    """The error of the method's call: every server here refuses."""
    try:
        with HfInference(base_url=URL) as hf, pytest.raises(HfError) as refused:
            getattr(hf, task)(*args, **kwargs)
    except HfError as error:
        return f"error: {error}\n"
    return f"error: {refused.value}\n"


@pytest.mark.parametrize(("task", "server"), CALLS, ids=["-".join(call) for call in CALLS])
def test_every_parameter_reaches_the_server_as_from_the_method(
    task: str, server: str, wire: Any, inputs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.got = SERVERS[server]
    values, line = inputs(task)
    output = ["-o", "out.png"] if Command(task).gives else []
    plain = ["--no-stream"] if streams(task) else []
    common = ["run", task, *line, "--base-url", URL, *plain, *output]
    parameters = [flag for flag in flags_of(task) if not flag.positional and flag.name != "model"]
    arrived = 0
    for flag in [None, *parameters]:
        kwargs = {flag.name: value(flag)} if flag else {}
        wire.script = [refusal(), refusal()]
        expected = method(task, values, kwargs)
        by_method = sent(wire.posts)
        code = main([*common, *(words(flag, kwargs[flag.name]) if flag else [])])
        assert capsys.readouterr() == ("", expected)
        assert sent(wire.posts) == by_method
        assert code == (1 if by_method else 2)
        arrived += len(by_method)
        assert flag or arrived == 1
    assert arrived >= 1


def refusal() -> httpx.Response:
    return httpx.Response(400, json={"error": "not today"})


def test_every_task_is_called_here() -> None:
    reached = {name for name, _ in CALLS}
    assert [name for name, _ in catalogue() if name not in reached] == []


def test_the_refusal_is_that_of_the_server(wire: Any) -> None:
    wire.script = [refusal()]
    with HfInference(base_url=URL) as hf, pytest.raises(InvalidRequest, match="400 not today"):
        hf.summarization("a")


@pytest.mark.parametrize(
    ("argv", "body"),
    [
        (["text_classification", "a"], {"inputs": "a"}),
        (["text_classification", "a", "b"], {"inputs": ["a", "b"]}),
        (["zero_shot_classification", "a", "x, y"], {"inputs": "a", "parameters": {"candidate_labels": ["x", "y"]}}),
        (["zero_shot_classification", "a", "x,y", "z"],
         {"inputs": "a", "parameters": {"candidate_labels": ["x,y", "z"]}}),
        (["question_answering", "Who?", "Me", "--top-k", "2"],
         {"inputs": {"question": "Who?", "context": "Me"}, "parameters": {"top_k": 2}}),
        (["sentence_similarity", "{}", "[1]"], {"inputs": {"source_sentence": "{}", "sentences": ["[1]"]}}),
        (["conversational", "Now", "Before", "Yes"],
         {"inputs": {"text": "Now", "past_user_inputs": ["Before"], "generated_responses": ["Yes"]}}),
        (["summarization", "a", "--no-clean-up-tokenization-spaces"],
         {"inputs": "a", "parameters": {"clean_up_tokenization_spaces": False}}),
    ],
)  # fmt: skip
def test_bodies(argv: list[str], body: Any, wire: Any) -> None:
    wire.script = [refusal()]
    assert main(["run", *argv, "--base-url", URL]) == 1
    assert wire.body == body


@pytest.mark.parametrize(
    ("argv", "messages"),
    [
        (["Hello"], [{"role": "user", "content": "Hello"}]),
        (["Hello", "--system", "Be brief"],
         [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hello"}]),
        (['[{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]'],
         [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]),
        (["[draft] fix this"], [{"role": "user", "content": "[draft] fix this"}]),
        (["[1, 2]"], [{"role": "user", "content": "[1, 2]"}]),
        (["[]"], [{"role": "user", "content": "[]"}]),
    ],
)  # fmt: skip
def test_a_text_is_what_the_user_says(argv: list[str], messages: Any, wire: Any) -> None:
    wire.script = [refusal()]
    assert main(["run", "chat-completion", *argv, "--no-stream", "--model", "org/m", "--token-env", "TOKEN"]) == 1
    assert wire.body == {"messages": messages, "model": "org/m"}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hf_test")


def test_who_is_asked_and_who_pays(wire: Any) -> None:
    wire.script = [refusal()]
    asked = ["--provider", "hf-inference", "--model", "org/m", "--token-env", "TOKEN", "--bill-to", "org"]
    assert main(["run", "fill_mask", "a [MASK]", *asked, "--timeout", "7.5"]) == 1
    [post] = wire.posts
    assert post["url"] == "https://router.huggingface.co/hf-inference/models/org/m"
    assert post["headers"]["authorization"] == "Bearer hf_test"
    assert post["headers"]["x-hf-bill-to"] == "org"


def test_a_time_that_is_none_is_refused(wire: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "fill_mask", "a", "--timeout", "0"]) == 2
    assert capsys.readouterr().err.startswith("error: `timeout` = 0.0: must be a number of seconds above 0")
    assert wire.posts == []
