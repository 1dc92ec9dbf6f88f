"""Every task, parameter, accepted type, enum value and return type of three sources of facts, on all four clients.

The facts are parsed from `tests/facts`: the inventory (the original HfInference), the published specs, and the
signatures of `huggingface_hub.InferenceClient`. What is named otherwise here is in NAMES, what is otherwise at all in
the tables below it, each with its reason. An entry that is not needed fails.
"""

import inspect
import io
import itertools
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pydantic
import pytest

from hf_tools import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint
from hf_tools.catalogue import Catalogue, catalogue, other_form
from hf_tools.errors import InputError
from hf_tools.media import Audio, Image, Media, Video
from hf_tools.methods import either, method, signature, stream
from hf_tools.task import Task

FACTS = Path(__file__).parent / "facts"
URL = "https://server.invalid"
CLIENTS: dict[str, Any] = {
    "HfInference": lambda: HfInference(False),
    "AsyncHfInference": lambda: AsyncHfInference(False),
    "HfInferenceEndpoint": lambda: HfInferenceEndpoint(URL),
    "AsyncHfInferenceEndpoint": lambda: AsyncHfInferenceEndpoint(URL),
}


# what is named or done otherwise here


class Name(NamedTuple):
    """What a source calls `theirs` is `ours` in these tasks; `ours` is None where it is left out on purpose."""

    source: str
    theirs: str
    ours: str | None
    tasks: str
    reason: str


_TEXT = "InferenceClient's name of the argument, where the original had one name for every input"
_MEDIA = "InferenceClient's name of the argument: the kind of media, not the form that it travels in"
NAMES = [
    Name(
        "inventory", "inputs", "text",
        "feature_extraction fill_mask summarization text_classification text_to_speech token_classification "
        "translation zero_shot_classification", _TEXT,
    ),
    Name("inventory", "inputs", "prompt", "text_generation text_generation_stream text_to_image", _TEXT),
    Name("inventory", "inputs", "image", "image_to_image", _MEDIA),
    Name("inventory", "inputs", "sentence", "sentence_similarity", "the object may be the first argument"),
    Name("inventory", "source_sentence", "sentence", "sentence_similarity", "InferenceClient's two-argument form"),
    Name("inventory", "sentences", "other_sentences", "sentence_similarity", "InferenceClient's two-argument form"),
    Name("inventory", "data", "audio", "audio_classification audio_to_audio automatic_speech_recognition", _MEDIA),
    Name(
        "inventory", "data", "image", "image_classification image_segmentation image_to_text object_detection", _MEDIA,
    ),
    Name("inventory", "data", "table", "tabular_classification tabular_regression", "InferenceClient's name"),
    Name(
        "spec", "inputs", "text",
        "feature_extraction fill_mask summarization text_classification text_to_audio text_to_speech "
        "token_classification translation zero_shot_classification", _TEXT,
    ),
    Name("spec", "inputs", "prompt", "text_generation text_to_image text_to_video", _TEXT),
    Name("spec", "inputs", "audio", "audio_classification automatic_speech_recognition", _MEDIA),
    Name(
        "spec", "inputs", "image",
        "depth_estimation image_classification image_segmentation image_text_to_image image_text_to_video "
        "image_to_image image_to_text image_to_video object_detection zero_shot_image_classification "
        "zero_shot_object_detection", _MEDIA,
    ),
    Name("spec", "inputs", "video", "video_classification", _MEDIA),
    Name("spec", "source_sentence", "sentence", "sentence_similarity", "InferenceClient's name"),
    Name("spec", "sentences", "other_sentences", "sentence_similarity", "InferenceClient's name"),
    Name("spec", "question", "query", "table_question_answering", "the spec's slip: servers and clients say `query`"),
    Name("spec", "stream", None, "chat_completion text_generation", "a method of its own: ..._stream"),
    Name("client", "stream", None, "chat_completion text_generation", "a method of its own: ..._stream"),
    Name("client", "kwargs", None, "image_to_image image_to_video", "`extra_body` takes what has no name"),
]  # fmt: skip

NO_FACT = {
    "text_ranking": "no client and no spec has it: it follows the rerank APIs of TEI and sentence-transformers",
}
"""Tasks that are in no source of facts."""

