"""Streams: text is printed as it comes; what else, and when they break."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import httpx
import pytest

from hf_tools.cli import main

URL = ["--base-url", "https://server.test"]
CHAT = ["run", "chat_completion", "Hi", *URL]
OPENAI = {"/v1/models": {"data": [{"id": "org/m"}]}}
Capture = pytest.CaptureFixture[str]


def piece(text: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    delta = {"content": text, **more} if text is not None else more
    return {"choices": [{"index": index, "delta": delta, "finish_reason": None}]}


END: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
CALL = {"index": 0, "id": "c1", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
WHOLE = {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "index": 0, "finish_reason": "stop"}]}


@pytest.fixture(autouse=True)
def openai(wire: Any) -> None:
    wire.got = dict(OPENAI)


class Flushed(io.StringIO):
    """A stdout that keeps what it held at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def flush(self) -> None:
        if not self.seen or self.seen[-1] != self.getvalue():
            self.seen.append(self.getvalue())


def test_text_is_printed_as_it_comes(wire: Any, events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Flushed()
    monkeypatch.setattr(sys, "stdout", out)
    wire.script = [events(piece(""), piece("Hel"), piece("lo"), END, "[DONE]")]
    assert main(CHAT) == 0
    assert out.seen == ["Hel", "Hello", "Hello\n"]
    assert wire.body["stream"] is True


def test_a_text_that_ends_its_line_gets_no_other(wire: Any, events: Any, capsys: Capture) -> None:
    wire.script = [events(piece("Hello\n"), END, "[DONE]")]
    assert main(CHAT) == 0
    assert capsys.readouterr() == ("Hello\n", "")


def test_a_continuation_streams_too(wire: Any, events: Any, capsys: Capture) -> None:
    tokens = [{"token": {"id": 1, "text": " upon"}}, {"token": {"id": 2, "text": " a", "special": False}}]
    last = {"token": {"id": 3, "text": "</s>", "special": True}, "generated_text": " upon a"}
    wire.got = {"/info": {"max_total_tokens": 9, "model_id": "org/m"}}
    wire.script = [events(*tokens, last)]
    assert main(["run", "text_generation", "Once", *URL]) == 0
    assert capsys.readouterr() == (" upon a\n", "")


@pytest.mark.parametrize(
    ("parts", "printed"),
    [
        ([piece("I look."), piece(tool_calls=[CALL]), END],
         'I look.\n{"id": "c1", "name": "weather", "arguments": "{\\"city\\": \\"Köln\\"}"}\n'),
        ([piece(tool_calls=[CALL]), END],
         '{"id": "c1", "name": "weather", "arguments": "{\\"city\\": \\"Köln\\"}"}\n'),
        ([piece(refusal="No."), END], "No.\n"),
        ([piece(""), END], ""),
    ],
)  # fmt: skip
def test_tool_calls_and_refusals_come_at_the_end(
    parts: list[Any], printed: str, wire: Any, events: Any, capsys: Capture
) -> None:
    wire.script = [events(*parts, "[DONE]")]
    assert main(CHAT) == 0
    assert capsys.readouterr() == (printed, "")


@pytest.mark.parametrize("words", [["--no-stream"], ["--json"], ["--json", "--no-stream"]])
def test_the_whole_answer_at_once(words: list[str], wire: Any, capsys: Capture) -> None:
    wire.script = [WHOLE]
    assert main([*CHAT, *words]) == 0
    assert "stream" not in wire.body
    out = capsys.readouterr().out
    text = json.loads(out)["choices"][0]["message"]["content"] if "--json" in words else out
    assert text.strip() == "Hello"


def test_json_of_a_stream_is_the_whole_answer(wire: Any, events: Any, capsys: Capture) -> None:
    wire.script = [events(piece("Hel"), piece("lo"), END, "[DONE]")]
    assert main([*CHAT, "--stream", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["choices"][0]["message"]["content"] == "Hello"
    assert wire.body["stream"] is True


def test_several_answers_are_not_mixed(wire: Any, events: Any, capsys: Capture) -> None:
    two = [{"message": {"content": text}, "index": place} for place, text in enumerate(["A", "B"])]
    last: dict[str, Any] = {"delta": {}, "finish_reason": "stop"}
    ends = [{"choices": [{"index": place, **last}]} for place in (0, 1)]
    wire.script = [{"choices": two}, events(piece("A"), piece("B", 1), *ends, "[DONE]")]
    assert main([*CHAT, "--n", "2"]) == 0
    assert main([*CHAT, "--n", "2", "--stream"]) == 0
    assert capsys.readouterr() == ("A\n\nB\nA\n\nB\n", "")
    assert ["stream" in json.loads(post["body"]) for post in wire.posts] == [False, True]


def test_what_a_stream_cannot_have_is_asked_for_at_once(wire: Any, capsys: Capture) -> None:
    wire.got = {"/info": {"max_total_tokens": 9, "model_id": "org/m"}}
    wire.script = [[{"generated_text": " upon"}]]
    assert main(["run", "text_generation", "Once", "--decoder-input-details", *URL]) == 0
    assert capsys.readouterr() == (" upon\n", "")
    assert "stream" not in wire.body


def test_a_server_without_streams_is_asked_for_the_whole(wire: Any, capsys: Capture) -> None:
    wire.got = {}
    wire.script = [[{"generated_text": " upon"}]]
    assert main(["run", "text_generation", "Once", *URL]) == 0
    assert capsys.readouterr() == (" upon\n", "")
    assert main(["run", "text_generation", "Once", "--stream", *URL]) == 2
    assert "an inference-toolkit endpoint cannot carry a stream" in capsys.readouterr().err


def test_other_mistakes_are_told_as_they_are(wire: Any, capsys: Capture) -> None:
    assert main([*CHAT, "--top-p", "2"]) == 2
    assert capsys.readouterr().err.startswith("error: chat_completion: `top_p` = 2.0: ")
    assert wire.posts == []


def test_a_stream_that_breaks_ends_its_line_and_is_an_error(wire: Any, events: Any, capsys: Capture) -> None:
    wire.script = [events(piece("Hel"))]
    assert main(CHAT) == 1
    out, err = capsys.readouterr()
    assert out == "Hel\n"
    assert err.startswith("error: the stream ended")


class Interrupted(httpx.SyncByteStream):
    """A body whose reader presses Ctrl-C."""

    closed = False

    def __iter__(self) -> Any:
        yield f"data: {json.dumps(piece('Hel'))}\n\n".encode()
        raise KeyboardInterrupt

    def close(self) -> None:
        self.closed = True


def test_an_interrupt_within_a_stream_is_clean(wire: Any, capsys: Capture) -> None:
    body = Interrupted()
    wire.script = [httpx.Response(200, stream=body, headers={"content-type": "text/event-stream"})]
    assert main(CHAT) == 130
    assert capsys.readouterr() == ("Hel\n", "interrupted\n")
    assert body.closed


def test_what_steers_a_terminal_does_not_reach_one(wire: Any, events: Any, terminal: Any) -> None:
    wire.script = [events(piece("a\x1b[2J\tb\n\u202ec\x07\x9b"), END, "[DONE]")]
    screen = terminal()
    assert main(CHAT) == 0
    assert screen.getvalue() == b"a?[2J\tb\n?c??\n"


def test_a_pipe_gets_the_text_as_it_is(wire: Any, events: Any, capsys: Capture) -> None:
    wire.script = [events(piece("a\x1b[2J\u202e"), END, "[DONE]")]
    assert main(CHAT) == 0
    assert capsys.readouterr().out == "a\x1b[2J\u202e\n"
