"""Each example runs as a program of its own, offline: on the embedded backend, or with a server started here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.servers import CHAT_MODEL, llama_cpp_chat

ROOT = Path(__file__).parent.parent
SAYS: dict[str, list[str]] = {
    "agent_tools.py": [
        "human: Is 'My parcel never arrived' about delivery",
        "ai: hf_classify({'text': 'My parcel never arrived', 'labels': ['delivery', 'payment', 'returns']})\n",
        "tool: delivery 0.9",
        "ai: hf_search_texts(",
        "tool: `source`: there is no media 'stok.csv'. Did you mean stock.csv?",
        "ai: hf_search_texts(",
        "product: Cajamarca; country: Peru; price: 12.00\n",
        "ai: (Here a real model answers",
        "Usage(2 calls, 0 failed, ",
    ],
    "asynchronous.py": [
        "food     The soup was cold.",
        "staff    The waiters are friendly.",
        "price    Far too expensive.",
    ],
    "local.py": [
        "When can I come? -> The library is open from ten to six, on Saturdays until two.",
        "How long may I keep a novel? -> Books may be kept for four weeks.",
        "the embedded backend has no translation",
    ],
    "retrieval.py": [
        " passages\n",
        "the handbook: ## Fees A card costs",
        "What does a card cost? -> A card costs twenty euros a year",
    ],
    "streaming.py": ["tokens used: ", "finished by: ", "four"],
    "sync.py": ["refund: ", "near 0.", "Paris", "refused: zero_shot_classification: `candidate_labels`"],
}
"""What the output of an example must hold, in this order."""


def run(name: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, input=typed)


def test_every_example_is_run() -> None:
    names = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert names == SAYS.keys() | {"endpoint.py"}


@pytest.mark.parametrize("name", SAYS)
def test_example(name: str) -> None:
    done = run(name)
    assert (done.returncode, done.stderr) == (0, "")
    place = 0
    for text in SAYS[name]:
        place = done.stdout.find(text, place)
        assert place >= 0, f"{text!r} is missing in:\n{done.stdout}"


def test_a_person_decides_about_the_calls_of_the_agent_example() -> None:
    done = run("agent_tools.py", "--ask", typed="y\nn\nno\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Run it? [y/n] ") == 3
    assert (
        "hf_search_texts (free, up to 120 s)\nquery: coffee from Peru\nsource: stok.csv\ntop_n: 1\nRun it?"
        in done.stdout
    )
    assert "tool: delivery 0.9" in done.stdout
    assert done.stdout.count("tool: User rejected the tool call for `hf_search_texts`") == 2
    assert "Cajamarca" not in done.stdout
    assert "Usage(1 calls, 0 failed, " in done.stdout


@pytest.mark.live
def test_the_endpoint_example_with_llama_cpp() -> None:
    with llama_cpp_chat() as url:
        done = run("endpoint.py", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{CHAT_MODEL}: ")
    assert done.stdout.endswith(" tokens\n")


def test_the_endpoint_example_without_a_url_says_how_to_use_it() -> None:
    done = run("endpoint.py")
    assert done.returncode == 1
    assert "python examples/endpoint.py URL" in done.stderr