LIMITS = {
    ("image_to_image", "strength"): "a share by its meaning, which every server refuses above 1",
}
"""Documented ranges that are more than advice: (task, argument) to the reason why a value beyond is refused."""

SINGLE = {
    "question_answering": "one question gives one answer; the list is what `top_k` gives",
    "table_question_answering": "one question gives one answer",
}
"""Tasks whose spec promises a list where the answer here is a single one."""

SLIPS = {
    ("fill_mask", "tokenStr"): "the spec requires `tokenStr` but describes `token_str`, which servers send",
    ("image_to_text", "generatedText"): "the spec requires `generatedText` but describes `generated_text`",
}
"""Required fields of answers that are not fields here."""


# the facts


class Row(NamedTuple):
    """A line of the inventory's table."""

    task: str
    argument: str
    kind: str
    type: str
    default: str
    range: str
    source: str


def _rows() -> list[Row]:
    lines = (FACTS / "inventory.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|")]
    assert [name.strip() for name in cells[0]] == [*Row._fields]
    return [Row(*row) for row in cells[2:]]


INVENTORY = _rows()
METHODS: dict[str, list[dict[str, Any]]] = json.loads((FACTS / "inference_client.json").read_text("utf-8"))["methods"]
COMMON: dict[str, Any] = json.loads((FACTS / "specs" / "common-definitions.json").read_text("utf-8"))
SPECS = {path.name.replace("-", "_"): path for path in sorted((FACTS / "specs").iterdir()) if path.is_dir()}


def spec(task: str, part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SPECS[task] / f"{part}.json").read_text(encoding="utf-8"))
    return found


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """A schema with its references followed and its `allOf` merged; the alternatives of `oneOf` are left."""
    if "$ref" in schema:
        _, _, path = schema["$ref"].rpartition("/")
        where = COMMON["definitions"] if schema["$ref"].startswith("/") else root["$defs"]
        return resolved(where[path], root)
    for part in schema.get("allOf", ()):
        schema = schema | resolved(part, root)
    return schema


def described(task: str) -> dict[str, dict[str, Any]]:
    """Inputs and parameters of a task's spec by name; those of an `inputs` object one by one."""
    root = spec(task, "input")
    found = {name: resolved(schema, root) for name, schema in root["properties"].items() if name != "parameters"}
    fields: dict[str, Any] = found["inputs"].get("properties", {}) if "inputs" in found else {}
    if fields:
        del found["inputs"]
    parameters = resolved(root["properties"].get("parameters", {}), root).get("properties", {})
    return found | {name: resolved(schema, root) for name, schema in (fields | parameters).items()}


def known(source: str) -> Iterator[tuple[str, str]]:
    """Each task with each of its arguments, as a source names them."""
    if source == "inventory":
        yield from ((row.task, row.argument) for row in INVENTORY)
    elif source == "client":
        yield from ((task, each["name"]) for task, found in METHODS.items() for each in found)
    else:
        yield from ((task, name) for task in SPECS for name in described(task))


# this project


def forms(task: str) -> list[Any]:
    """The classes behind a method."""
    value: Any = vars(Catalogue)[task]
    return [value.task, value.other] if isinstance(value, either) else [value.task]


def parameters(task: str) -> dict[str, inspect.Parameter]:
    """The parameters of a method, those of all its forms."""
    found: dict[str, inspect.Parameter] = {}
    for form in reversed(forms(task)):
        found |= dict(signature(form).parameters)
    return found


def ours(source: str, task: str, name: str) -> str | None:
    """Our name of an argument; None where NAMES leaves it out. Fails where it is missing."""
    if name in parameters(task):
        return name
    for entry in NAMES:
        if (entry.source, entry.theirs) == (source, name) and task in entry.tasks.split():
            return entry.ours
    pytest.fail(f"{task} has no {name!r}, which is in the {source}; it takes {', '.join(parameters(task))}")


