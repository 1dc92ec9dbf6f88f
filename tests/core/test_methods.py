"""Tasks as methods: what a bound method is, what it makes, and which of two forms."""

import inspect
import json
import pydoc
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint
from hf_tools.catalogue import Catalogue, catalogue, other_form, streams
from hf_tools.errors import InputError
from hf_tools.methods import either, has_top_k, is_batch, joint_signature, method, signature, stream
from hf_tools.streams import AsyncStream, Stream
from hf_tools.task import Task
from hf_tools.tasks.embedding import SentenceSimilarityBatch
from hf_tools.tasks.question import QuestionAnswering, QuestionAnsweringTop
from hf_tools.tasks.text import Summarization, SummarizationOutput, Translation, TranslationBatch

URL = "https://server.invalid"
CLIENTS: dict[str, Callable[[], Any]] = {
    "HfInference": lambda: HfInference(False),
    "AsyncHfInference": lambda: AsyncHfInference(False),
    "HfInferenceEndpoint": lambda: HfInferenceEndpoint(URL),
    "AsyncHfInferenceEndpoint": lambda: AsyncHfInferenceEndpoint(URL),
}
NAMES = [name for name, _ in catalogue()]
METHODS = [name for name, value in vars(Catalogue).items() if isinstance(value, method | either | stream)]
SUMMARY = json.dumps([{"summary_text": "short"}]).encode()


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Any:
    """Each of the four clients."""
    return CLIENTS[request.param]()


def answer(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=SUMMARY, headers={"content-type": "application/json"})


# what a bound method is


@pytest.mark.parametrize("name", METHODS)
def test_a_bound_method_has_name_docstring_and_signature(client: Any, name: str) -> None:
    bound = getattr(client, name)
    task = vars(Catalogue)[name].task
    assert bound.__name__ == bound.__qualname__ == name
    assert inspect.getdoc(bound) == inspect.getdoc(task)
    shown = inspect.signature(bound)
    assert shown.return_annotation is inspect.Signature.empty
    assert list(signature(task).parameters) == list(shown.parameters)[: len(signature(task).parameters)]
    assert "model" in shown.parameters
    assert "__signature__" not in shown.parameters
    assert "args" not in shown.parameters
    text = pydoc.plain(pydoc.render_doc(bound))
    assert text.splitlines()[2].startswith(f"{name}(")
    assert inspect.getdoc(task).splitlines()[0] in text  # type: ignore[union-attr]


@pytest.mark.parametrize("name", METHODS)
def test_class_access_gives_the_descriptor(name: str) -> None:
    for cls in (HfInference, AsyncHfInference, HfInferenceEndpoint, AsyncHfInferenceEndpoint):
        assert getattr(cls, name) is vars(Catalogue)[name]
        assert getattr(cls, name).name == name
        assert issubclass(getattr(cls, name).task, Task)


def test_dir_and_help_show_every_task(client: Any) -> None:
    cls = client.__class__
    shown = pydoc.plain(pydoc.render_doc(cls))
    for name in METHODS:
        assert name in dir(client)
        assert name in dir(cls)
        assert f" {name} = " in shown


def test_there_are_37_tasks() -> None:
    assert len(NAMES) == 37
    assert len(METHODS) == 37 + 2 + 2


# what is refused by every method

POSITIONAL: dict[str, list[Any]] = {
    "question_answering": ["who?", "me"],
    "table_question_answering": [{"a": ["1"]}, "who?"],
    "zero_shot_classification": ["a", ["b"]],
    "sentence_similarity": ["a", ["b"]],
    "text_ranking": ["a", ["b"]],
    "conversational": ["a", ["b"], ["c"]],
    "chat_completion": [[{"role": "user", "content": "Hi"}]],
    "visual_question_answering": [b"...", "who?"],
    "document_question_answering": [b"...", "who?"],
    "zero_shot_image_classification": [b"...", ["b"]],
    "zero_shot_object_detection": [b"...", ["b"]],
    "image_to_image": [b"...", "a"],
    "image_text_to_image": [b"...", "a"],
    "image_text_to_video": [b"...", "a"],
    "tabular_classification": [{"a": ["1"]}],
    "tabular_regression": [{"a": ["1"]}],
}
"""Arguments by position; one text or one file where a task is not listed."""


