"""Text generation: what is written for each server, what is read, what is refused. Its stream: tests/streaming."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.generation import TextGeneration, TextGenerationDetails, TextGenerationOutput, Token

Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

URL = "https://server.test"
PLAIN: list[Server] = ["hf-inference", "toolkit", "tgi"]
GRAMMAR = {"type": "json", "value": {"type": "object", "properties": {"a": {"default": None}}}}
EVERYTHING: dict[str, Any] = {
    "adapter_id": "lora", "best_of": 2, "decoder_input_details": True, "details": True, "do_sample": False,
    "frequency_penalty": 0.5, "grammar": GRAMMAR, "max_new_tokens": 4096, "max_time": 300.0, "num_return_sequences": 3,
    "repetition_penalty": 1.5, "return_full_text": False, "seed": 42, "stop": ["\n", "END"], "temperature": 0.5,
    "top_k": 50, "top_n_tokens": 5, "top_p": 0.95, "truncate": 100, "typical_p": 0.9, "watermark": True,
}  # fmt: skip


@pytest.mark.parametrize("server", PLAIN)
def test_the_bytes_of_a_plain_request(server: Server, encode: Encode) -> None:
    # no `parameters`: with an empty one a TGI server is greedy, without it samples
    assert encode(TextGeneration("Count:"), server) == Body(b'{"inputs":"Count:"}', "application/json", "", "*/*")
    assert encode(TextGeneration("Count:", do_sample=False), server).content == (
        b'{"inputs":"Count:","parameters":{"do_sample":false}}'
    )


@pytest.mark.parametrize("server", PLAIN)
def test_every_parameter(server: Server, written: Written) -> None:
    assert written(TextGeneration("Count:", **EVERYTHING), server) == (
        "",
        {"inputs": "Count:", "parameters": EVERYTHING},
    )


def test_the_input_spec_knows_what_is_written(written: Written, spec: Callable[[str, str], Any]) -> None:
    given_ = {name: value for name, value in EVERYTHING.items() if name not in ("max_time", "num_return_sequences")}
    _, body = written(TextGeneration("Count:", **given_), "tgi")
    schema = spec("text-generation", "input").schema
    [parameters] = [part["properties"] for name, part in schema["$defs"].items() if name.endswith("GenerateParameters")]
    assert body["parameters"].keys() == parameters.keys()


@pytest.mark.parametrize(("server", "path"), [("hf-inference", ""), ("tgi", "")])
def test_a_stream(server: Server, path: str) -> None:
    body = TextGeneration("Count:", max_new_tokens=5).encode(Route(server, URL, "served", stream=True))
    assert body == Body(
        b'{"inputs":"Count:","stream":true,"parameters":{"max_new_tokens":5}}', "application/json", path
    )


def test_the_toolkit_has_no_stream() -> None:
    with pytest.raises(InputError) as caught:
        TextGeneration("Count:").encode(Route("toolkit", URL, stream=True))
    assert str(caught.value) == (
        "text_generation: an inference-toolkit endpoint cannot carry a stream (task text-generation). "
        "Call text_generation(...) instead"
    )


def test_options_go_into_the_body() -> None:
    route = Route("hf-inference", URL, options={"use_gpu": True})
    assert TextGeneration("Count:").encode(route).content == b'{"inputs":"Count:","options":{"use_gpu":true}}'


@pytest.mark.parametrize("server", PLAIN)
def test_case_58_stop_sequences(server: Server, written: Written) -> None:
    assert written(TextGeneration("a", stop_sequences=["END"]), server)[1]["parameters"] == {"stop": ["END"]}
    assert written(TextGeneration("a", stop_sequences=["END"]), "openai")[1]["stop"] == ["END"]
    assert written(TextGeneration("a", stop=["END"]), "openai")[1]["stop"] == ["END"]


@pytest.mark.parametrize("server", [*PLAIN, "openai"])
def test_case_56_the_bounds_of_sampling_are_sent_as_they_are(server: Server, written: Written) -> None:
    _, body = written(TextGeneration("a", temperature=0, top_p=1.0), server)
    assert body.get("parameters", body) | {"temperature": 0, "top_p": 1.0} == body.get("parameters", body)


def test_more_parameters(written: Written) -> None:
    task = TextGeneration("a", top_k=1, extra_body={"top_k": 2, "penalty_alpha": None})
    assert written(task, "tgi")[1] == {"inputs": "a", "parameters": {"top_k": 2, "penalty_alpha": None}}
    assert written(task, "openai")[1] == {"model": "served", "prompt": "a", "top_k": 2, "penalty_alpha": None}


def test_completions(encode: Encode, written: Written) -> None:
    assert encode(TextGeneration("Count:"), "openai") == Body(
        b'{"model":"served","prompt":"Count:"}', "application/json", "/v1/completions", "*/*"
    )
    assert TextGeneration("Count:").encode(Route("openai", URL)).content == b'{"prompt":"Count:"}'
    task = TextGeneration(
        "Count:", max_new_tokens=5, num_return_sequences=2, best_of=3, stop=["END"], return_full_text=True, seed=1,
        temperature=0.5, top_k=-1, top_p=0.5, repetition_penalty=1, frequency_penalty=0, typical_p=0.5,
    )  # fmt: skip
    assert written(task, "openai") == ("/v1/completions", {
        "model": "served", "prompt": "Count:", "max_tokens": 5, "n": 2, "best_of": 3, "stop": ["END"], "echo": True,
        "seed": 1, "temperature": 0.5, "top_k": -1, "top_p": 0.5, "repetition_penalty": 1.0, "frequency_penalty": 0.0,
        "typical_p": 0.5,
    })  # fmt: skip
    assert "echo" not in written(TextGeneration("Count:", return_full_text=False), "openai")[1]


def test_completions_as_a_stream() -> None:
    route = Route("openai", URL, "served", stream=True)
    assert TextGeneration("a", max_new_tokens=5).encode(route).content == (
        b'{"model":"served","prompt":"a","stream":true,"stream_options":{"include_usage":true},"max_tokens":5}'
    )
    own = TextGeneration("a", extra_body={"stream_options": None}).encode(route)
    assert json.loads(own.content)["stream_options"] is None


NOT_CARRIED: list[tuple[str, Any]] = [
    ("adapter_id", "lora"), ("decoder_input_details", True), ("details", True), ("do_sample", True),
    ("grammar", GRAMMAR), ("max_time", 5.0), ("top_n_tokens", 2), ("truncate", 5), ("watermark", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), NOT_CARRIED)
def test_completions_refuse_by_name_what_they_cannot_carry(name: str, value: Any, encode: Encode) -> None:
    with pytest.raises(InputError) as caught:
        encode(TextGeneration("a", **{name: value}), "openai")
    assert caught.value.message == f"text_generation: an OpenAI-shaped server cannot carry `{name}`"
    assert caught.value.hint == (
        "It carries best_of, echo, frequency_penalty, logprobs, max_tokens, min_p, n, repetition_penalty, seed, stop, "
        "temperature, top_k, top_p, typical_p"
    )


def test_a_large_output_is_not_sent_twice() -> None:
    counts = (None, 1, 4096, 4097)
    assert [TextGeneration("a", max_new_tokens=count).costly for count in counts] == [False, False, False, True]


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    ("", {}, "text_generation: `prompt` = '': must not be empty"),
    (" \n", {}, "text_generation: `prompt` = ' \\n': must not be empty"),
    (5, {}, "text_generation: `prompt` = 5: Input should be a valid string"),
    (["a"], {}, "text_generation: `prompt` = ['a']: Input should be a valid string"),
    (
        "a", {"stop": ["x"], "stop_sequences": ["y"]},
        "text_generation: `stop` and `stop_sequences` are two names of one parameter: give one of them",
    ),
    ("a", {"stop": "x"}, "text_generation: `stop` = 'x': Input should be a valid list"),
    ("a", {"max_new_tokens": -1}, "text_generation: `max_new_tokens` = -1: Input should be greater than or equal to 0"),
    ("a", {"num_return_sequences": -1}, "text_generation: `num_return_sequences` = -1: Input should be greater than 0"),
    ("a", {"top_k": -2}, "text_generation: `top_k` = -2: Input should be greater than or equal to -1"),
    ("a", {"top_p": 2}, "text_generation: `top_p` = 2: Input should be less than or equal to 1"),
    ("a", {"temperature": -1}, "text_generation: `temperature` = -1: Input should be greater than or equal to 0"),
    ("a", {"max_time": float("inf")}, "text_generation: `max_time` = inf: Input should be a finite number"),
    (
        "a", {"stream": True},
        "text_generation: `stream` is not a parameter: call text_generation_stream(...) for a stream",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "parameters", "message"), REFUSED, ids=[str(row[1] or row[0]) for row in REFUSED])
def test_refused(prompt: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        TextGeneration(prompt, **parameters)
    assert caught.value.message == message


def test_documented_limits_of_the_past_are_not_enforced() -> None:
    task = TextGeneration("a", max_new_tokens=4096, max_time=1000, num_return_sequences=50, temperature=101, top_k=0)
    assert task.max_new_tokens == 4096


# answers


def text(generated: str, **more: Any) -> dict[str, Any]:
    return {"generated_text": generated, **more}


DETAILS = {
    "finish_reason": "length", "generated_tokens": 1, "seed": None,
    "prefill": [{"id": 1, "text": "a", "logprob": None}],
    "tokens": [{"id": 2, "text": "b", "logprob": -1, "special": False}], "best_of_sequences": [],
}  # fmt: skip
READ_DETAILS = TextGenerationDetails.model_validate({
    "finish_reason": "length", "generated_tokens": 1, "seed": None, "prefill": [Token(id=1, text="a", logprob=None)],
    "tokens": [Token(id=2, text="b", logprob=-1.0, special=False)], "best_of_sequences": [],
})  # fmt: skip
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def out(generated: str, **more: Any) -> TextGenerationOutput:
    return TextGenerationOutput(generated_text=generated, **more)


def several(*outputs: TextGenerationOutput) -> TextGenerationOutput:
    return outputs[0].model_copy(update={"sequences": list(outputs)})


DECODED: list[tuple[str, Any, TextGenerationOutput]] = [
    ("list", [text("Count: one two")], out("Count: one two")),
    ("dict", text("one"), out("one")),
    ("empty", [text("")], out("")),
    ("nested", [[text("a")]], out("a")),
    ("sequences", [text("a"), text("b"), text("c")], several(out("a"), out("b"), out("c"))),
    ("nested-sequences", [[text("a"), text("b")]], several(out("a"), out("b"))),
    ("details", text("b", details=DETAILS), out("b", details=READ_DETAILS)),
    ("details-null", [text("b", details=None)], out("b")),
    ("details-odd", [text("b", details="none")], out("b")),
    ("details-odd-token", [text("b", details={"tokens": [{"id": 1}]})], out("b")),
    ("more", [text("a", score=1)], TextGenerationOutput.model_validate({"generated_text": "a", "score": 1})),
    (
        "completions",
        {"id": "", "choices": [{"index": 0, "text": "one", "logprobs": None, "finish_reason": "stop"}], "usage": USAGE},
        out("one", finish_reason="stop", usage=USAGE),
    ),
    (
        "completions-shuffled",
        {"choices": [{"index": 1, "text": "b"}, {"index": 0, "text": "a"}]},
        several(out("a"), out("b")),
    ),
    ("completions-bare", {"choices": [{"text": "one", "finish_reason": ""}]}, out("one")),
    (
        "completions-several",
        {"choices": [{"text": "a", "finish_reason": "length"}, {"text": "b", "finish_reason": None}]},
        several(out("a", finish_reason="length"), out("b")),
    ),
    ("error-null", {"generated_text": "a", "error": None}, TextGenerationOutput.model_validate(text("a", error=None))),
]


@pytest.mark.parametrize(("case", "value", "answer"), DECODED, ids=[row[0] for row in DECODED])
def test_decode(case: str, value: Any, answer: TextGenerationOutput, reply: Made) -> None:
    decoded = TextGeneration("Count:").decode(reply(value))
    assert decoded == answer
    assert decoded.sequences == answer.sequences


def test_the_output_spec_is_understood(spec: Callable[[str, str], Any], reply: Made) -> None:
    # the schema means its `nullable`, which draft 7 does not know: null is tried above
    given_ = {**DETAILS, "finish_reason": "eos_token", "seed": 1, "prefill": [{"id": 1, "text": "a", "logprob": -2}]}
    value = text("a", details=given_)
    spec("text-generation", "output").validate(value)
    details = TextGeneration("Count:").decode(reply([value])).details
    assert details is not None
    assert (details.finish_reason, details.tokens[0].text, details.prefill[0].logprob) == ("eos_token", "b", -2)


@pytest.mark.parametrize("value", [
    [], [[]], {}, {"generated_text": None}, {"generated_text": 5}, [text("a"), None], [["a"]],
    [[text("a")], [text("b")]],
    {"choices": []}, {"choices": None}, {"choices": [{"message": {"content": "a"}}]}, {"choices": [{"text": None}]},
])  # fmt: skip
def test_another_shape(value: Any, reply: Made) -> None:
    with pytest.raises(ShapeError, match="unexpected answer: "):
        TextGeneration("Count:").decode(reply(value))


def test_broken_answers(broken: list[tuple[bytes, type[ResponseError]]], reply: Made) -> None:
    for content, kind in broken:
        with pytest.raises(kind) as caught:
            TextGeneration("Count:").decode(reply(content))
        assert type(caught.value) is kind


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_answer_is_read_or_an_error_of_ours(
    anything: Callable[..., SearchStrategy[bytes]], reply: Made, data: st.DataObject
) -> None:
    content = data.draw(anything("choices", "text", "generated_text", "details", "tokens", "usage", "finish_reason"))
    with contextlib.suppress(HfError):
        assert isinstance(TextGeneration("Count:").decode(reply(content)), TextGenerationOutput)