BYTES = b"\0\1\2\3"
TABLE = {"city": ["Paris", "Rome"], "people": ["2.1", "2.8"]}
BASE: dict[str, Any] = {
    "text": "a [MASK]", "prompt": "a prompt", "question": "who?", "context": "me", "query": "who?", "texts": ["a", "b"],
    "sentence": "a", "image": BYTES, "audio": BYTES, "video": BYTES, "table": TABLE, "candidate_labels": ["a", "b"],
    "messages": [{"role": "user", "content": "Hi"}],
}  # fmt: skip
"""Values for what a task must be given."""
NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    ("chat_completion", "tool_choice"): {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ("translation", "src_lang"): {"tgt_lang": "b"},
    ("translation", "tgt_lang"): {"src_lang": "a"},
}
"""What goes with an argument, where it may not be alone: its meaning, not a limit."""


def required(task: str) -> dict[str, Any]:
    """The arguments that a method must be given."""
    if task in ("request", "streaming_request"):
        return {"inputs": "text"}
    if task in ("image_text_to_image", "image_text_to_video"):
        return {"prompt": "a prompt"}
    first = signature(forms(task)[0]).parameters
    found = {name: BASE[name] for name, each in first.items() if each.default is inspect.Parameter.empty}
    return found | ({"other_sentences": ["b"]} if task == "sentence_similarity" else {})


