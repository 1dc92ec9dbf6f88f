"""The published JSON Schemas of the tasks, from end to end: what they allow is written, what they promise is read.

Instances are generated from the schemas: a minimal one (required fields only) and full ones (every field; one for each
alternative of `oneOf` and each value of an enum). Each is checked with jsonschema, then sent or answered on all four
clients. What deviates stands in the tables below, with its reason; an entry that is not needed fails.
"""

import base64
import functools
import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx
import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT7

from hf_tools import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint
from hf_tools.catalogue import catalogue, other_form
from hf_tools.errors import InputError
from hf_tools.loose import items, table
from hf_tools.media import Media
from hf_tools.methods import signature
from hf_tools.task import Reply, Route, Server, Streamed, Task
from tests import hub

FACTS = Path(__file__).parent / "facts" / "specs"
SPECS = sorted(path.name for path in FACTS.iterdir() if path.is_dir())
URL = "https://server.invalid"
PICTURE = b"\x89PNG\r\n\x1a\n the rest of a picture"
SOUND = b"RIFF\x24\0\0\0WAVEfmt the rest of a sound"
FILM = b"\0\0\0\x18ftypmp42 the rest of a film"


# what deviates


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


VALUES: dict[str, tuple[Any, str]] = {
    "image": (_base64(PICTURE), "media have no type in the schemas; servers send base64"),
    "mask": (_base64(PICTURE), "a string in the schema, which its description says to be base64"),
    "depth": (_base64(PICTURE), "media have no type in the schemas; servers send base64"),
    "audio": (_base64(SOUND), "media have no type in the schemas; servers send base64"),
    "video": (_base64(FILM), "media have no type in the schemas; servers send base64"),
    "predicted_depth": ([[0.5, 1.5], [2.5, 3.5]], "no type in the schema; servers send rows of numbers"),
    "sampling_rate": (16000, "any number in the schema; a rate is some kilohertz"),
    "hypothesis_template": ("about {}", "any string in the schema; servers need the place of the label"),
    "aggregation_strategy": ("first", "an arbitrary string would be none of the constants"),
    "word_boxes": (["word", [1.0, 2.0, 3.0, 4.0]], "words and boxes take turns, which the schema cannot say"),
}
"""Values by the name of the property, where the schema allows more than makes sense."""

SLIPS = {
    ("fill-mask", "tokenStr"): "token_str",
    ("image-to-text", "generatedText"): "generated_text",
}
"""Slips of the specs: required in camelCase, described (and sent) in snake_case."""

EMPTY = {
    "depth-estimation": "nothing is required, but an answer with neither picture nor numbers is none",
    "image-to-image": "nothing is required, but an answer without the picture is none",
}
"""Specs whose minimal answer is an empty object."""

SINGLE = {
    "question-answering": "a list, of which one question without top_k gets the first",
    "table-question-answering": "a list, of which one question gets the only one",
}
"""Specs that promise a list where the answer here is a single one."""

WORDS = {
    "word_boxes": [["word", [1.0, 2.0, 3.0, 4.0]]],  # InferenceClient's form becomes the pairs that servers read
}
"""Parameters that arrive in another form."""

ROUTES: dict[tuple[str, str], tuple[Server, str]] = {
    ("text-to-audio", "generation_parameters"): ("toolkit", "hf-inference takes them flat"),
    ("text-to-speech", "generation_parameters"): ("toolkit", "hf-inference takes them flat"),
}
"""Parameters that arrive under the spec's name elsewhere than at the first route of the task."""

ALONG: dict[tuple[str, str], dict[str, Any]] = {
    ("translation", "src_lang"): {"tgt_lang": "b"},
    ("translation", "tgt_lang"): {"src_lang": "a"},
    ("chat-completion", "tool_choice"): {"tools": [{"type": "function", "function": {"name": "f"}}]},
}
"""Parameters that may not be alone."""

INPUTS = {"inputs", "messages"}
"""Properties of a request that are no parameters."""
ELSEWHERE = {
    "model": "the route's: the URL holds it, or the client writes it",
    "stream": "a method of its own, which sets it",
}
"""Properties of a request that no parameter of the task writes."""


# schemas and their instances


@functools.cache
def schema_of(task: str, part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FACTS / task / f"{part}.json").read_text(encoding="utf-8"))
    return found


