"""Texts that stand for documents of the store, by handle or by name; any other text is what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hf_tools.media import DirectoryStore, Media, Text
from hf_tools.media.store import MediaRef, MediaStore, MemoryStore
from langchain_hf_tools import HfInferenceToolkit
from tests.langchain.conftest import Server
from tests.langchain.tool_cases import asked, only

SHORT = [{"summary_text": "Short."}]


def sent(store: MediaStore, text: str) -> Any:
    """What the server got for a text that a model wrote."""
    server = Server(SHORT)
    message = asked(only(HfInferenceToolkit(**server.both, tasks=["summarization"], store=store)), text=text)
    return server.bodies[0]["inputs"] if server.bodies else message.content


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_document_by_each_of_its_names(kind: str, tmp_path: Path) -> None:
    store = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path / "store")
    ref = store.put(Text(b"Long."), name="a.txt")
    store.put(Text(b"Long."), name="the copy.txt")
    assert [sent(store, text) for text in (ref.handle, "a.txt", "the copy.txt")] == ["Long."] * 3
    # what a store would find as well, but no one means
    digits = ref.handle.removeprefix("hf-media://").removesuffix(".txt")
    for text in (digits, "a.txt!", " a.txt", "b.txt", "a.txt" * 100):
        assert sent(store, text) == text


def test_a_store_with_names_of_its_own() -> None:
    class Own(MemoryStore):
        def get(self, handle: str) -> Media:
            return super().get(self.ref(handle).handle)

        def ref(self, handle: str) -> MediaRef:
            found = {"my (1).txt": super().refs()[0]}
            return replace(found[handle], name=handle) if handle in found else super().ref(handle)

    store = Own()
    store.put(Text(b"Long."))
    assert sent(store, "my (1).txt") == "Long."


def test_a_document_that_is_damaged(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    ref = store.put(Text(b"Long."), name="a.txt")
    digits = ref.handle.removeprefix("hf-media://").removesuffix(".txt")
    (tmp_path / f"{digits}.json").write_bytes(b"{")
    said = f"`text`: the description of hf-media://{digits} is damaged. Correct the arguments and call again."
    assert sent(store, "a.txt") == said


def test_the_store_is_not_read_through_for_a_text() -> None:
    class Counted(MemoryStore):
        def refs(self) -> list[MediaRef]:
            raise AssertionError("a store may hold thousands")

    assert sent(Counted(), "hello") == "hello"
