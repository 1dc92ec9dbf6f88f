"""Tool calling in two steps: MiniLM picks the tool, llama.cpp fills that tool's schema and nothing else.

SmolLM2 by itself does neither: its template knows no tools, and with a schema of several tools it prefers one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hf_tools.local.answers import Embeds, Refused
from hf_tools.local.copying import words_of
from hf_tools.local.formats import shown
from hf_tools.local.references import explained, references, suits, takes_names
from hf_tools.local.schemas import Schema, properties
from hf_tools.local.turns import asked, called, readable, results
from hf_tools.loose import items, table

SPOKEN = 0.1
"""What is added to the cosine of a tool whose name is spoken, "email" of send_email for half of it: with it the right
tool came first for 68 of 68 requests, without it for 66."""
SUITED = 0.15
"""What is added where a request names a file and the tool takes files of that kind by name: of 34 requests,
30 of them for one of four tools, 32 were served rightly with it, without it 29. It was chosen on these 34."""
THRESHOLD = 0.24
"""The score from which `auto` makes a call.

On 123 requests with three to six tools each, 68 for a tool and 55 not: 65 made their call, and 54 were left to chat. At
0.22 it is 66 and 52, at 0.26 65 and 54; without SPOKEN at 0.24 62 and 54. Of 100 requests with five tools each on which
nothing was chosen, 23 of 25 made their call and 74 of 75 were left to chat.
"""
RESULT_TEMPERATURE = 0.0
"""For an answer from a tool's result, where a request names no temperature: at the usual 0.2 it missed the result in 10
of 54 answers, at 0 in 1 of 18."""
OWN = ("tools", "tool_choice", "parallel_tool_calls")
"""Fields of a request that llama.cpp must not see."""


@dataclass(frozen=True)
class Function:
    """One tool that a request offers."""

    name: str
    description: str
    parameters: Schema

    @property
    def summary(self) -> str:
        """The first paragraph of the description on one line; what follows in docstrings is about arguments."""
        return " ".join(self.description.strip().split("\n\n")[0].split())

    @property
    def label(self) -> str:
        """What a request is compared with."""
        name = self.name.replace("_", " ")
        return f"{name}: {self.summary}" if self.summary else name

    def spoken(self, text: str) -> float:
        """The share of the words of the name that the text has, 0 to 1."""
        words = words_of(self.name)
        return len(words & words_of(text)) / len(words) if words else 0.0

    def suits(self, names: list[str]) -> bool:
        """Whether the tool takes names of files, and speaks of the kind of one of these."""
        about = {name: table(entry) for name, entry in properties(self.parameters).items()}
        if not any(takes_names(name, entry) for name, entry in about.items()):
            return False
        told = [self.label, *about, *(str(entry.get("description", "")) for entry in about.values())]
        return suits(words_of(" ".join(told).lower()), names)


@dataclass(frozen=True)
class Toolbox:
    """A chat request with tools that may be called; `chat` is the request without them, ready for llama.cpp."""

    functions: tuple[Function, ...]
    forced: bool
    body: dict[str, Any] = field(repr=False)
    chat: dict[str, Any] = field(repr=False)

    @property
    def sole(self) -> Function | None:
        """The tool to call where nothing is left to choose."""
        return self.functions[0] if self.forced and len(self.functions) == 1 else None

    def pick(self, engine: Embeds) -> Function | None:
        """The tool that is nearest to the user's last words; None where none is near enough and none is required."""
        text = asked(self.body.get("messages"))
        named = references(text)
        rows = engine.embed([explained(text), *(function.label for function in self.functions)])
        cosines: list[float] = (rows[1:] @ rows[0]).tolist()
        scores = [
            cosine + SPOKEN * one.spoken(text) + SUITED * one.suits(named)
            for cosine, one in zip(cosines, self.functions, strict=True)
        ]
        best = max(range(len(scores)), key=lambda index: scores[index])
        return self.functions[best] if self.forced or scores[best] >= THRESHOLD else None


def planned(body: dict[str, Any]) -> dict[str, Any] | Toolbox:
    """The request without tools where none may be called, else the tools with it; raises Refused."""
    chat = {name: value for name, value in body.items() if name not in OWN}
    chat["messages"] = shown(readable(body.get("messages")), body.get("response_format"))
    answered = bool(results(body.get("messages")))
    if answered and body.get("temperature") is None:
        chat["temperature"] = RESULT_TEMPERATURE
    functions = _functions(body.get("tools"))
    if (chosen := _chosen(body.get("tool_choice"), functions)) is None:
        return chat
    if body.get("n") not in (None, 1):
        raise Refused(422, "n: the embedded backend writes one answer where it may call tools")
    forced = body.get("tool_choice") not in (None, "auto")
    if answered and not forced:
        return chat  # the call has been made; what is left is to tell its result
    made = called(body.get("messages"))  # a tool that was called for the same question is called again only if alone
    left = tuple(function for function in chosen if function.name not in made)
    return Toolbox(left or chosen, forced, body, chat)


def _functions(tools: object) -> tuple[Function, ...]:
    if tools is None:
        return ()
    if not isinstance(tools, list):
        raise Refused(400, "tools: must be a list")
    found = tuple(_function(place, tool) for place, tool in enumerate(items(tools)))
    names = [function.name for function in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Refused(400, f"tools: there are two of the name {twice!r}")
    return found


def _function(place: int, tool: object) -> Function:
    entry = table(tool)
    if entry.get("type", "function") != "function":
        raise Refused(422, f"tools[{place}]: the embedded backend calls functions only, not {entry['type']!r}")
    function = table(entry.get("function"))
    if not function:
        raise Refused(400, f'tools[{place}]: must be {{"type": "function", "function": {{"name": ...}}}}')
    name, description, parameters = (function.get(key) for key in ("name", "description", "parameters"))
    if not isinstance(name, str) or not name:
        raise Refused(400, f"tools[{place}]: the function needs a name")
    if not isinstance(description, str | None):
        raise Refused(400, f"The tool {name!r}: its description must be a text")
    if not isinstance(parameters, dict | None):
        raise Refused(400, f"The tool {name!r}: its parameters must be a JSON schema")
    schema = table(parameters)
    if schema.get("type", "object") != "object":
        raise Refused(422, f"The tool {name!r}: its parameters must be the schema of an object")
    return Function(name, description or "", schema)


def _chosen(choice: object, functions: tuple[Function, ...]) -> tuple[Function, ...] | None:
    """The tools that may be called, None where that is none."""
    if choice in (None, "auto", "none"):
        return functions if functions and choice != "none" else None
    if choice == "required":
        if not functions:
            raise Refused(400, "tool_choice: required, and there are no tools")
        return functions
    named = table(choice)
    name = table(named.get("function")).get("name")
    if named.get("type") != "function" or not isinstance(name, str):
        form = '{"type": "function", "function": {"name": ...}}'
        raise Refused(400, f"tool_choice: must be none, auto, required or {form}")
    if found := tuple(function for function in functions if function.name == name):
        return found
    raise Refused(400, f"tool_choice: there is no tool {name!r}; there are {[one.name for one in functions]}")
