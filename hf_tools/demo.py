"""The demonstration: real inference on the embedded backend, each result with the seconds that it took.

Without a question: a chat answer, an answer from a text, labels, a ranking and a tool. With one: the answer from memory
and the answer from the text. The text is the project's README or a file of the user's.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_tools import HfInference, __version__, local
from hf_tools.errors import CONTROL, InputError, shown

WIDTH = 100
INDENT = 3
LIMIT = 1_000_000
"""Bytes of the longest file: its passages take about a minute."""
PASSAGE = 400
"""Characters of a passage; the embedding model reads about 1,000, but short passages are found more exactly."""
HEADING = re.compile(r"#{1,6} ")
HEADING_LINE = re.compile(r"^#{1,6} .*$", re.MULTILINE)
ITEM = re.compile(r"^(?=[ \t]*(?:[-*|]|\d+\.) )", re.MULTILINE)
CODE = "```"
FENCED = re.compile(r"(^[ \t]*```.*?^[ \t]*```[ \t]*$)", re.MULTILINE | re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")
BATCH = 64
NEAREST = 3
"""Passages that are shown."""
SENTENCES = 2
"""Sentences that the chat model is told: more confuse one of this size."""
ANSWER_TOKENS = 120
LINE_BREAK = 80
"""The column from which a streamed answer is continued on the next line."""

CHAT_QUESTION = "Explain in two sentences why the sky is blue."
README_QUESTION = "What happens when a stream ends early?"
FILE_QUESTION = "What is this about?"
REVIEW = "The parcel came two weeks late and the box was torn."
LABELS = ["delivery", "price", "taste", "staff"]
QUERY = "How do I make strong coffee?"
TEXTS = [
    "A fox can hear a mouse under the snow.",
    "Use more ground beans and water just below the boil.",
    "The coffee house opens at eight.",
]


def demo(ask: str | None = None, file: Path | None = None) -> None:
    """Run the demonstration and print it; raises an HfError, such as one that says how to get the weights.

    `ask`: only answer this question, from memory and from the text. `file`: the text, in UTF-8, at most 1 MB.
    """
    if ask is not None and not ask.strip():
        raise InputError("--ask: the question must not be empty")
    name, text = read(file)
    with HfInference(provider="local") as hf:
        _say(f"hf-tools {__version__}, embedded backend: no token, no network")
        _say(f"chat:       {local.CHAT_MODEL} (135 million parameters: fluent, often wrong)")
        _say(f"embeddings: {local.EMBEDDING_MODEL}")
        chat(hf, ask or CHAT_QUESTION)
        retrieval(hf, ask or (FILE_QUESTION if file else README_QUESTION), name, text)
        if ask is None:
            classification(hf)
            ranking(hf)
            tool(hf)


def chat(hf: HfInference, question: str) -> None:
    """Stream an answer from the model's memory."""
    _title(f"Chat, streamed: {question}")
    start, first = time.perf_counter(), 0.0
    flow = Flow()
    with hf.chat_completion_stream(_user(question), max_tokens=ANSWER_TOKENS, temperature=0) as stream:
        for part in stream:
            first = first or (time.perf_counter() - start if part.text else 0.0)
            flow.add(part.text)
    flow.end()
    usage: dict[str, Any] = stream.usage or {}
    tokens = usage.get("completion_tokens")
    cut = ", cut at the limit" if stream.final.choices[0].finish_reason == "length" else ""
    _time(start, f"{tokens} tokens{cut}; {first:.2f} s to the first, the start of the model included")


