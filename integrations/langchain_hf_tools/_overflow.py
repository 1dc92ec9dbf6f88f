"""Whether an error says that the input does not fit into the model's context."""

from __future__ import annotations

import re

from hf_tools.errors import HfError

CODES = r"context_(?:length|window|size)_exceeded|exceed_context_size|ContextWindowExceeded"
"""Types and codes of errors: OpenAI's, which many providers copy, llama.cpp's and LiteLLM's."""
CODE_FIELD = rb'"(?:code|type|error_type)"\s*:\s*"([^"\\]{1,60})"'
"""A code in a JSON body. The rest of a body is not searched, for it may quote the prompt."""
WORDINGS = (
    r"maximum context length"  # OpenAI, vLLM, SGLang, Mistral, DeepSeek, OpenRouter
    r"|longer than the (?:model's context|maximum model) length"  # SGLang, Together; vLLM's engine
    r"|exceeds? (?:the )?(?:available )?context (?:size|window|length|limit)"  # llama.cpp, OpenAI, Anthropic
    r"|context (?:size|window|length) (?:has been )?exceed"  # llama.cpp within an answer, MiniMax
    r"|greater than the context length|tokens when context the overflows"  # LM Studio
    r"|`inputs` tokens \+ `max_new_tokens` must be"  # TGI, Together
    r"|`inputs` must have less than [\d,]+ (?:tokens|characters)"  # TGI, TEI
    r"|prompt is too long"  # Fireworks, Anthropic
    r"|reduce the length of the (?:messages|input|prompt)"  # Groq, Cerebras
    r"|exceeds? the maximum (?:allowed input length|number of tokens allowed)"  # Poolside, Gemini
    r"|maximum prompt length is|exceeded model token limit"  # xAI, Kimi
    r"|too many tokens: total number of tokens"  # Cohere
    r"|input is too long for requested model"  # Bedrock
    r"|sum of prompt length .{0,60}should not exceed max_num_tokens"  # TensorRT-LLM
    r"|max_tokens must be at least 1, got -\d"  # older vLLM: what the prompt leaves of the context is below zero
)
RATES = r"per[ -](?:minute|hour|day)|rate.?limit|\b[TR]PM\b|\bquota\b"
"""A limit of tokens in some time, which shorter input need not satisfy."""
LIMIT = r"(?:context length|context limit)[^\d<>]{0,20}([\d,]+)|must be <= ([\d,]+)"
OUTPUT = (
    r"([\d,]+) (?:tokens )?(?:in|for) the completion|([\d,]+) output tokens"
    r"|([\d,]+) `max_new_tokens`|too large: ([\d,]+)"
)


def overflows(error: HfError) -> bool:
    """Shorter input would fit: told by the server's code or words, and not the fault of `max_tokens` alone."""
    text = error.message
    if re.search(RATES, text, re.I) or not (_coded(error) or re.search(WORDINGS, text, re.I)):
        return False
    limit, output = _number(LIMIT, text), _number(OUTPUT, text)
    return limit is None or output is None or output < limit


def _coded(error: HfError) -> bool:
    codes = [str(getattr(error, "code", ""))]
    codes += [found.decode("utf-8", "replace") for found in re.findall(CODE_FIELD, getattr(error, "body", b""))]
    return any(re.search(CODES, code, re.I) for code in codes)


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text, re.I)
    digits = next(filter(None, found.groups())).replace(",", "") if found else ""
    return int(digits) if digits else None
