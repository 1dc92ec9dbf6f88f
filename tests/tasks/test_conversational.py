"""Conversational: the old wire form where it is spoken, chat elsewhere, and both read back as a conversation."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.conversational import Conversation, Conversational, ConversationalOutput

Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

CHATS: list[Server] = ["router", "hf-inference", "tgi", "openai"]
MOVIE = Conversational("Can you explain why ?", ["Which movie is the best ?"], ["It is Die Hard for sure."])
WARNING = "Setting `pad_token_id` to `eos_token_id`:50256 for open-end generation."


def test_the_old_form(encode: Encode, written: Written) -> None:
    assert encode(MOVIE, "toolkit") == Body(
        b'{"inputs":{"text":"Can you explain why ?","past_user_inputs":["Which movie is the best ?"],'
        b'"generated_responses":["It is Die Hard for sure."]}}',
        "application/json", "", "*/*",
    )  # fmt: skip
    parameters: dict[str, Any] = {
        "min_length": 1, "max_length": 1000, "top_k": 5, "top_p": 0.5, "temperature": 50.0, "repetition_penalty": 2.0,
        "max_time": 300.0,
    }  # fmt: skip
    task = Conversational("Hi", **parameters)
    turns: dict[str, Any] = {"text": "Hi", "past_user_inputs": [], "generated_responses": []}
    assert written(task, "toolkit") == ("", {"inputs": turns, "parameters": parameters})


def test_case_2_only_a_text(encode: Encode) -> None:
    assert encode(Conversational("Hi"), "toolkit").content == (
        b'{"inputs":{"text":"Hi","past_user_inputs":[],"generated_responses":[]}}'
    )


@pytest.mark.parametrize("server", CHATS)
def test_the_chat_form(server: Server, encode: Encode, written: Written) -> None:
    assert encode(Conversational("Hi"), server) == Body(
        b'{"model":"served","messages":[{"role":"user","content":"Hi"}]}',
        "application/json",
        "/v1/chat/completions",
        "*/*",
    )
    carried = {"top_k": 5, "top_p": 0.5, "temperature": 1.0, "repetition_penalty": 2.0}
    task = Conversational(
        "c", ["a", "b"], ["x", "y"], max_length=100, top_k=5, top_p=0.5, temperature=1, repetition_penalty=2
    )
    messages = [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "x"}, {"role": "user", "content": "b"},
        {"role": "assistant", "content": "y"}, {"role": "user", "content": "c"},
    ]  # fmt: skip
    assert written(task, server) == (
        "/v1/chat/completions", {"model": "served", "messages": messages, "max_tokens": 100, **carried},
    )  # fmt: skip
    assert Conversational("Hi").encode(Route(server, "u")).content == b'{"messages":[{"role":"user","content":"Hi"}]}'


@pytest.mark.parametrize("server", CHATS)
@pytest.mark.parametrize("name", ["min_length", "max_time"])
def test_what_a_chat_cannot_carry(name: str, server: Server, encode: Encode) -> None:
    parameters: dict[str, Any] = {name: 5}
    with pytest.raises(InputError) as caught:
        encode(Conversational("Hi", **parameters), server)
    assert f" cannot carry `{name}`" in caught.value.message
    assert caught.value.hint == "It carries max_tokens, repetition_penalty, temperature, top_k, top_p"


UNEVEN = "`generated_responses` has 1 items: they must be of the same length"
REFUSED: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    (
        ("c", ["a", "b"], ["x"]), {},
        f"conversational: `past_user_inputs` has 2 and {UNEVEN}",
    ),
    (
        ("c",), {"generated_responses": ["x"]},
        f"conversational: `past_user_inputs` has 0 and {UNEVEN}",
    ),
    (("",), {}, "conversational: `text` = '': must not be empty"),
    ((), {}, "conversational: `text` is missing"),
    (("c", "a"), {}, "conversational: `past_user_inputs` = 'a': Input should be a valid list"),
    (("c",), {"min_length": 5, "max_length": 4}, "conversational: `min_length` = 5 is above `max_length` = 4"),
    (("c",), {"top_p": -1}, "conversational: `top_p` = -1: Input should be greater than or equal to 0"),
    (("c",), {"stream": True}, "conversational: `stream` is not a parameter, and this task cannot stream"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "parameters", "message"), REFUSED, ids=range(len(REFUSED)))
def test_case_1_refused(arguments: tuple[Any, ...], parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Conversational(*arguments, **parameters)
    assert caught.value.message == message


OLD = {
    "generated_text": "It's the best movie ever.",
    "conversation": {
        "generated_responses": ["It is Die Hard for sure.", "It's the best movie ever."],
        "past_user_inputs": ["Which movie is the best ?", "Can you explain why ?"],
    },
    "warnings": [WARNING],
}
TURNS = Conversation(
    past_user_inputs=["Which movie is the best ?", "Can you explain why ?"],
    generated_responses=["It is Die Hard for sure.", "It's the best movie ever."],
)
NEW = ConversationalOutput(generated_text="It's the best movie ever.", conversation=TURNS)
ROLES = [
    {"role": "user", "content": "Which movie is the best ?"},
    {"role": "assistant", "content": "It is Die Hard for sure."},
    {"role": "user", "content": "Can you explain why ?"},
    {"role": "assistant", "content": "It's the best movie ever."},
]

DECODED: list[tuple[str, Any, ConversationalOutput]] = [
    ("old", OLD, ConversationalOutput(generated_text=NEW.generated_text, conversation=TURNS, warnings=[WARNING])),
    (
        "old-in-a-list",
        [OLD],
        ConversationalOutput(generated_text=NEW.generated_text, conversation=TURNS, warnings=[WARNING]),
    ),
    ("case-3", {"generated_text": "a", "warnings": ["w"]}, ConversationalOutput(generated_text="a", warnings=["w"])),
    ("text-only", {"generated_text": ""}, ConversationalOutput(generated_text="")),
    ("nulls", {"generated_text": "a", "conversation": None}, ConversationalOutput(generated_text="a")),
    ("toolkit", [{"generated_text": ROLES}], NEW),
    ("toolkit-dict", {"generated_text": ROLES[-1]}, NEW),
    ("chat", {"choices": [{"message": ROLES[-1], "finish_reason": "stop"}]}, NEW),
]


@pytest.mark.parametrize(("case", "value", "answer"), DECODED, ids=[row[0] for row in DECODED])
def test_decode(case: str, value: Any, answer: ConversationalOutput, reply: Made) -> None:
    assert MOVIE.decode(reply(value)) == answer


def test_the_recordings(recording: Callable[[str], list[dict[str, Any]]]) -> None:
    first, second = recording("conversational")
    sent = [Conversational(**exchange["request"]["body"]["inputs"]) for exchange in (first, second)]
    assert sent[0].decode(first["reply"]) == ConversationalOutput(
        generated_text="I am the one who knocks.",
        conversation=Conversation(
            past_user_inputs=["Hi, who are you?"], generated_responses=["I am the one who knocks."]
        ),
        warnings=[WARNING],
    )
    assert sent[1].decode(second["reply"]) == ConversationalOutput(
        generated_text="I am the one who knocks.",
        conversation=Conversation(
            past_user_inputs=["Hi, who are you?", "Wow, that's scary!"],
            generated_responses=["I am the one who knocks.", "I am the one who knocks."],
        ),
        warnings=[WARNING],
    )


@pytest.mark.parametrize("value", [
    {"generated_text": None}, {"generated_text": []}, {"generated_text": [{"role": "assistant"}]}, {"choices": []},
    {"generated_text": "a", "conversation": []}, {"conversation": OLD["conversation"]}, [OLD, OLD], "text",
])  # fmt: skip
def test_another_shape(value: Any, reply: Made) -> None:
    with pytest.raises(ShapeError, match="unexpected answer: "):
        MOVIE.decode(reply(b'"text"' if value == "text" else value))


def test_broken_answers(broken: list[tuple[bytes, type[ResponseError]]], reply: Made) -> None:
    for content, kind in broken:
        with pytest.raises(kind) as caught:
            MOVIE.decode(reply(content))
        assert type(caught.value) is kind


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_answer_is_read_or_an_error_of_ours(
    anything: Callable[..., SearchStrategy[bytes]], reply: Made, data: st.DataObject
) -> None:
    keys = ("generated_text", "conversation", "past_user_inputs", "warnings", "choices", "message", "content")
    with contextlib.suppress(HfError):
        assert isinstance(MOVIE.decode(reply(data.draw(anything(*keys)))), ConversationalOutput)
