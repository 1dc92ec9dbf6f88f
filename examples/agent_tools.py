"""An agent with tools and a file of the user's, on the embedded backend: no token, no network.

python examples/agent_tools.py                          the tools are real, the agent's model is a script
python examples/agent_tools.py --ask                    the same, and each call of a tool waits for your yes
python examples/agent_tools.py openai/gpt-oss-120b      a model of the Hub chooses the tools; needs HF_TOKEN
"""

from __future__ import annotations

import sys
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from hf_tools import HfInference
from langchain_hf_tools import Budget, ChatHfInference, HfInferenceToolkit

STOCK = b"""product,country,price
Yirgacheffe,Ethiopia,14.50
Cajamarca,Peru,12.00
Mandheling,Indonesia,13.20
"""
QUESTION = "Is 'My parcel never arrived' about delivery, payment or returns? Which coffee of stock.csv is from Peru?"
THREAD: Any = {"configurable": {"thread_id": "example"}}


class Script(FakeMessagesListChatModel):
    """A model that says what is written here: it stands in for one that is too large to ship."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def call(name: str, number: int, **args: Any) -> AIMessage:
    """A message that calls one tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{number}"}])


def script() -> Script:
    """Two tools, and a slip that the tool corrects: an error is an answer, too."""
    return Script(
        responses=[
            call("hf_classify", 1, text="My parcel never arrived", labels=["delivery", "payment", "returns"]),
            call("hf_search_texts", 2, query="coffee from Peru", source="stok.csv", top_n=1),
            call("hf_search_texts", 3, query="coffee from Peru", source="stock.csv", top_n=1),
            AIMessage("(Here a real model answers from what the tools have found.)"),
        ]
    )


def approved(state: dict[str, Any]) -> list[dict[str, str]]:
    """What the user decides about each call that waits."""
    decisions: list[dict[str, str]] = []
    for request in state["__interrupt__"][0].value["action_requests"]:
        print(request["description"])
        decisions.append({"type": "approve" if input("Run it? [y/n] ").lower() == "y" else "reject"})
    return decisions


def main(*arguments: str) -> None:
    """Ask the agent, and print all that was said."""
    models = [each for each in arguments if not each.startswith("-")]
    with HfInference(provider="local") as hf:
        toolkit = HfInferenceToolkit(hf, budget=Budget(max_calls=5))
        toolkit.add_media(STOCK, name="stock.csv")  # the model names it so, and never sees a path or bytes
        people = [HumanInTheLoopMiddleware(toolkit.interrupt_on("free"))] if "--ask" in arguments else []
        model = ChatHfInference(model=models[0]) if models else script()
        agent: Any = create_agent(model, toolkit.get_tools(), middleware=people, checkpointer=InMemorySaver())

        state = agent.invoke({"messages": [("user", QUESTION)]}, THREAD)
        while "__interrupt__" in state:
            state = agent.invoke(Command(resume={"decisions": approved(state)}), THREAD)
        for message in state["messages"]:
            calls = [f"{each['name']}({each['args']})" for each in getattr(message, "tool_calls", [])]
            print(f"{message.type}: {message.text or ' and '.join(calls)}")
        print(toolkit.usage)


if __name__ == "__main__":
    main(*sys.argv[1:])