COMMON: dict[str, Any] = json.loads((FACTS / "common-definitions.json").read_text(encoding="utf-8"))
_NAME = "/inference/schemas/common-definitions.json"
REGISTRY = referencing.Registry[Any]().with_resource(_NAME, referencing.Resource.from_contents(COMMON, DRAFT7))


def check(schema: dict[str, Any], root: dict[str, Any], value: Any) -> None:
    """Raise unless the value is an instance of the schema, whose references belong to `root`."""
    whole = {"$defs": root.get("$defs", {}), **{name: rule for name, rule in schema.items() if name != "$id"}}
    validator: Any = jsonschema.Draft7Validator(whole, registry=REGISTRY)
    validator.validate(value)


class Maker(NamedTuple):
    """Makes instances: with every property or the required ones only; `choice` picks among alternatives."""

    root: dict[str, Any]
    full: bool = True
    choice: int = 0

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema without references, `allOf` and `oneOf`."""
        schema = dict(schema)
        if "$ref" in schema:
            where, name = schema.pop("$ref").rpartition("/")[::2]
            definitions: dict[str, Any] = COMMON["definitions"] if where.startswith("/") else self.root["$defs"]
            return schema | self.resolved(definitions[name])
        parts = [self.resolved(part) for part in schema.pop("allOf", ())]
        for name in ("oneOf", "anyOf"):
            if name in schema:
                options: list[dict[str, Any]] = schema.pop(name)
                parts.append(self.resolved(options[self.choice % len(options)]))
        for part in parts:
            properties = schema.get("properties", {}) | part.get("properties", {})
            needed = [*schema.get("required", ()), *part.get("required", ())]
            schema |= part | {"properties": properties, "required": needed}
        return schema

    def value(self, schema: dict[str, Any], name: str = "value") -> Any:
        """An instance of a schema; `name` is the property that it stands in."""
        known = VALUES.get(name)
        schema = self.resolved(schema)
        if known and "const" not in schema:
            return known[0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][self.choice % len(schema["enum"])]
        kind = schema.get("type", "object" if "properties" in schema else "any")
        makers: dict[str, Callable[[dict[str, Any], str], Any]] = {
            "object": self._object, "array": self._array, "string": lambda _, name: f"some {name}",
            "integer": lambda _, name: 3 + self.choice, "number": lambda _, name: 0.25 + self.choice / 4,
            "boolean": lambda _, name: self.choice % 2 == 0, "any": lambda _, name: {"any": [1, None, "value"]},
        }  # fmt: skip
        return makers[kind](schema, name)

    def _object(self, schema: dict[str, Any], _name: str) -> dict[str, Any]:
        properties: dict[str, Any] = schema.get("properties", {})
        needed: list[str] = schema.get("required", [])
        if "additionalProperties" in schema:
            properties, needed = {"some column": schema["additionalProperties"]}, ["some column"]
        chosen = [name for name in properties if self.full or name in needed]
        slips = [name for name in needed if name not in properties]
        made = {name: self.value(properties[name], name) for name in chosen}
        return made | {name: f"some {name}" for name in slips}

    def _array(self, schema: dict[str, Any], name: str) -> list[Any]:
        most: int = schema.get("maxItems", schema.get("maxLength", 2))  # some specs say the length of a list so
        least: int = schema.get("minItems", schema.get("minLength", 1))
        count = most if self.full else max(least, 1)
        return [self.value(schema.get("items", {}), name) for _ in range(min(count, 4))]


def parts(value: Any) -> list[Any]:
    """What is in an object or a list."""
    return [*table(value).values(), *items(value)]


def choices(schema: Any, root: dict[str, Any]) -> int:
    """The most alternatives or values of an enum in a schema and what it refers to."""
    text = json.dumps([schema, root.get("$defs", {}) if "$ref" in json.dumps(schema) else {}])
    found = [1]

    def look(value: Any) -> None:
        for each in parts(value):
            look(each)
        found.extend(len(items(rule)) for name, rule in table(value).items() if name in ("oneOf", "anyOf", "enum"))

    look(json.loads(text))
    if "ClassificationOutputTransform" in text:
        look(COMMON)
    return max(found)


def instances(schema: dict[str, Any], root: dict[str, Any], name: str = "value") -> list[Any]:
    """The minimal instance and the full ones, each once, each checked with jsonschema."""
    makers = [Maker(root, full=False), *(Maker(root, choice=number) for number in range(choices(schema, root)))]
    made: list[Any] = []
    for maker in makers:
        value = maker.value(schema, name)
        check(schema, root, value)
        if value not in made:
            made.append(value)
    return made


# tasks


TASKS: dict[str, tuple[str, Any]] = {task.name: (method, task) for method, task in catalogue()}
BASE: dict[str, Any] = {
    "text": "a [MASK]", "prompt": "a prompt", "question": "who?", "context": "me", "query": "who?",
    "sentence": "a", "other_sentences": ["b", "c"], "image": PICTURE, "audio": SOUND, "video": FILM,
    "table": {"city": ["Paris", "Rome"]}, "candidate_labels": ["a", "b"],
    "messages": [{"role": "user", "content": "Hi"}],
}  # fmt: skip


def names(form: Any) -> list[str]:
    return list(signature(form).parameters)


def made(task: str, **given: Any) -> Task[Any]:
    """The task with what it must be given and some parameters, in the form that takes them."""
    method, form = TASKS[task]
    several: Any = other_form(method)
    if several is not None and not given.keys() <= set(names(form)):
        form = several
    needed = {
        name: BASE[name]
        for name, each in signature(form).parameters.items()
        if each.default is inspect.Parameter.empty and name not in given
    }
    if task == "sentence-similarity" and "other_sentences" not in given:
        needed["other_sentences"] = BASE["other_sentences"]
    if task in ("image-text-to-image", "image-text-to-video") and "image" not in given:
        needed["image"] = PICTURE
    asked: Task[Any] = form(**needed, **given)
    return asked


ORDER: tuple[Server, ...] = ("router", "hf-inference", "toolkit")


def first_route(task: Any) -> Server:
    return next(server for server in ORDER if server in task.servers)


def test_every_spec_has_a_task() -> None:
    assert [task for task in SPECS if task not in TASKS] == []
    assert len(SPECS) == 32


# what is written


def parameters() -> Iterator[tuple[str, str]]:
    for task in SPECS:
        root = schema_of(task, "input")
        holder = Maker(root).resolved(root["properties"].get("parameters", root))
        yield from ((task, name) for name in holder["properties"] if name not in INPUTS | ELSEWHERE.keys())


@pytest.mark.parametrize(("task", "name"), [*parameters()])
def test_every_parameter_arrives_under_the_name_of_the_spec(task: str, name: str) -> None:
    root = schema_of(task, "input")
    flat = "parameters" not in root["properties"]
    holder = root if flat else Maker(root).resolved(root["properties"]["parameters"])
    for value in instances(holder["properties"][name], root, name):
        if value == {}:
            continue  # it asks for nothing
        asked = made(task, **ALONG.get((task, name), {}), **{name: value})
        server = ROUTES.get((task, name), (first_route(type(asked)), ""))[0]
        body = json.loads(asked.encode(Route(server, URL)).content)
        found = body if flat else body["parameters"]
        assert found[name] == WORDS.get(name, value)
        others = {"inputs", "messages", "candidate_labels", "aggregation_strategy", *ALONG.get((task, name), {}), name}
        assert found.keys() <= others


@pytest.mark.parametrize(("task", "name"), ROUTES)
def test_every_entry_of_the_routes_is_needed(task: str, name: str) -> None:
    value = {"num_beams": 3}
    asked = made(task, **{name: value})
    body = json.loads(asked.encode(Route(first_route(type(asked)), URL)).content)
    assert body["parameters"] == value


def test_the_other_tables_are_needed() -> None:
    every = {name for task in SPECS for part in ("input", "output") for name in properties(schema_of(task, part))}
    assert VALUES.keys() <= every
    assert WORDS.keys() | ELSEWHERE.keys() | INPUTS <= every
    assert ALONG.keys() <= {*parameters()}
    for (task, name), along in ALONG.items():
        with pytest.raises(InputError, match=next(iter(along))):
            made(task, **{name: "auto"})
    for task, name in SLIPS:
        root = schema_of(task, "output")
        holder = root.get("items", root)
        assert name in holder["required"]
        assert name not in holder["properties"]
    for task in EMPTY:
        assert "required" not in schema_of(task, "output")
    for task in SINGLE:
        assert schema_of(task, "output")["type"] == "array"


def properties(value: Any) -> Iterator[str]:
    """The names of all properties in a schema."""
    for each in parts(value):
        yield from properties(each)
    yield from table(table(value).get("properties"))


# what is read


def outputs() -> Iterator[tuple[str, Any]]:
    for task in SPECS:
        root = schema_of(task, "output")
        schema = {**root, "maxItems": 1} if task == "table-question-answering" else root
        for instance in instances(schema, root):
            if not (task in EMPTY and instance == {}):
                yield task, instance


def equal(answer: Any, instance: Any, task: str) -> None:
    """The answer has the instance's fields as attributes, with equal values, at any depth."""
    if isinstance(answer, Media):
        assert answer.data == base64.b64decode(instance)
    elif isinstance(instance, dict) and not isinstance(answer, dict):
        for name, value in table(cast(object, instance)).items():
            slip = SLIPS.get((task, name))
            if slip and slip in instance:
                continue  # the name that is described goes first
            if slip == "token_str":
                assert answer.tokenStr == value  # read as an unknown field: no server sends it
                continue
            equal(getattr(answer, slip or name), value, task)
    elif isinstance(instance, list):
        found, expected = [*cast(list[Any], answer)], items(cast(object, instance))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            equal(one, other, task)
    else:
        assert answer == instance


