"""Tools for an agent, from the embedded backend: no token, no network.

python examples/agent_tools.py                           the tools alone, and an agent whose model is a script
python examples/agent_tools.py openai/gpt-oss-120b       an agent with this model of the Hub; needs HF_TOKEN
"""

from __future__ import annotations

import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from hf_tools import HfInference
from langchain_hf_tools import ChatHfInference, HfInferenceToolkit

QUESTION = "Is 'My parcel never arrived' about delivery, payment or returns?"
ARGUMENTS = {"text": "My parcel never arrived", "candidate_labels": ["delivery", "payment", "returns"]}


class Script(FakeMessagesListChatModel):
    """A model that says what is written here: it stands in for one that is too large to ship."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def main(model: str | None = None) -> None:
    with HfInference(provider="local") as hf:
        tools = {tool.name: tool for tool in HfInferenceToolkit(hf).get_tools()}
        print(tools["hf_zero_shot_classification"].invoke(ARGUMENTS))
        print(tools["hf_summarization"].invoke({"text": "..."}))  # an error is an answer, too

        call = {"name": "hf_zero_shot_classification", "args": ARGUMENTS, "id": "call-1"}
        script = Script(responses=[AIMessage("", tool_calls=[call]), AIMessage("It is about the delivery.")])
        chosen = [tools["hf_zero_shot_classification"], tools["hf_sentence_similarity"]]
        agent: Any = create_agent(ChatHfInference(model=model) if model else script, chosen)
        for message in agent.invoke({"messages": [("user", QUESTION)]})["messages"]:
            print(f"{message.type}: {message.content or message.tool_calls}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
