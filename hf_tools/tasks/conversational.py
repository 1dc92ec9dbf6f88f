"""The conversational task of the old Inference API: three lists in, a conversation out."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from hf_tools.answer import Answer
from hf_tools.inputs import Text
from hf_tools.loose import rows, table
from hf_tools.task import Body, Reply, Route, Server, only
from hf_tools.tasks.chat import PATH, ChatCompletionOutput
from hf_tools.tasks.writing import WritesText
from hf_tools.wire import as_json, inputs, one, parse, read_json

CARRIED = frozenset(["max_tokens", "temperature", "top_p", "top_k", "repetition_penalty"])
"""What a chat route takes of the old parameters; `top_k` and `repetition_penalty` where the server knows them."""


class Conversation(Answer):
    """Both sides of a conversation, oldest first."""

    past_user_inputs: list[str] = []
    """What the user said."""
    generated_responses: list[str] = []
    """What the model answered."""


class ConversationalOutput(Answer):
    """The next answer; `conversation` holds all turns, this one included."""

    generated_text: str
    """The answer."""
    conversation: Conversation | None = None
    """All turns; None where the server left them out."""
    warnings: list[str] = []
    """What the server warns of."""


class Conversational(WritesText[ConversationalOutput]):
    """Answer the last of several turns, in the form of the old API; chat_completion is its successor.

    Chat routes carry neither `min_length` nor `max_time`; `max_length` is their `max_tokens`.
    """

    name: ClassVar[str] = "conversational"
    servers: ClassVar[frozenset[Server]] = frozenset(["router", "hf-inference", "toolkit", "tgi", "openai"])
    remote: ClassVar[tuple[str, ...]] = ("the router (provider auto)", "hf-inference")

    text: Text
    """What the user says now."""
    past_user_inputs: list[str] = Field(default_factory=list[str])
    """What the user said before, oldest first; as many as `generated_responses`."""
    generated_responses: list[str] = Field(default_factory=list[str])
    """What the model answered, oldest first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        asked, answered = len(self.past_user_inputs), len(self.generated_responses)
        if asked != answered:
            raise ValueError(
                f"`past_user_inputs` has {asked} and `generated_responses` has {answered} items: "
                "they must be of the same length"
            )

    def encode(self, route: Route) -> Body:
        if route.server == "toolkit":
            turns = {
                "text": self.text,
                "past_user_inputs": self.past_user_inputs,
                "generated_responses": self.generated_responses,
            }
            return inputs(route, turns, self.given())
        body = only(self, route, self.given(max_length="max_tokens"), CARRIED)
        head: dict[str, Any] = {"model": route.model} if route.model else {}
        return as_json(head | {"messages": self.messages()} | body, path=PATH)

    def messages(self) -> list[dict[str, str]]:
        """The turns as chat messages, oldest first."""
        turns = zip(self.past_user_inputs, self.generated_responses, strict=True)
        past = [
            {"role": role, "content": text}
            for turn in turns
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        return [*past, {"role": "user", "content": self.text}]

    def decode(self, reply: Reply) -> ConversationalOutput:
        value = one(read_json(reply))
        if "choices" in table(value):
            return self._made(parse(ChatCompletionOutput, value).text)
        if turns := rows(table(value).get("generated_text")):
            return self._made(parse(str, turns[-1].get("content")))
        return parse(ConversationalOutput, value)

    def _made(self, text: str) -> ConversationalOutput:
        """The old form of an answer that came in a newer one."""
        turns = Conversation(
            past_user_inputs=[*self.past_user_inputs, self.text],
            generated_responses=[*self.generated_responses, text],
        )
        return ConversationalOutput(generated_text=text, conversation=turns)