def matches(answer: Any, instance: Any, task: str) -> None:
    """The same for a whole answer: media that are all of an answer, and a single answer out of a list."""
    if isinstance(answer, Media):
        value = instance[answer.kind]
        assert answer.data == base64.b64decode(value)
        assert getattr(answer, "sampling_rate", None) == instance.get("sampling_rate")
    else:
        equal(answer, instance[0] if task in SINGLE else instance, task)


@pytest.mark.parametrize(("task", "instance"), [*outputs()])
def test_every_promised_field_is_read(task: str, instance: Any) -> None:
    reply = Reply(200, {"content-type": "application/json"}, json.dumps(instance).encode())
    sentences = {"other_sentences": ["some"] * len(instance)} if task == "sentence-similarity" else {}
    matches(made(task, **sentences).decode(reply), instance, task)


@pytest.mark.parametrize(
    "instance", instances(schema_of("question-answering", "output"), schema_of("question-answering", "output"))
)
def test_every_answer_is_read_where_several_are_asked_for(instance: Any) -> None:
    answers = made("question-answering", top_k=5).decode(Reply(200, content=json.dumps(instance).encode()))
    equal(answers, instance, "")


def answering(content: bytes, kind: str = "application/json") -> Callable[[httpx.Request], httpx.Response]:
    """A server that answers every POST; of what it is, it tells nothing."""

    def handle(request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        if request.method == "GET":
            return httpx.Response(404)
        return httpx.Response(200, headers={"content-type": kind}, content=content)

    return handle


CLIENTS = ("HfInference", "AsyncHfInference", "HfInferenceEndpoint", "AsyncHfInferenceEndpoint")


def client(name: str, task: Any, handler: Any) -> Any:
    """A client whose server speaks a form that can carry the task."""
    found = first_route(task)
    server: Server = "openai" if found == "router" else "toolkit"
    url = URL + "/v1" if server == "openai" else URL
    transport = httpx.MockTransport(handler)
    base_url = None if found != "toolkit" else url
    if name == "HfInference":
        return HfInference(False, base_url=base_url, http_client=httpx.Client(transport=transport))
    if name == "AsyncHfInference":
        return AsyncHfInference(False, base_url=base_url, http_client=httpx.AsyncClient(transport=transport))
    if name == "HfInferenceEndpoint":
        return HfInferenceEndpoint(URL, server=server, http_client=httpx.Client(transport=transport))
    return AsyncHfInferenceEndpoint(URL, server=server, http_client=httpx.AsyncClient(transport=transport))


def arguments(task: str, name: str) -> dict[str, Any]:
    """What the method of a client is called with."""
    asked = made(task)
    given = {key: getattr(asked, key) for key in names(type(asked)) if getattr(asked, key) is not None}
    if task == "video-classification" and "Endpoint" in name:
        given["video"] = f"{URL}/film.mp4"  # toolkit endpoints take a URL only
    at_endpoint = "Endpoint" in name or first_route(type(asked)) == "toolkit"
    return given | ({} if at_endpoint else {"model": "org/model"})


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("task", SPECS)
async def test_every_client_gives_the_promised_answer(task: str, name: str) -> None:
    instance = [each for which, each in outputs() if which == task][-1]
    method, form = TASKS[task]
    hf = client(name, form, answering(json.dumps(instance).encode()))
    answer = getattr(hf, method)(**arguments(task, name))
    if inspect.isawaitable(answer):
        answer = await answer
    matches(answer, instance, task)
    closed = hf.close()
    if inspect.isawaitable(closed):
        await closed


# streams


def events(task: str) -> list[Any]:
    """The instances of the stream's schema, the full ones at the end; the index of the only choice is 0."""
    root = schema_of(task, "stream_output")
    found = instances(root, root)
    for number, instance in enumerate(found):
        instance["index"] = number
        for choice in instance.get("choices", ()):
            choice["index"] = 0
        check(root, root, instance)
    return found


def text_of(instance: Any) -> str:
    if "token" in instance:
        return "" if instance["token"]["special"] else instance["token"]["text"]
    return "".join(choice["delta"].get("content", "") for choice in instance["choices"])


STREAMING = [task for task in SPECS if (FACTS / task / "stream_output.json").exists()]


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("task", STREAMING)
async def test_every_event_of_a_stream_is_read(task: str, name: str) -> None:
    method, form = TASKS[task]
    assert issubclass(form, Streamed)
    instances = events(task)
    content = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in instances) + b"data: [DONE]\n\n"
    hf = client(name, form, answering(content, "text/event-stream"))
    server: dict[str, Any] = {}
    stream = getattr(hf.endpoint(URL, server="tgi"), f"{method}_stream")(**arguments(task, "Endpoint"), **server)
    parts: list[Any] = [part async for part in stream] if hasattr(stream, "__aiter__") else list(stream)
    raws = [part.raw for part in parts]
    assert [each for number, each in enumerate(raws) if each not in raws[:number]] == instances
    assert "".join(part.text for part in parts) == "".join(map(text_of, instances))
    streamed_fields(task, parts, instances, stream)


