"""`register()`: langchain's functions that take a name know this package's models, and nothing else changes."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import langchain.chat_models.base as chat
import langchain.embeddings.base as embeddings
import pytest
from langchain.chat_models import init_chat_model
from langchain.embeddings import init_embeddings

from hf_tools.errors import ConfigurationError, InputError, MissingExtra
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings
from langchain_hf_tools.registration import register

CHATS: dict[str, Any] = vars(chat)["_BUILTIN_PROVIDERS"]
EMBEDDINGS: dict[str, Any] = vars(embeddings)["_BUILTIN_PROVIDERS"]
INSTEAD = r"Pass an instance: create_agent\(ChatHfInference\(model=...\), tools\) needs no registration"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """langchain's dicts as they were, before and after."""
    before = dict(CHATS), dict(EMBEDDINGS)
    yield
    for providers, known in zip((CHATS, EMBEDDINGS), before, strict=True):
        providers.clear()
        providers.update(known)
    vars(chat)["_get_chat_model_creator"].cache_clear()
    vars(embeddings)["_get_embeddings_class_creator"].cache_clear()


@pytest.mark.parametrize("name", ["hf", "my_hf2"])
def test_names_work_afterwards(name: str) -> None:
    register(name=name)
    model = init_chat_model(f"{name}:openai/gpt-oss-120b:groq", temperature=0)
    assert isinstance(model, ChatHfInference)
    assert (model.model, model.temperature, model.provider) == ("openai/gpt-oss-120b:groq", 0, "auto")
    assert getattr(init_chat_model("org/x", model_provider=name), "model", None) == "org/x"
    vectors = init_embeddings(f"{name}:BAAI/bge-small-en-v1.5", timeout=5)
    assert isinstance(vectors, HfInferenceEmbeddings)
    assert (vectors.model, vectors.timeout) == ("BAAI/bge-small-en-v1.5", 5)


def test_the_embedded_backend_has_a_name() -> None:
    register()
    for made in (init_chat_model("hf:local"), init_embeddings("hf:local")):
        assert isinstance(made, ChatHfInference | HfInferenceEmbeddings)
        assert (made.provider, made.model) == ("local", None)
    assert getattr(init_chat_model("hf:local", provider="local"), "provider", None) == "local"
    assert getattr(init_chat_model("hf:org/x", provider="hf-inference"), "provider", None) == "hf-inference"
    said = "`provider` = 'hf-inference': the name `local` is for the embedded backend. Name a model, or leave"
    with pytest.raises(InputError, match=said):
        init_chat_model("hf:local", provider="hf-inference")


def test_a_model_can_be_named_at_run_time(serve: Any, completion: Callable[..., Any]) -> None:
    register()
    server = serve(completion("Hello"))
    arguments = {name: value for name, value in server.models.items() if name != "model"}
    model = init_chat_model(configurable_fields=("model", "model_provider"), **arguments)
    assert model.invoke("Hi", {"configurable": {"model": "hf:org/x:groq"}}).content == "Hello"
    assert server.bodies[0]["model"] == "org/x:groq"


def test_calling_it_again_changes_nothing() -> None:
    register()
    known = dict(CHATS), dict(EMBEDDINGS)
    register()
    assert known == (CHATS, EMBEDDINGS)
    assert list(CHATS).count("hf") == 1


@pytest.mark.parametrize("name", ["openai", "huggingface", "groq"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    known = dict(CHATS), dict(EMBEDDINGS)
    with pytest.raises(
        ConfigurationError, match=f"`name` = '{name}' is taken by langchain_{name}. Choose another name"
    ):
        register(name=name)
    assert known == (CHATS, EMBEDDINGS)


@pytest.mark.parametrize("name", ["", "HF", "h f", "hf:", "h-f", "2hf", "hf_tokentokentoken!", None, 5])
def test_a_name_that_langchain_could_not_read_is_refused(name: Any) -> None:
    with pytest.raises(InputError, match=r"`name` = .*: must be lower-case letters, digits and underscores"):
        register(name=name)


def test_a_wrong_argument_is_still_refused_by_name() -> None:
    register()
    with pytest.raises(InputError, match="`temprature` is not a parameter"):
        init_chat_model("hf:org/x", temprature=0)


def test_without_langchain_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *args: Any) -> Any:
        raise ModuleNotFoundError("No module named 'langchain'", name="langchain")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtra, match=rf"register\(\) needs langchain: pip install langchain. {INSTEAD}"):
        register()


@pytest.mark.parametrize(
    "found",
    [
        None, [], {}, {"openai": "langchain_openai"}, {"openai": ("langchain_openai", "ChatOpenAI")},
        {"openai": ("langchain_openai", 5, print)}, {"openai": ("langchain_openai", "ChatOpenAI", "maker")},
    ],
)  # fmt: skip
def test_a_langchain_that_has_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    monkeypatch.setattr(embeddings, "_BUILTIN_PROVIDERS", found)
    said = f"langchain has changed: langchain.embeddings.base has no providers to add to. {INSTEAD}"
    with pytest.raises(ConfigurationError, match=said):
        register()
    assert "hf" not in CHATS


def test_a_module_that_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models.base", types.ModuleType("empty"))
    with pytest.raises(ConfigurationError, match=r"langchain has changed: langchain.chat_models.base"):
        register()

    def moved(name: str, *args: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", moved)
    with pytest.raises(ConfigurationError, match=r"langchain has changed: langchain.chat_models.base"):
        register()


def test_an_import_registers_nothing() -> None:
    code = (
        "import sys, langchain_hf_tools.registration\n"
        "assert 'langchain' not in sys.modules\n"
        "import langchain.chat_models.base as b\n"
        "assert 'hf' not in b._BUILTIN_PROVIDERS\n"
    )
    path = [entry for entry in sys.path if entry]
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