def retrieval(hf: HfInference, question: str, name: str, text: str) -> None:
    """Find the passages of a text that are nearest to a question, and answer from them."""
    _title(f"Answer from {name}: {question}")
    start = time.perf_counter()
    found = passages(text)
    vectors = list(_vectors(hf, found))
    (asked,) = hf.feature_extraction(question, normalize=True).vectors()
    scores = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in vectors]
    best = sorted(range(len(found)), key=lambda place: -scores[place])[:NEAREST]
    for place in best:
        _item(f"{scores[place]:.2f}", found[place])
    _time(start, f"{_count(len(found), 'passage')} embedded and compared")
    start = time.perf_counter()
    near = [found[place] for place in best]
    choice = list(dict.fromkeys(part for passage in near for part in sentences(passage))) or near
    told = [str(each.text) for each in hf.text_ranking(question, choice, top_n=SENTENCES, return_documents=True)]
    _item("Nearest sentence:", told[0])
    prompt = f"{' '.join(told)}\n\nAnswer from this text, in one sentence: {question}"
    # The penalty is against endless repetition.
    answer = hf.chat_completion(_user(prompt), max_tokens=60, temperature=0, frequency_penalty=0.3, stop="\n")
    _item("In the chat model's words:", answer.text)
    _time(start, f"{_count(len(choice), 'sentence')} ranked, the best {len(told)} told to the chat model: check it")


def classification(hf: HfInference) -> None:
    """Classify a sentence by labels that no model was trained on."""
    _title(f"Zero-shot classification: {REVIEW}")
    start = time.perf_counter()
    for each in hf.zero_shot_classification(REVIEW, LABELS, hypothesis_template="This text is about {}."):
        _item(f"{each.score:.2f}", each.label)
    _time(start, f"{len(LABELS)} labels")


def ranking(hf: HfInference) -> None:
    """Rank texts by a query."""
    _title(f"Ranking: {QUERY}")
    start = time.perf_counter()
    for each in hf.text_ranking(QUERY, TEXTS):
        _item(f"{each.score:.2f}", TEXTS[each.index])
    _time(start, f"{len(TEXTS)} texts")


def tool(hf: HfInference) -> None:
    """Run a task as an agent does: a LangChain tool, called with arguments that its schema describes."""
    name = "hf_zero_shot_classification"
    _title(f"A LangChain tool: {name}")
    try:
        from langchain_hf_tools import HfInferenceToolkit
    except ImportError as error:
        _item("-", f"It needs pip install 'hf-tools[langchain]' ({shown(error)})")
        return
    start = time.perf_counter()
    found = next(each for each in HfInferenceToolkit(hf).get_tools() if each.name == name)
    parameters: dict[str, Any] = found.args
    for parameter, schema in parameters.items():
        about = {key: value for key, value in schema.items() if key != "title"}
        _item(parameter, json.dumps(about, ensure_ascii=False))
    arguments = {"text": REVIEW, "candidate_labels": LABELS}
    _item("called with", json.dumps(arguments, ensure_ascii=False))
    _item("answers", str(found.invoke(arguments)))
    _time(start, "schema and call")


def read(file: Path | None) -> tuple[str, str]:
    """Name and text of the user's file, else of the project's README; InputError where it is no usable text."""
    if file is None:
        return "README.md", readme()
    try:
        with file.open("rb") as opened:
            content = opened.read(LIMIT + 1)
    except OSError as error:
        raise InputError(f"--file: cannot read {shown(file.name, 80)!r}: {error.strerror}") from error
    if len(content) > LIMIT or b"\0" in content or not content.strip():
        raise InputError(f"--file: {shown(file.name, 80)!r} must be a text, not empty and at most {LIMIT:,} bytes")
    return file.name, content.decode("utf-8-sig", "replace")


def readme() -> str:
    """The README of the checkout that this module is in, else the installed package's copy of it."""
    beside = Path(__file__).parent.parent
    if (beside / "README.md").is_file() and (beside / "pyproject.toml").is_file():
        return (beside / "README.md").read_text("utf-8")
    try:
        text = str(importlib.metadata.metadata("hf-tools").json.get("description", ""))
    except importlib.metadata.PackageNotFoundError:
        text = ""
    if not text.strip():
        raise InputError("this installation came without the README", hint="Name a text with --file PATH")
    return text