def streamed_fields(task: str, parts: list[Any], instances: list[Any], stream: Any) -> None:
    """What a stream promises beside its text."""
    last = instances[-1]
    if task == "text-generation":
        assert [part.token for part in parts] == [each["token"] for each in instances]
        assert parts[-1].details == last["details"]
        assert parts[-1].finish_reason == last["details"]["finish_reason"]
        assert stream.final.generated_text == parts[-1].generated_text == last["generated_text"]
        equal(stream.final.details, last["details"], task)
        return
    assert parts[-1].finish_reason == last["choices"][0]["finish_reason"]
    assert parts[-1].usage == stream.usage == last["usage"]
    calls = [
        call["function"]
        for each in instances
        for choice in each["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert calls
    assert [(call.name, call.arguments) for part in parts for call in part.tool_calls] == [
        (call.get("name"), call["arguments"]) for call in calls
    ]
    for name in ("id", "model", "created", "system_fingerprint"):
        assert getattr(stream.final, name) == last[name]
    equal(stream.final.usage, last["usage"], task)
    assert stream.final.text == "".join(map(text_of, instances))


# the generator itself


def test_instances_are_minimal_and_full() -> None:
    root = {
        "type": "object",
        "required": ["a", "slipName"],
        "properties": {
            "a": {"$ref": "#/$defs/A"},
            "b": {"type": "array", "items": {"type": "number"}, "minLength": 3, "maxLength": 3},
            "c": {"allOf": [{"$ref": "#/$defs/C"}]},
        },
        "$defs": {"A": {"oneOf": [{"const": 1}, {"enum": [2, 3]}]}, "C": {"type": "boolean"}},
    }
    assert instances(root, root) == [
        {"a": 1, "slipName": "some slipName"},
        {"a": 1, "b": [0.25] * 3, "c": True, "slipName": "some slipName"},
        {"a": 3, "b": [0.5] * 3, "c": False, "slipName": "some slipName"},
    ]


def test_an_instance_of_another_schema_is_refused() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check({"type": "integer"}, {}, "text")


def test_enough_is_generated() -> None:
    assert len([*parameters()]) > 100
    assert len([*outputs()]) > 50
    assert all(len(events(task)) >= 3 for task in STREAMING)
    assert STREAMING == ["chat-completion", "text-generation"]
