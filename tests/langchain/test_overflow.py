"""What servers say when the input does not fit, as they wrote it in public issues; and what only sounds like it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError

from hf_tools import errors as hf
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings
from langchain_hf_tools import errors as ours
from langchain_hf_tools.errors import model_errors


def openai(message: str, kind: str = "invalid_request_error", code: Any = None) -> dict[str, Any]:
    """An error as OpenAI shapes it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def vllm(message: str) -> dict[str, Any]:
    """An error as vLLM shaped it until 2025."""
    return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}


def tgi(message: str, kind: str = "validation") -> dict[str, Any]:
    """An error as TGI and TEI shape it."""
    return {"error": f"Input validation error: {message}", "error_type": kind}


GROQ = "Please reduce the length of the messages or completion."
OVERFLOWS: list[tuple[int, Any]] = [
    # as other projects that tell overflows by their words quote them
    (400, {"message": "Input is too long for requested model."}),  # Bedrock
    (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292. Try "
                      "using a shorter prompt, or enabling prompt truncating."}),  # Cohere
    (400, {"error": "Trying to keep the first 5406 tokens when context the overflows. However, the model is loaded "
                    "with context length of only 1056 tokens"}),  # LM Studio
    (400, {"object": "error", "message": "The sum of prompt length (38049.0), query length (0) should not exceed "
                                         "max_num_tokens (32768)", "code": 400}),  # TensorRT-LLM
    # huggingface/text-generation-inference#628, #695
    (422, tgi("`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1244 `inputs` tokens and 1000 "
              "`max_new_tokens`")),
    (422, tgi("`inputs` must have less than 1024 tokens. Given: 1168")),
    # huggingface/text-embeddings-inference#356, #394
    (413, tgi("`inputs` must have less than 512 tokens. Given: 534", "Validation")),
    (413, tgi("`inputs` must have less than 32000 characters. Given: 67337", "Validation")),
    # vllm-project/vllm#20409, #42474, #4667, OpenBMB/MiniCPM-V#1048
    (400, vllm("This model's maximum context length is 16384 tokens. However, you requested 19591 tokens (9591 in the "
               f"messages, 10000 in the completion). {GROQ} None")),
    (400, openai("This model's maximum context length is 128000 tokens. However, you requested 65535 output tokens and "
                 "your prompt contains at least 62466 input tokens, for a total of at least 128001 tokens.")),
    (400, vllm("max_tokens must be at least 1, got -186.")),
    (400, openai("'max_tokens' or 'max_completion_tokens' is too large: 512. This model's maximum context length is "
                 "8192 tokens and your request has 8000 input tokens (512 > 8192 - 8000).")),
    (400, openai("The decoder prompt (length 2136) is longer than the maximum model length of 2048. Make sure that "
                 "`max_model_len` is no smaller than the number of text tokens.")),
    # sgl-project/sglang, tokenizer_manager.py; Together routes the first
    (400, vllm("The input (516368 tokens) is longer than the model's context length (262144 tokens).")),
    (400, vllm("Requested token count exceeds the model's maximum context length of 64000 tokens. You requested a "
               "total of 64897 tokens: 7897 tokens from the input messages and 57000 tokens for the completion.")),
    # ggml-org/llama.cpp#15780, #17284, #19774
    (500, openai("the request exceeds the available context size. try increasing the context size or enable context "
                 "shift", "exceed_context_size_error", 500)),
    (400, openai("request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
                 "exceed_context_size_error", 400)),
    (500, openai("Context size has been exceeded.", "server_error", 500)),
    # abetlen/llama-cpp-python#416
    (400, openai("Requested tokens (2285) exceed context window of 2048")),
    # OpenHands/OpenHands#1902 (Groq), cline/cline#5140 (Cerebras), langchain-ai/langchain#37457 (Fireworks)
    (400, openai(GROQ, code="context_length_exceeded")),
    (400, openai(f"{GROQ} Current length is 42328 while limit is 40000")),
    (400, openai("The prompt is too long: 200016, model maximum context length: 131071")),
    (413, openai("The request does not fit", code="context_length_exceeded")),
    # evalstate/fast-agent#621 (DeepSeek), chathub-dev/chathub#126 (OpenAI), stackblitz/bolt.new#7425 (Anthropic)
    (400, openai("This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 "
                 "in the messages, 8192 in the completion).")),
    (400, openai("This model's maximum context length is 4097 tokens. However, your messages resulted in 4294 tokens.",
                 code="context_length_exceeded")),
    (400, openai("input length and max_tokens exceed context limit: 77812 + 128000 > 204648, decrease input length")),
    (400, openai("Your input exceeds the context window of this model.")),
    # badlogic/pi-mono, packages/ai/src/utils/overflow.ts (LM Studio, Kimi, xAI, Gemini)
    (400, {"error": "tokens to keep from the initial prompt is greater than the context length"}),
    (400, openai("Your request exceeded model token limit: 262144 (requested: 270000)")),
    (400, openai("This model's maximum prompt length is 131072 but the request contains 537812 tokens")),
    (400, openai("The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)")),
]  # fmt: skip
OTHERS: list[tuple[int, Any]] = [
    # HunorLaczko/ha-groq-cloud-api#27: a limit of tokens in a minute
    (413, openai("Request too large for model llama-3.1-8b-instant in organization org_x service tier on_demand on "
                 "tokens per minute (TPM): Limit 6000, Requested 12328, please reduce your message size and try again.",
                 "tokens", "rate_limit_exceeded")),
    (400, openai("Rate limit: this prompt is too long for the 6000 tokens per minute of the maximum context length")),
    (429, openai("Too many tokens: this model's maximum context length is shared; slow down")),
    # gpustack/gpustack#929, stepfun-ai/Step-Audio-R1#3: no input is short enough for this `max_tokens`
    (400, vllm("This model's maximum context length is 8192 tokens. However, you requested 8204 tokens (12 in the "
               f"messages, 8192 in the completion). {GROQ}")),
    (400, openai("'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is "
                 "16,384 tokens and your request has 12 input tokens (32000 > 16384 - 12).")),
    (400, vllm("Requested token count exceeds the model's maximum context length of 64000 tokens. You requested a "
               "total of 71897 tokens: 7897 tokens from the input messages and 64000 tokens for the completion.")),
    (422, tgi("`inputs` tokens + `max_new_tokens` must be <= 512. Given: 5 `inputs` tokens and 1024 `max_new_tokens`")),
    (400, openai("max_tokens is too large: 5000. This model supports at most 4096 completion tokens, whereas you "
                 "provided 5000.")),
    (422, tgi("`max_new_tokens` must be <= 1")),
    (400, vllm("max_tokens must be at least 1, got 0.")),
    (400, openai("Invalid 'user': string too long. Expected a string with maximum length 64",
                 code="string_above_max_length")),
    (413, "Request Entity Too Large"),
    (422, tgi("`top_p` must be > 0.0 and < 1.0")),
    (404, openai("The model with the longest context length does not exist", code="model_not_found")),
    (500, openai("CUDA error: an illegal memory access was encountered", "server_error", 500)),
    # the prompt itself speaks of it, and the server quotes the prompt
    (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required",
                       "input": "maximum context length, \"code\": \"context_length_exceeded\""}]}),
]  # fmt: skip