def taken(_client: Any, task: Any) -> Any:
    """In place of run and stream."""
    return task


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each of the four clients; its methods return the task that they would run or stream."""
    made = CLIENTS[request.param]()
    for name in ("run", "stream"):
        monkeypatch.setattr(made.__class__, name, taken)
    return made


def accepted(client: Any, task: str, name: str, value: Any, **along: Any) -> Any:
    """The value of a field of the task that a client makes of a call."""
    arguments = required(task) | NEEDS.get((task, name), {}) | along | {name: value}
    made: Any = getattr(client, task)(**arguments)
    assert issubclass(type(made), Task)
    return getattr(made, name)


def same(found: Any, value: Any) -> bool:
    """A field has the value that was given; media have become Media, or what will be read."""
    if isinstance(found, Media):
        return found.data == bytes(value)
    return isinstance(found, type(value)) and bool(found == value)


# tasks


def test_every_task_of_every_source_is_in_the_catalogue() -> None:
    tasks = {name for name, _ in catalogue()}
    facts = {row.task for row in INVENTORY} | METHODS.keys() | SPECS.keys()
    assert sorted(facts - vars(Catalogue).keys()) == []
    assert tasks - facts == NO_FACT.keys()


def test_every_task_is_a_method_of_every_client(client: Any) -> None:
    names = {name for name, value in vars(Catalogue).items() if isinstance(value, method | either | stream)}
    assert names >= {name for name, _ in catalogue()}
    for name in names:
        assert callable(getattr(client, name))
        assert name in dir(client)


def test_the_specs_stream_outputs_have_methods(client: Any) -> None:
    streaming = [task for task, path in SPECS.items() if (path / "stream_output.json").exists()]
    assert streaming
    assert all(callable(getattr(client, f"{task}_stream")) for task in streaming)


def test_every_name_in_the_table_is_needed() -> None:
    for entry in NAMES:
        facts = set(known(entry.source))
        for task in entry.tasks.split():
            assert (task, entry.theirs) in facts, f"no such fact any more: {entry.source} {task} {entry.theirs}"
            assert entry.theirs not in parameters(task), f"no longer needed: {entry.source} {task} {entry.theirs}"
            assert entry.ours is None or entry.ours in parameters(task)


# parameters and the types that they take


def samples(row: Row) -> Iterator[Any]:
    """A value of each type that the inventory documents for an argument."""
    fields = {each.argument: each for each in INVENTORY if each.task == row.task and each.argument != row.argument}
    words = {"aggregation_strategy": "simple", "task": "text-generation"}  # not any text: a strategy, a task's name
    values: dict[str, Any] = {
        "bytes": BYTES, "str": words.get(row.argument, "a text"), "int": 7,
        "float": 0.5, "bool": True, "any": {"anything": [1, None]}, "list[str]": ["a", "b"],
        "dict[str, list[str]]": TABLE, "InferenceTask": "text-generation",
    }  # fmt: skip
    values["dict[str, any]"] = {name: values[each.type] for name, each in fields.items() if each.type in values}
    values["list[dict[str, any]]"] = [values["dict[str, any]"]] * 2
    yield from (values[kind] for kind in row.type.split(" or "))


def along(row: Row, value: Any) -> dict[str, Any]:
    """What the inventory says that goes with an argument: lists of the same length, or nothing else of `one of`."""
    found: dict[str, Any] = dict.fromkeys(re.findall(r"same length as (\w+)", row.range), value)
    group = re.findall(r"\w+", row.default.removeprefix("one of")) if row.default.startswith("one of") else []
    return found | {other: None for other in group if other != row.argument}


def without_pair(task: str, value: Any) -> dict[str, Any]:
    """An object of sentence similarity holds the other sentences itself."""
    return {"other_sentences": None} if task == "sentence_similarity" and not isinstance(value, str) else {}


@pytest.mark.parametrize("row", INVENTORY, ids=lambda row: f"{row.task}-{row.argument}")
def test_every_argument_of_the_inventory_takes_the_documented_types(client: Any, row: Row) -> None:
    name = ours("inventory", row.task, row.argument)
    assert name is not None
    for value in samples(row):
        other = without_pair(row.task, value) if name == "sentence" else {}
        made = getattr(client, row.task)
        given = {**required(row.task), **along(row, value), **other, name: value}
        found = getattr(made(**{key: each for key, each in given.items() if each is not None}), name)
        assert same(found, value), f"{row.task}({name}={value!r}) became {found!r}"


@pytest.mark.parametrize("task", SPECS)
def test_every_argument_of_the_specs_is_there(client: Any, task: str) -> None:
    shown = inspect.signature(getattr(client, task)).parameters
    for theirs in described(task):
        name = ours("spec", task, theirs)
        assert name is None or name in shown


def present() -> list[str]:
    """The tasks of the specs, without those that are missing: another test tells of them."""
    return [task for task in SPECS if task in vars(Catalogue)]


def inputs_of_specs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for task in present():
        found = described(task)
        theirs = found.get("inputs")
        for form in theirs.get("oneOf", [theirs]) if theirs else ():
            yield task, ours("spec", task, "inputs") or "", form


@pytest.mark.parametrize(("task", "name", "schema"), [*inputs_of_specs()])
def test_every_type_of_input_of_the_specs_is_accepted(client: Any, task: str, name: str, schema: Any) -> None:
    binary = schema.get("comment") == "type=binary" or "type" not in schema
    value: Any = BYTES if binary else {"string": "a text", "array": ["a", "b"]}[schema["type"]]
    assert same(accepted(client, task, name, value), value)


def annotated(annotation: str) -> list[Any]:
    """Values of the types that an annotation of InferenceClient names; none for those of its own classes."""
    if "BinaryIO" in annotation:
        path = Path("file.bin")
        return [BYTES, bytearray(BYTES), memoryview(BYTES), path, str(path), f"{URL}/file", io.BytesIO(BYTES)]
    literal = re.search(r"Literal\[(.*?)\]", annotation)
    if literal:
        return [text.strip("' ") for text in literal[1].split(",")]
    plain: dict[str, Any] = {
        "int": 7, "float": 0.5, "bool": True, "str": "about {}", "dict": {"a": 1}, "dict[str, typing.Any]": {"a": 1},
        "list[str]": ["a", "b"], "list[float]": [0.5], "list[list[float] | str]": ["word", [0.0, 0.0, 9.0, 9.0]],
    }  # fmt: skip
    alternatives = [annotation.removesuffix(" | None")] if "list[list" in annotation else annotation.split(" | ")
    return [plain[kind] for kind in alternatives if kind in plain]


@pytest.mark.parametrize("task", METHODS)
def test_every_argument_of_inference_client_takes_its_types(client: Any, task: str) -> None:
    for each in METHODS[task]:
        name = ours("client", task, each["name"])
        for value in annotated(each["annotation"] or "") if name else ():
            value = TABLE if name == "table" else value
            found = accepted(client, task, cast(str, name), value)
            assert found is not None, f"{task}({name}={value!r})"
            reads = isinstance(value, str | Path | io.BytesIO) and name in ("image", "audio")
            assert reads or name == "word_boxes" or same(found, value)


@pytest.mark.parametrize("task", METHODS)
def test_positional_order_is_that_of_inference_client(client: Any, task: str) -> None:
    theirs = [each["name"] for each in METHODS[task] if each["kind"] == "POSITIONAL_OR_KEYWORD"]
    for form in forms(task)[:1]:
        found = signature(form).parameters.values()
        assert [each.name for each in found if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD] == theirs
    values = [required(task).get(name, "a prompt") for name in theirs]
    made = getattr(client, task)(*values)
    assert all(same(getattr(made, name), value) for name, value in zip(theirs, values, strict=True))


@pytest.mark.parametrize("task", METHODS)
def test_what_inference_client_leaves_optional_is_optional(task: str) -> None:
    for each in METHODS[task]:
        name = ours("client", task, each["name"])
        if name and each["default"] is not None and each["kind"] != "VAR_KEYWORD":
            assert name not in required(task)


# enums and ranges


def enums() -> Iterator[tuple[str, str, list[Any]]]:
    """The values that specs and inventory name."""
    for task in present():
        for theirs, schema in described(task).items():
            named = [each["const"] for each in schema.get("oneOf", ()) if "const" in each] or schema.get("enum")
            if named:
                yield task, ours("spec", task, theirs) or "", named
    for row in INVENTORY:
        if re.fullmatch(r"[a-z]+(, [a-z]+)+", row.range):
            yield row.task, row.argument, row.range.split(", ")


@pytest.mark.parametrize(("task", "name", "values"), [*enums()])
def test_every_value_of_an_enum_is_accepted_and_no_other(client: Any, task: str, name: str, values: list[Any]) -> None:
    for value in values:
        assert accepted(client, task, name, value) == value
    with pytest.raises(InputError, match=f"`{name}") as caught:
        accepted(client, task, name, "unheard-of")
    assert "unheard-of" in str(caught.value)
    assert all(str(value) in str(caught.value) for value in values if isinstance(value, str))


def ranges() -> Iterator[tuple[str, str, Any]]:
    """Values far beyond the documented ranges, and both of their ends."""
    for row in INVENTORY:
        numbers = re.match(r"(?P<low>[\d.]+) to (?P<high>[\d.]+)\b", row.range)
        if numbers and row.type in ("int", "float"):
            low, high = float(numbers["low"]), float(numbers["high"])
            kind = {"int": int, "float": float}[row.type]
            ends = (low, high) if (row.task, row.argument) in LIMITS else (low, high, high + 1, 20 * high)
            yield from ((row.task, row.argument, kind(value)) for value in ends)
        most = re.match(r"max (\d+)", row.range)
        if most:
            assert row.type == "list[str]"
            yield from ((row.task, row.argument, [f"label {n}" for n in range(int(most[1]) * k)]) for k in (1, 2, 10))


@pytest.mark.parametrize(("task", "name", "value"), [*ranges()])
def test_documented_ranges_are_never_enforced(client: Any, task: str, name: str, value: Any) -> None:
    assert accepted(client, task, name, value) == value


@pytest.mark.parametrize(("task", "name"), LIMITS)
def test_every_limit_in_the_table_is_one(client: Any, task: str, name: str) -> None:
    high = float(
        next(re.findall(r"[\d.]+", row.range)[1] for row in INVENTORY if (row.task, row.argument) == (task, name))
    )
    with pytest.raises(InputError, match=name):
        accepted(client, task, name, high + 1)


def test_the_best_known_limits_of_old_are_not_enforced(client: Any) -> None:
    assert accepted(client, "text_generation", "max_new_tokens", 4096) == 4096
    assert accepted(client, "text_generation_stream", "max_new_tokens", 4096) == 4096
    assert accepted(client, "text_generation", "max_time", 500) == 500
    labels = [f"label {number}" for number in range(20)]
    assert accepted(client, "zero_shot_classification", "candidate_labels", labels) == labels
    assert accepted(client, "zero_shot_image_classification", "candidate_labels", labels) == labels


@pytest.mark.parametrize(("task", "name"), NEEDS)
def test_what_goes_with_an_argument_is_needed(client: Any, task: str, name: str) -> None:
    along = NEEDS[task, name]
    with pytest.raises(InputError, match=next(iter(along))):
        accepted(client, task, name, "auto", **dict.fromkeys(along))


# answers


def gives(task: Any) -> Any:
    """The annotation of the answer of a task, or of the answers of its requests together."""
    kind = task.__class__
    return typing.get_type_hints(kind.joined if "joined" in vars(kind) else kind.decode)["return"]


def answer_of(client: Any, task: str) -> Any:
    """What the method of a client promises to give: the annotation of the decoding of the task that it makes."""
    return gives(getattr(client, task)(**required(task)))


def models(annotation: Any) -> list[type[pydantic.BaseModel]]:
    """The models in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in models(part)]


