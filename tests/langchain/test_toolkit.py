"""A set of tools: which there are, what they share, and what it refuses."""

from __future__ import annotations

import copy
import io
import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from hf_tools import HfInference
from hf_tools.errors import InputError, MediaError
from hf_tools.media import Media, MediaPolicy, Text
from hf_tools.media.store import MemoryStore
from langchain_hf_tools import HfInferenceToolkit
from langchain_hf_tools.budgets import Budget
from langchain_hf_tools.toolkit import PRESETS
from tests.langchain.agents import Tasks, png, said, wav
from tests.langchain.tool_cases import PNG, asked, coded, handle

OFFLINE = Tasks().client
SHORT = [{"summary_text": "Short."}]


def names(toolkit: HfInferenceToolkit) -> list[str]:
    return [tool.name for tool in toolkit.get_tools()]


# which tools


def test_core_is_what_is_served() -> None:
    assert names(HfInferenceToolkit(OFFLINE)) == [f"hf_{name}" for name in PRESETS["core"]]
    with HfInference(provider="local") as hf:
        assert set(names(HfInferenceToolkit(hf))) < {f"hf_{name}" for name in PRESETS["core"]}
        with pytest.raises(InputError, match="nobody serves what it needs here"):
            HfInferenceToolkit(hf, tasks=["generate_image"])


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(preset: str) -> None:
    assert names(HfInferenceToolkit(OFFLINE, preset=preset, prefix="")) == list(PRESETS[preset])


def test_tools_one_by_one() -> None:
    wanted = ["text-to-image", "text_to_image", "classify", "media_info"]
    assert names(HfInferenceToolkit(OFFLINE, tasks=wanted)) == ["hf_text_to_image", "hf_classify", "hf_media_info"]
    assert names(HfInferenceToolkit(OFFLINE, tasks=[])) == []
    assert names(HfInferenceToolkit(OFFLINE, tasks=(each for each in ["hf_classify"]))) == ["hf_classify"]


def test_tools_that_the_options_open(tmp_path: Path) -> None:
    policy = MediaPolicy(out=tmp_path)
    toolkit = HfInferenceToolkit(OFFLINE, tasks=["classify"], media=policy, previews=True)
    assert names(toolkit) == ["hf_classify", "hf_save_media", "hf_view_media"]
    assert names(HfInferenceToolkit(OFFLINE, media=policy))[-1] == "hf_save_media"


def test_tools_outside_of_core_may_be_deferred() -> None:
    tools = HfInferenceToolkit(OFFLINE, tasks=["classify", "fill_mask"]).get_tools()
    assert [tool.extras for tool in tools] == [None, {"defer_loading": True}]


# what is refused


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"preset": "most"}, "`preset` = 'most': must be one of core, all, dynamic, vision, audio, text, video"),
        ({"preset": ["core"]}, "`preset` = ['core']: must be one of"),
        ({"tasks": "summarization"}, "`tasks` = 'summarization': must be a list of names of tasks or tools"),
        ({"tasks": 3}, "`tasks` = 3: must be a list of names of tasks or tools"),
        ({"tasks": [3]}, "`tasks` = [3]: must be a list of names of tasks or tools"),
        ({"tasks": ["summarisation"]}, "`task` = 'summarisation': there is no such task"),
        ({"models": "org/model"}, "`models` (str): must be a mapping of tasks to IDs of models"),
        ({"models": {"fill_mask": 3}}, "`models`: fill_mask must be the ID of a model, or several"),
        ({"models": {"fill_mask": []}}, "`models`: fill_mask must be the ID of a model, or several"),
        ({"models": {"fill_msk": "a"}}, "`task` = 'fill_msk': there is no such task"),
        ({"prefix": "hf tools "}, "`prefix` = 'hf tools ': must be letters, digits, _ or -"),
        ({"prefix": 3}, "`prefix` = 3: must be letters, digits, _ or -"),
        ({"prefix": "1_"}, "`prefix` = '1_': must be letters, digits, _ or -, a letter or _ first"),
        ({"store": MemoryStore}, "`store` (type): must be a MediaStore"),
        ({"budget": Budget(per_tool={"speak": 1})}, "per_tool has 'speak', the tool is called 'hf_speak'"),
        ({"budget": Budget(per_tool={"hf_generate_imag": 1})}, "the tool is called 'hf_generate_image'"),
        ({"client": "hf_test"}, "`client` must be an HfInference, got str"),
        ({"expose_model": "yes"}, "`expose_model` (str): must be True or False"),
        ({"budget": 20}, "`budget` (int): must be a Budget"),
        ({"store": "memory"}, "`store` (str): must be a MediaStore"),
        ({"media": ["inputs"]}, "`media` (list): must be a MediaPolicy"),
    ],
)
def test_a_constructor_refuses(options: dict[str, Any], text: str) -> None:
    given: dict[str, Any] = {"client": OFFLINE, **options}
    with pytest.raises(InputError) as caught:
        HfInferenceToolkit(**given)
    assert text in caught.value.message