def raised(serve: Any, status: int, body: Any) -> Any:
    content = body if isinstance(body, str) else json.dumps(body)
    server = serve(httpx.Response(status, headers={"content-type": "application/json"}, content=content))
    with pytest.raises(hf.HfError) as caught:
        ChatHfInference(**server.models).invoke("Hi")
    return caught.value


@pytest.mark.parametrize(("status", "body"), OVERFLOWS)
def test_input_that_does_not_fit(serve: Any, status: int, body: Any) -> None:
    error = raised(serve, status, body)
    assert type(error) is (ours.ServerOverflow if status == 500 else ours.ContextOverflow)
    assert isinstance(error, ContextOverflowError)
    assert isinstance(error, hf.ServerError if status == 500 else hf.InvalidRequest)
    assert isinstance(error, ModelInvalidRequestError) is (status != 500)
    assert (error.is_retryable, error.status_code) == (False, status)


@pytest.mark.parametrize(("status", "body"), OTHERS)
def test_what_only_sounds_like_it(serve: Any, status: int, body: Any) -> None:
    assert not isinstance(raised(serve, status, body), ContextOverflowError)


def test_a_report_with_status_200(serve: Any) -> None:
    error = raised(serve, 200, openai("This model's maximum context length is 4096 tokens"))
    assert type(error) is ours.ReportedOverflow
    assert isinstance(error, hf.ReportedError)
    assert not error.is_retryable


def test_a_report_within_a_stream(serve: Any) -> None:
    told = {"error": {"message": "Context size has been exceeded.", "type": "server_error", "code": 500}}
    content = (
        b'data: {"choices":[{"index":0,"delta":{"content":"On"}}]}\n\ndata: ' + json.dumps(told).encode() + b"\n\n"
    )
    server = serve(httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content))
    with pytest.raises(ContextOverflowError) as caught:
        list(ChatHfInference(**server.models).stream("Hi"))
    assert type(caught.value) is ours.StreamOverflow
    assert isinstance(caught.value, hf.StreamReportedError)
    assert not caught.value.is_retryable


def test_a_code_alone_in_a_stream() -> None:
    with pytest.raises(ours.StreamOverflow), model_errors():
        raise hf.StreamReportedError("too much", code="context_length_exceeded")


def test_texts_for_embeddings_that_do_not_fit(serve: Any) -> None:
    server = serve(httpx.Response(413, json=tgi("`inputs` must have less than 512 tokens. Given: 534", "Validation")))
    with pytest.raises(ContextOverflowError):
        HfInferenceEmbeddings(**server.models).embed_query("long")
