"""The parameters of a chat that a model is made with: those of the task, by the same names."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field

from hf_tools.inputs import Fraction, NotNegative, NotNegativeFloat, Object, Positive, TopK

ToolMedia = Literal["hoist", "inline"]
Replay = Literal["never", "tools", "always"]
Method = Literal["json_schema", "function_calling", "json_mode"]
"""How an answer that is an object is asked for."""


class Sampling(BaseModel):
    """What goes into each request where it was set; `hf_tools.tasks.chat.ChatCompletion` says what each one means."""

    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | list[float] | None = None
    logprobs: bool | None = None
    max_tokens: NotNegative | None = Field(
        default=None, validation_alias=AliasChoices("max_tokens", "max_new_tokens", "max_completion_tokens")
    )
    """Most tokens that are written; without it the server decides. Also called `max_new_tokens`."""
    min_p: Fraction | None = None
    n: Positive | None = None
    """How many answers to write; `generate` gives them all, a stream takes one only."""
    parallel_tool_calls: bool | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    repetition_penalty: NotNegativeFloat | None = None
    seed: NotNegative | None = None
    stop: list[str] | str | None = Field(default=None, validation_alias=AliasChoices("stop", "stop_sequences"))
    """Texts that end the answer. Also called `stop_sequences`."""
    temperature: NotNegativeFloat | None = None
    """0 to 2: 0 always takes the likeliest token."""
    tool_prompt: str | None = None
    top_k: TopK | None = None
    top_logprobs: NotNegative | None = None
    top_p: Fraction | None = None
    extra_body: Object | None = None
    """More fields of the request, as the server names them."""


SENT = tuple(Sampling.model_fields)
"""The fields that go into each request."""
sent_of = attrgetter(*SENT)
"""Their values in a model, in the same order."""


class Conversing(BaseModel):
    """How messages are written and answers are read."""

    streaming: bool = False
    """Whether `invoke` reads the answer as a stream, so that callbacks get each piece."""
    stream_usage: bool = True
    """Whether a stream asks for the tokens used."""
    tool_media: ToolMedia | None = None
    """Where images and other media of a tool's result go: `inline` in its message, or, as most open-weight models need
    it, into a user message after it (`hoist`). Without it the model's profile decides."""
    reasoning_replay: Replay | None = None
    """Whose reasoning goes back to the model as `reasoning_content`: nobody's (`never`), that of the answers since the
    last question (`tools`: between the tool calls), or all (`always`). Without it the model's family decides."""
    reasoning_tags: tuple[str, str] | None = ("<think>", "</think>")
    """Marks around reasoning in the text of servers that do not keep it apart; read only where an answer begins so.
    ("", "</think>") is for models whose template has opened the reasoning already; None leaves the text alone."""
    media_store: Any = Field(default=None, exclude=True, repr=False)
    """What has the media behind `hf-media://` handles: anything with `get(handle)`, such as a dict of Images."""
    tokenizer: Any = Field(default=None, exclude=True, repr=False)
    """How tokens are counted: "server" asks the endpoint (`/tokenize`); or a function from a text to token ids, or an
    object with `encode`, as tokenizers and transformers have it. Without it they are estimated."""