def promised(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The required fields of an object, those of all its alternatives."""
    found: dict[str, dict[str, Any]] = {}
    for option in [schema, *(resolved(each, root) for each in schema.get("oneOf", ()))]:
        properties = option.get("properties", {})
        found |= {name: resolved(properties.get(name, {}), root) for name in option.get("required", ())}
    return found


def missing(task: str, annotation: Any, schema: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
    """Fields that a spec promises and the answer does not have, at any depth."""
    schema = resolved(schema.get("items", schema), root)
    for name, field in promised(schema, root).items():
        owners = [model for model in models(annotation) if name in model.model_fields or hasattr(model, name)]
        if not owners and (task, name) not in SLIPS:
            yield f"{name} of {annotation}"
        for model in owners:
            inner = model.model_fields.get(name)
            if inner is not None and models(inner.annotation):
                yield from missing(task, inner.annotation, field, root)


MEDIA: dict[str, type[Media]] = {"image": Image, "audio": Audio, "video": Video}


@pytest.mark.parametrize("task", SPECS)
def test_answers_have_what_the_specs_promise(client: Any, task: str) -> None:
    root, answer = spec(task, "output"), answer_of(client, task)
    made = MEDIA.keys() & root.get("properties", {}).keys()
    if made:
        assert answer is MEDIA[made.pop()]
        return
    origin = typing.get_origin(answer) or answer
    is_list = root["type"] == "array" and task not in SINGLE
    assert issubclass(origin, list) is is_list, f"{task} gives {answer}"
    item = resolved(root.get("items", {}), root)
    if item.get("type") == "number":
        assert answer == list[float]
    elif item.get("type") != "array":
        assert models(answer)
        assert [*missing(task, answer, root, root)] == []


def test_the_tables_of_answers_are_needed() -> None:
    for task in SINGLE:
        assert spec(task, "output")["type"] == "array"
    for task, name in SLIPS:
        root = spec(task, "output")
        item = resolved(root.get("items", root), root)
        assert name in item["required"]
        assert name not in item["properties"]


def test_several_answers_come_where_several_are_asked_for(client: Any) -> None:
    asked = client.question_answering("who?", "me", top_k=2)
    single = answer_of(client, "question_answering")
    assert typing.get_args(gives(asked)) == (single,)


LISTS = sorted(
    {row.task for row in INVENTORY if " or list[" in row.type} & {n for n, _ in catalogue() if other_form(n)}
)


@pytest.mark.parametrize("task", LISTS)
def test_a_list_gives_a_list_of_what_a_single_one_gives(client: Any, task: str) -> None:
    row = next(row for row in INVENTORY if row.task == task and " or list[" in row.type)
    name = ours("inventory", task, row.argument) or ""
    answers: list[Any] = []
    for value in samples(row):
        given = required(task) | without_pair(task, value) | {name: value}
        answers.append(gives(getattr(client, task)(**{key: each for key, each in given.items() if each is not None})))
    single, several = answers
    assert typing.get_origin(several) is list
    assert typing.get_args(several) == (single,)


def test_the_facts_are_read() -> None:
    sizes = {task: len([*group]) for task, group in itertools.groupby(INVENTORY, lambda row: row.task)}
    assert len(INVENTORY) > 90
    assert sizes["text_generation"] == 12
    assert len(SPECS) == 32
    assert len(METHODS) == 29
    assert len([*enums()]) >= 10
    assert len([*ranges()]) >= 20