def passages(text: str) -> list[str]:
    """The text in passages: blocks, a line each, together at most PASSAGE characters; white space is evened out.

    A heading of Markdown begins a passage and is never its end but at the end of the text.
    """
    found: list[str] = []
    bare = False  # the last passage is a heading so far
    for block in blocks(text):
        for piece in _pieces(block):
            heading = bool(HEADING.match(piece))
            room = bool(found) and len(found[-1]) + len(piece) < PASSAGE
            if (room and (bare or not heading)) or (bare and not heading):
                found[-1] += f"\n{piece}"
            else:
                found.append(piece)
            bare = heading and (bare or found[-1] == piece)
    return found


def blocks(text: str) -> Iterator[str]:
    """Headings, paragraphs, items, rows and code of a text, each on one line."""
    for place, part in enumerate(FENCED.split(text)):
        if place % 2:
            parted = [part]
        else:
            spaced = ITEM.sub("\n", HEADING_LINE.sub(r"\n\g<0>\n", part))
            parted = re.split(r"\n\s*\n", spaced)
        yield from filter(None, (" ".join(each.split()) for each in parted))


def sentences(passage: str) -> list[str]:
    """The sentences of a passage, as far as full stops and the like tell them, without headings and code."""
    prose = [line for line in passage.split("\n") if not HEADING.match(line) and not line.startswith(CODE)]
    return [part for line in prose for part in SENTENCE_END.split(line)]


def _pieces(block: str) -> Iterator[str]:
    """The block, divided between sentences where it is too long, and anywhere where a sentence is."""
    limit = 2 * PASSAGE if block.startswith(CODE) else PASSAGE
    for part in [block] if len(block) <= limit else SENTENCE_END.split(block):
        yield from textwrap.wrap(part, limit, break_on_hyphens=False)


def _vectors(hf: HfInference, texts: list[str]) -> Iterator[list[float]]:
    for start in range(0, len(texts), BATCH):
        yield from hf.feature_extraction(texts[start : start + BATCH], normalize=True).vectors()


def _user(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


class Flow:
    """Writes a text as it comes: indented, and continued on the next line near the right edge."""

    def __init__(self) -> None:
        self._column = 0
        self._space = ""
        self._own = False  # the line was begun by the text, which may indent it

    def add(self, text: str) -> None:
        """Write the next piece and show it at once."""
        for piece in re.findall(r"\n|[^\S\n]+|\S{1,20}", text):
            if not piece.isspace():
                self._write(clean(piece))
            elif piece == "\n":
                self.end()
                self._own = True
            elif self._column >= LINE_BREAK:
                self.end()
            elif self._column or self._own:
                self._space += " " * len(piece.expandtabs(4))
        sys.stdout.flush()

    def end(self) -> None:
        """End the line, if there is one."""
        if self._column:
            sys.stdout.write("\n")
        self._column, self._space, self._own = 0, "", False

    def _write(self, text: str) -> None:
        if self._column + len(self._space + text) > WIDTH:
            self.end()
        begun = "" if self._column else " " * INDENT
        line = begun + self._space + text
        sys.stdout.write(line)
        self._column, self._space = self._column + len(line), ""


def clean(text: str) -> str:
    """The text without what steers a terminal."""
    return re.sub(CONTROL, "?", text)


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _title(text: str) -> None:
    _say("")
    _say(textwrap.fill(clean(" ".join(text.split())), WIDTH))


def _item(mark: str, text: str) -> None:
    line, left = clean(f"{mark}  {' '.join(text.split())}"), " " * INDENT
    _say(textwrap.fill(line, WIDTH, initial_indent=left, subsequent_indent=3 * left, break_on_hyphens=False))


def _time(start: float, about: str) -> None:
    _say(f"{' ' * INDENT}[{time.perf_counter() - start:.2f} s] {about}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