def positional(name: str) -> list[Any]:
    media = name.startswith(("image_", "audio_", "video_", "automatic", "object", "depth"))
    return POSITIONAL.get(name, [b"..." if media else "a"])


@pytest.mark.parametrize("name", NAMES)
def test_a_superfluous_positional_argument_is_refused(client: Any, name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: too many positional arguments: .* may be given so"):
        getattr(client, name)(*positional(name), "one more")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [True, False, None])
def test_stream_is_refused_and_names_the_method_that_streams(client: Any, name: str, value: Any) -> None:
    expected = rf"call {name}_stream\(\.\.\.\)" if streams(name) else "this task cannot stream"
    with pytest.raises(InputError, match=f"^{name}: `stream` is not a parameter.*{expected}"):
        getattr(client, name)(*positional(name), stream=value)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_keyword_is_refused_with_the_known_ones(client: Any, name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: .*`unheard_of` is not a parameter of this task; it takes .*model"):
        getattr(client, name)(*positional(name), unheard_of=1)


@pytest.mark.parametrize("name", [name for name in NAMES if other_form(name)])
def test_the_form_for_lists_refuses_in_the_same_way(client: Any, name: str) -> None:
    values = [[{"source_sentence": "a", "sentences": ["b"]}]] if name == "sentence_similarity" else [["a"]]
    values += positional(name)[1:] if name == "zero_shot_classification" else []
    more: dict[str, Any] = {"top_k": 2} if name == "question_answering" else {}
    values = positional(name) if name == "question_answering" else values
    with pytest.raises(InputError, match=f"^{name}: too many positional arguments"):
        getattr(client, name)(*values, "one more", **more)
    with pytest.raises(InputError, match=f"^{name}: `stream` is not a parameter"):
        getattr(client, name)(*values, stream=True, **more)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("summarisation", "summarization"),
        ("text_generate", "text_generation"),
        ("chat_completions", "chat_completion"),
        ("feature_extract", "feature_extraction"),
        ("with_option", "with_options"),
    ],
)
def test_a_mistyped_name_gets_the_nearest_ones(client: Any, wrong: str, near: str) -> None:
    with pytest.raises(AttributeError, match=rf"^{type(client).__name__} has no attribute '{wrong}'; did you.* {near}"):
        getattr(client, wrong)


@pytest.mark.parametrize("wrong", ["xyzzy", "_summarization", "__summarization__"])
def test_a_name_that_is_near_to_none_gets_no_suggestion(client: Any, wrong: str) -> None:
    with pytest.raises(AttributeError, match=rf"has no attribute '{wrong}'$"):
        getattr(client, wrong)


# what a call makes