# models


def test_models_for_tasks() -> None:
    server = Tasks(summarization=SHORT)
    toolkit = server.toolkit(models={"summarization": "org/summarization", "fill-mask": "org/x"}, tasks=["fill_mask"])
    assert asked(toolkit.get_tools()[0]).status == "error"
    assert toolkit.bench.model("fill_mask") == "org/x"
    assert toolkit.bench.model("summarization") == "org/summarization"
    assert toolkit.bench.model("translation") is not None


def test_several_models_to_choose_from() -> None:
    server = Tasks(summarization=SHORT, second=SHORT)
    models = {"summarization": ["org/summarization", "org/second"]}
    (tool,) = server.toolkit(models=models, tasks=["summarization"], expose_model=True).get_tools()
    assert tool.args["model"]["enum"] == models["summarization"]
    assert asked(tool, text="Long.").artifact["model"] == "org/summarization"
    assert asked(tool, text="Long.", model="`org/second`").artifact["model"] == "org/second"
    refused = "`model` = 'org/third': must be one of org/summarization, org/second"
    assert str(asked(tool, text="Long.", model="org/third").content).startswith(refused)
    assert server.asked == ["summarization", "second"]


def test_a_model_of_the_client_is_asked_for_all(serve: Any) -> None:
    toolkit = HfInferenceToolkit(**serve(SHORT).both, tasks=["summarization"])
    assert toolkit.bench.model("summarization") is None
    assert asked(toolkit.get_tools()[0], text="Long.").artifact["model"] == "org/model"


# media


def test_media_of_every_kind(tmp_path: Path) -> None:
    toolkit = HfInferenceToolkit(OFFLINE)
    path = tmp_path / "cat.png"
    path.write_bytes(png())
    picture = io.BytesIO()
    Pillow.new("RGB", (3, 2)).save(picture, "PNG")
    given: list[tuple[Any, str | None, str, str | None]] = [
        (png(), None, "image/png", None),
        (path, None, "image/png", "cat.png"),
        (str(path), "dog.png", "image/png", "dog.png"),
        (f"data:image/png;base64,{coded(PNG)}", "../x/e\x1bvil.png", "image/png", "evil.png"),
        (io.BytesIO(wav()), "talk.wav", "audio/wav", "talk.wav"),
        (Pillow.new("RGB", (3, 2)), None, "image/png", None),
        (b"a,b\n1,2\n", "t.csv", "text/csv", "t.csv"),
        (b"a,b\n1,2\n3,4\n", None, "text/plain", None),
        (Text(b"# x\n", "text/markdown"), None, "text/markdown", None),
        (Media(wav(0.5)), "short.wav", "audio/wav", "short.wav"),
    ]
    for value, name, mime, known in given:
        ref = toolkit.add_media(value, name=name)
        assert (ref.mime_type, ref.name) == (mime, known)
        assert toolkit.store.get(ref.handle) == toolkit.store.get(ref.name or ref.handle)
    assert toolkit.store.get("evil.png").data == PNG


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (b"", MediaError, "empty"),
        (b"<html>", MediaError, "HTML or XML, not media"),
        (b"\0\1\2\3", MediaError, "neither a known type of media nor text in UTF-8"),
        ("/nowhere/x.png", MediaError, "x.png"),
        ("data:image/png;base64,%%%", MediaError, "not valid base64"),
        (3, InputError, "`value`: expected bytes, a path, a URL, .* got int"),
        (None, InputError, "`value`: expected .* got NoneType"),
    ],
)
def test_media_that_are_none(value: Any, kind: type[Exception], text: str) -> None:
    toolkit = HfInferenceToolkit(OFFLINE)
    with pytest.raises(kind, match=text):
        toolkit.add_media(value)
    assert toolkit.store.refs() == []


