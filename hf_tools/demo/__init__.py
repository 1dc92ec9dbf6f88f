"""The demonstration: an agent on the embedded backend answers questions about files, and each of its steps is shown.

Without a question: one for each sample file, the README and a text. With one, or with files: those of the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hf_tools import HfInference, __version__, local
from hf_tools.demo import agent, files
from hf_tools.demo.printing import paragraph, say
from hf_tools.errors import InputError

QUESTIONS = (
    "Listen to voicemail.ogg. Who is calling, and why?",
    "What is the total of invoice.png?",
    "Which product in stock.csv is from Japan?",
    "What happens when a stream ends early? Search README.md.",
    'Classify "The parcel came two weeks late and the box was torn." with the labels delivery, price, taste.',
)
"""A recording, a picture, a table, a document, and a text that is in the question."""
NOTE = "A small chat model on your CPU (135 million parameters): go by the tools' results; its own words may be wrong."
REMOTE = """The same with a large model, which chooses well and puts it well (it needs a token):
   from langchain.agents import create_agent
   from langchain_hf_tools import ChatHfInference, HfInferenceToolkit
   toolkit = HfInferenceToolkit()  # the client is HfInference(), with the token from HF_TOKEN or `hf auth login`
   toolkit.add_media("invoice.png")
   agent = create_agent(ChatHfInference(model="openai/gpt-oss-120b"), toolkit.get_tools())
   print(agent.invoke({"messages": [("user", "What is the total of invoice.png?")]})["messages"][-1].text)
"""


def demo(ask: str | None = None, file: Sequence[Path] | None = None) -> None:
    """Run the demonstration and print it; raises an HfError, such as one that says how to get the weights.

    `ask`: only answer this question. `file`: texts in UTF-8, tables as CSV, pictures and recordings that it is about,
    each at most 25 MB; without a question one is asked about each. InputError for an empty question and for files that
    cannot be used, MissingExtra where langchain is not installed.
    """
    if ask is not None and not ask.strip():
        raise InputError("--ask: the question must not be empty")
    given = files.read(file or [])
    tools = agent.langchain()
    with HfInference(provider="local") as hf:
        toolkit = tools.toolkit(hf)
        names = [files.add(toolkit, one) for one in given or files.samples()]
        made = tools.agent(toolkit)
        _head()
        for question in _questions(ask, [name for name in names if given]):
            agent.answer(made, question)
    say(f"\n{REMOTE}")


def _questions(ask: str | None, names: list[files.Named]) -> list[str]:
    """What is asked: the user's question, naming the files that it is about, or one for each file, or the samples'."""
    if ask is None:
        return [name.question for name in names] or [*QUESTIONS]
    question = " ".join(ask.split())
    unsaid = [] if any(one.name in question for one in names) else [one.quoted for one in names]
    return [f"{question} ({', '.join(unsaid)})" if unsaid else question]


def _head() -> None:
    say(f"hf-tools {__version__}, embedded backend: no token, no network\n")
    for what, model in (
        ("agent", local.CHAT_MODEL),
        ("speech", local.SPEECH_MODEL),
        ("pictures", local.OCR_MODEL),
        ("search", local.EMBEDDING_MODEL),
    ):
        say(f"   {what:9} {model}\n")
    paragraph(NOTE)
