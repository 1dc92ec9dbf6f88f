"""How arguments become a task: texts by handle, and errors in the words of the tool."""

from __future__ import annotations

import pytest

from hf_tools.media import Text
from tests.langchain.agents import Tasks, said
from tests.langchain.tool_cases import asked, handle, kit, only

CORRECT = "Correct the arguments and call again."


def test_a_text_may_be_named_by_handle() -> None:
    server = Tasks(summarization=[{"summary_text": "Short."}])
    toolkit = server.toolkit(tasks=["summarization"])
    ref = toolkit.add_media(Text("A long störy.".encode()), name="story.txt")
    assert asked(only(toolkit), text=ref.handle).content == "Short."
    assert server.body() == {"inputs": "A long störy."}


def test_a_handle_of_no_text() -> None:
    toolkit = kit("summarization", [{"summary_text": "Short."}])
    picture = str(toolkit.store.ref("cat.png").handle)
    assert str(asked(only(toolkit), text=picture).content).startswith(f"`text`: '{picture}' is image/png, not text.")
    gone = handle(b"gone", "txt")
    message = asked(only(toolkit), text=gone)
    assert str(message.content).startswith(f"`text`: there is no media '{gone}'. ")
    assert str(message.content).endswith(f" {CORRECT}")


@pytest.mark.parametrize(
    ("task", "arguments", "text"),
    [
        ("table_question_answering", {"table": "cities.csv", "query": ""}, "`query`"),
        ("summarization", {"text": "a", "min_length": 9, "max_length": 3}, "`min_length`"),
        ("zero_shot_classification", {"text": "a", "candidate_labels": []}, "`candidate_labels`"),
    ],
)
def test_errors_name_the_arguments_of_the_tool(task: str, arguments: dict[str, object], text: str) -> None:
    message = asked(only(kit(task, said("Hi"))), **arguments)
    assert message.status == "error"
    assert str(message.content).startswith(text)
    assert str(message.content).endswith(CORRECT)


def test_errors_of_a_core_tool_have_its_own_words() -> None:
    server = Tasks(zero_shot_classification=[], chat_completion=said("Hi"))
    tools = {tool.name: tool for tool in server.toolkit().get_tools()}
    text = str(asked(tools["hf_classify"], text="a", labels=["b", "b", ""], several=True).content)
    assert "candidate_labels" not in text
    missing = asked(tools["hf_transform_text"], text="a", mode="translate")
    assert missing.content == f"`language` is missing: name the language to translate into, such as French. {CORRECT}"
    assert server.asked in ([], ["zero_shot_classification"])