def test_a_store_is_shared() -> None:
    store = MemoryStore()
    first, second = (HfInferenceToolkit(OFFLINE, store=store, preset="all") for _ in range(2))
    ref = first.add_media(PNG, name="a.png")
    assert second.store.ref("a.png") == ref
    info = next(tool for tool in second.get_tools() if tool.name == "hf_media_info")
    assert handle(PNG, "png") in str(asked(info).content)


# copies


def test_copies() -> None:
    toolkit = HfInferenceToolkit(OFFLINE, tasks=["classify"])
    copied = toolkit.model_copy(update={"prefix": "my_"})
    assert (names(copied), names(toolkit)) == (["my_classify"], ["hf_classify"])
    for each in (copied, copy.deepcopy(toolkit), toolkit.model_copy(deep=True)):
        assert each.bench is toolkit.bench
    assert "bench" not in toolkit.model_dump()
    assert repr(toolkit) == "HfInferenceToolkit(names=('classify',), prefix='hf_')"


@pytest.mark.parametrize(
    ("update", "text"),
    [
        ({"preset": "all"}, "`preset`: a copy of a toolkit can have another `prefix`, the rest is shared"),
        ({"prefix": " "}, "`prefix` = ' ': must be letters"),
    ],
)
def test_a_copy_refuses(update: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        HfInferenceToolkit(OFFLINE).model_copy(update=update)
    assert text in caught.value.message


def test_what_is_of_this_process_is_not_pickled() -> None:
    toolkit = HfInferenceToolkit(OFFLINE, tasks=["classify"])
    for what in (toolkit, *toolkit.get_tools()):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(what)
        assert str(caught.value).startswith(f"{type(what).__name__} cannot be pickled: its store, budget and conn")


# a person in the loop


def test_what_is_asked_of_a_person(tmp_path: Path) -> None:
    toolkit = HfInferenceToolkit(OFFLINE, media=MediaPolicy(out=tmp_path))
    asks = toolkit.interrupt_on()
    assert list(asks) == ["hf_generate_image", "hf_speak", "hf_save_media"]
    assert list(toolkit.interrupt_on("expensive")) == ["hf_save_media"]
    assert list(toolkit.interrupt_on("free")) == names(toolkit)
    assert "hf_classify" in toolkit.interrupt_on("cheap")
    assert asks["hf_speak"]["allowed_decisions"] == ["approve", "edit", "reject"]
    call = {"name": "hf_generate_image", "args": {"prompt": "a\x1b[0m fox", "width": 64}, "id": "1"}
    about = asks["hf_generate_image"]["description"](call, {}, None)
    assert about == "hf_generate_image (moderate, up to 600 s)\nprompt: a\\x1b[0m fox\nwidth: 64"
    with pytest.raises(InputError, match="`at_least` = 'dear': must be one of free, cheap, moderate, expensive"):
        toolkit.interrupt_on("dear")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# usage


def test_parallel_calls_are_counted_rightly() -> None:
    server = Tasks(chat_completion=said("Hi"), summarization=SHORT)
    toolkit = server.toolkit(tasks=["chat_completion", "summarization"], budget=Budget(40))
    chat, _ = toolkit.get_tools()
    with ThreadPoolExecutor(10) as pool:
        calls = [pool.submit(asked, chat, message=f"{number}") for number in range(50)]
    assert Counter(call.result().status for call in calls) == {"success": 40, "error": 10}
    assert (len(server.requests), toolkit.usage.calls) == (40, Counter(hf_chat_completion=40))
    assert toolkit.usage.tokens["total_tokens"] == 40 * 13
    assert +toolkit.usage.failures == Counter()


def test_what_is_refused_before_it_is_sent_costs_nothing() -> None:
    server = Tasks(summarization=SHORT)
    toolkit = server.toolkit(tasks=["summarization"], budget=Budget(1))
    assert asked(toolkit.get_tools()[0], text="").status == "error"
    assert toolkit.usage.calls.total() == 0
    assert "calls=0 of 1" in repr(toolkit.bench.budget)


def test_a_budget_may_name_tools_of_others() -> None:
    budget = Budget(per_tool={"hf_speak": 2, "b_speak": 1, "my_own": 3})
    assert HfInferenceToolkit(OFFLINE, budget=budget).bench.budget is budget


def test_a_name_of_an_argument_is_one_line_for_the_person() -> None:
    asks = HfInferenceToolkit(OFFLINE).interrupt_on()["hf_speak"]["description"]
    about = asks({"name": "hf_speak", "args": {"x\nfree": "yes\nno"}, "id": "1"}, {}, None)
    assert about.split("\n")[1:] == ["x\\nfree: yes\\nno"]