def test_a_call_runs_the_task() -> None:
    hf = HfInference(False, http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    given = hf.summarization("a", model="org/model", max_length=3)
    assert given == hf.run(Summarization("a", model="org/model", max_length=3))
    assert given == SummarizationOutput(summary_text="short")


async def test_a_call_gives_a_coroutine_where_it_is_awaited() -> None:
    hf = AsyncHfInference(False, http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    waiting = hf.summarization("a", model="org/model")
    assert inspect.iscoroutine(waiting)
    for each in (waiting, hf.run(Summarization("b", model="org/model"))):
        assert await each == SummarizationOutput(summary_text="short")


def test_arguments_are_checked_at_the_call_not_when_it_is_awaited() -> None:
    kind: Any = AsyncHfInference(False)
    with pytest.raises(InputError, match="`text` is missing"):
        kind.summarization()


def test_a_streaming_method_gives_a_stream_and_sends_nothing() -> None:
    assert isinstance(HfInference(False).text_generation_stream("a"), Stream)
    assert isinstance(AsyncHfInference(False).chat_completion_stream([{"role": "user", "content": "a"}]), AsyncStream)
    assert isinstance(HfInference(False).streaming_request(inputs="a"), Stream)


# two forms


FORMS: list[tuple[tuple[Any, ...], dict[str, Any], bool]] = [
    (("a",), {}, False),
    ((["a"],), {}, True),
    ((("a",),), {}, True),
    (([],), {}, True),
    ((), {"text": "a"}, False),
    ((), {"text": ["a"]}, True),
    ((), {}, False),
    ((None,), {"text": ["a"]}, False),
]


@pytest.mark.parametrize(("args", "kwargs", "expected"), FORMS)
def test_the_first_argument_tells_the_form(args: tuple[Any, ...], kwargs: dict[str, Any], expected: bool) -> None:
    assert is_batch(Translation, args, kwargs) is expected


def test_several_answers_tell_the_form() -> None:
    assert has_top_k(None, (), {"top_k": 1})
    assert not has_top_k(None, (), {"top_k": None})
    assert not has_top_k(None, (), {})


def test_each_form_makes_its_own_task(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_client: Any, task: Any) -> Any:
        return task

    cls = client.__class__
    monkeypatch.setattr(cls, "run", run)
    assert client.translation("a") == Translation("a")
    assert client.translation(["a", "b"]) == TranslationBatch(["a", "b"])
    assert client.translation(text=["a"]) == TranslationBatch(["a"])
    assert client.question_answering("a", "b") == QuestionAnswering("a", "b")
    assert client.question_answering("a", "b", top_k=1) == QuestionAnsweringTop("a", "b", top_k=1)


def test_none_for_what_only_the_other_form_has_asks_for_nothing(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_client: Any, task: Any) -> Any:
        return task

    monkeypatch.setattr(client.__class__, "run", run)
    assert client.question_answering("a", "b", top_k=None) == QuestionAnswering("a", "b")
    assert client.question_answering("a", "b", model=None, top_k=None) == QuestionAnswering("a", "b")
    one, several = {"source_sentence": "a", "sentences": ["b"]}, SentenceSimilarityBatch
    assert client.sentence_similarity([one], other_sentences=None) == several([one])
    for name, more in (("unheard_of", {}), ("unheard_of", {"top_k": None}), ("unheard_of", {"top_k": 2})):
        with pytest.raises(InputError, match=f"`{name}` is not a parameter"):
            client.question_answering("a", "b", **{name: None}, **more)
    with pytest.raises(InputError, match="`other_sentences` is not a parameter"):
        client.sentence_similarity([one], other_sentences=["b"])


def test_none_reaches_the_server_as_nothing() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, json={"answer": "b", "score": 1, "start": 0, "end": 1})

    kind: Any = HfInference(False, http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    assert kind.question_answering("a", "b", model="org/m", top_k=None).answer == "b"
    assert [json.loads(each) for each in seen] == [{"inputs": {"question": "a", "context": "b"}}]


def test_the_signature_of_two_forms_has_what_both_take() -> None:
    shown = joint_signature(QuestionAnswering, QuestionAnsweringTop).parameters
    assert [*shown] == [*signature(QuestionAnswering).parameters, "top_k"]
    assert (shown["top_k"].default, shown["top_k"].annotation) == (None, "Positive | None")
    text = joint_signature(Translation, TranslationBatch).parameters["text"]
    assert (text.annotation, text.default) == ("Text | Texts", inspect.Parameter.empty)
    for name in NAMES:
        other: Any = other_form(name)
        bound = inspect.signature(getattr(HfInference(False), name)).parameters
        assert other is None or bound.keys() >= signature(other).parameters.keys()
