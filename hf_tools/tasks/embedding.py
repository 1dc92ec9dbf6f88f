"""Texts as vectors, and how near texts are to each other: feature extraction, similarity, ranking."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast

from pydantic import AfterValidator, AliasChoices, Discriminator, Field, Tag, WithJsonSchema

from hf_tools.answer import Answer
from hf_tools.errors import ShapeError
from hf_tools.inputs import Direction, Positive, Text, TextOrTexts, Texts
from hf_tools.task import Body, Out, Reply, Route, Server, Task, only
from hf_tools.tasks.features import Features
from hf_tools.wire import Score, as_json, excerpt, inputs, many, parse, read_json

CUT = frozenset(["truncate", "truncation_direction"])


class _Embedding(Answer):
    embedding: Any
    index: int | None = None


class _OpenAi(Answer):
    data: list[_Embedding]


class _Embeddings(Answer):
    embeddings: Any


def _placed(data: list[_Embedding], count: int) -> list[Any]:
    """The embeddings of `count` texts, in the order of the texts: by their indexes, or as they came without any."""
    indexes = [each.index for each in data]
    if set(indexes) <= {None}:
        if 0 < len(data) < count:
            message = f"{count} inputs were sent, and {len(data)} embeddings came"
            raise ShapeError(f"{message}; the server did not tell which are missing")
        return many([each.embedding for each in data], count)
    by_index = {each.index: each.embedding for each in data}
    if len(data) != count or by_index.keys() != set(range(count)):
        missing = [place for place in range(count) if place not in by_index]
        message = f"{count} inputs were sent, and the answer has embeddings of those at {excerpt(indexes)}"
        raise ShapeError(message, missing=missing)
    return [by_index[place] for place in range(count)]


class FeatureExtraction(Task[Features]):
    """Turn texts into vectors: nested lists exactly as deep as the server's.

    Their depth depends on the model: sentence embeddings are one vector a text, features of plain transformers one
    vector a token. TEI and OpenAI-shaped servers give a list of vectors even for a single text. `.vectors()` of the
    answer evens this out.
    """

    name: ClassVar[str] = "feature-extraction"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "tei", "openai"])

    text: TextOrTexts
    """The text or texts."""
    _: KW_ONLY
    normalize: bool | None = None
    """Scale each vector to length 1; on hf-inference and TEI servers, whose default is true."""
    prompt_name: str | None = None
    """Put this prompt of the model's sentence-transformers configuration, such as "query", before each text; on
    hf-inference and TEI servers."""
    truncate: bool | None = None
    """Cut a text that is too long for the model; default false."""
    truncation_direction: Direction | None = None
    """The end at which a text is cut; default "right"."""
    dimensions: Positive | None = None
    """Length of the vectors, for models that can shorten them; on hf-inference, TEI and OpenAI-shaped servers."""
    encoding_format: Literal["float", "base64"] | None = None
    """How vectors travel; the answer is the same. On hf-inference and OpenAI-shaped servers."""

    def encode(self, route: Route) -> Body:
        given = self.given()
        if route.server == "openai":
            head = {"model": route.model} if route.model else {}
            given = only(self, route, given, frozenset(["dimensions", "encoding_format"]))
            return as_json({**head, "input": self.text, **given}, path="/v1/embeddings")
        if route.server == "tei":
            given = only(self, route, given, CUT | {"normalize", "prompt_name", "dimensions"})
            return inputs(route, self.text, path="/embed", root=given)
        if route.server == "toolkit":
            # its feature-extraction drops what it does not know without a word, so that must not get there
            only(self, route, given, frozenset(["truncate"]))
            return inputs(route, self.text, self.given(truncate="truncation"))
        return inputs(route, self.text, path="/pipeline/feature-extraction", root=given)

    def decode(self, reply: Reply) -> Features:
        value: Any = read_json(reply)
        texts = 1 if isinstance(self.text, str) else len(self.text)
        coded = self.encoding_format == "base64"
        if isinstance(value, dict) and "data" in value:
            value, coded = _placed(parse(_OpenAi, value).data, texts), True
        elif isinstance(value, dict):
            value = parse(_Embeddings, value).embeddings
        return Features.read(value, texts=texts, coded=coded)


def _comparison(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if set(value) != {"source_sentence", "sentences"}:
        raise ValueError(f"expected the keys `source_sentence` and `sentences`, got {sorted(map(str, value))}")
    source, sentences = value["source_sentence"], value["sentences"]
    if not isinstance(source, str) or not source.strip():
        raise ValueError("`source_sentence` must be a text that is not empty")
    texts = [*sentences] if isinstance(sentences, list | tuple) else []  # pyright: ignore[reportUnknownVariableType]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError("`sentences` must be a list of texts, at least one and none of them empty")
    return {"source_sentence": source, "sentences": texts}


def _str_or_mapping(value: Any) -> str:
    return "mapping[str]" if isinstance(value, Mapping) else "str"


Comparison: TypeAlias = Annotated[Mapping[str, Any], AfterValidator(_comparison)]
"""`{"source_sentence": ..., "sentences": [...]}`."""
Compared: TypeAlias = Annotated[
    Annotated[Text, Tag("str")] | Annotated[Comparison, Tag("mapping[str]")],
    Discriminator(_str_or_mapping),
    WithJsonSchema({"type": "string"}),
]


class _Similarities(Answer):
    similarities: Any


class SentenceSimilarityParameters(Task[Out]):
    """What a comparison of sentences may be told."""

    name: ClassVar[str] = "sentence-similarity"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "tei"])

    _: KW_ONLY
    truncate: bool | None = None
    """Cut a sentence that is too long for the model; TEI servers only."""
    truncation_direction: Direction | None = None
    """The end at which a sentence is cut; TEI servers only."""
    prompt_name: str | None = None
    """Put this prompt of the model's configuration before each sentence; TEI servers only."""


class SentenceSimilarity(SentenceSimilarityParameters[list[float]]):
    """Tell how near other sentences are to a sentence: a number for each, the nearer the higher.

    Instead of the two arguments one mapping will do, with `source_sentence` and `sentences`; a list of such mappings
    gives a list for each.
    """

    sentence: Compared
    """The sentence that the others are compared with, or a mapping that holds all of them."""
    other_sentences: Texts | None = None
    """The sentences to compare."""

    def __post_init__(self) -> None:
        if isinstance(self.sentence, str) and self.other_sentences is None:
            raise ValueError("`other_sentences` is missing")
        if not isinstance(self.sentence, str) and self.other_sentences is not None:
            raise ValueError("`other_sentences` = ...: not together with a mapping, which holds the sentences itself")

    def comparison(self) -> Mapping[str, Any]:
        """Both arguments as one mapping."""
        if isinstance(self.sentence, str):
            return {"source_sentence": self.sentence, "sentences": self.other_sentences}
        return self.sentence

    def encode(self, route: Route) -> Body:
        paths = {"hf-inference": "/pipeline/sentence-similarity", "tei": "/similarity"}
        known = CUT | {"prompt_name"} if route.server == "tei" else frozenset[str]()
        parameters = only(self, route, self.given(), known)
        return inputs(route, self.comparison(), parameters, path=paths.get(route.server, ""))

    def decode(self, reply: Reply) -> list[float]:
        value: Any = read_json(reply)
        if isinstance(value, dict):
            value = parse(_Similarities, value).similarities
        return parse(list[Score], many(value, len(self.comparison()["sentences"])))


class SentenceSimilarityBatch(SentenceSimilarityParameters[list[list[float]]]):
    """Compare several times: one request for each mapping, for no server takes a list of them."""

    sentence: Annotated[list[Comparison], Field(min_length=1)]
    """Mappings with `source_sentence` and `sentences`."""

    def single(self) -> Sequence[SentenceSimilarity]:
        return [SentenceSimilarity(each, model=self.model, **self.given()) for each in self.sentence]

    def joined(self, answers: Sequence[list[float]]) -> list[list[float]]:
        return [*answers]


class TextRankingOutput(Answer):
    """One of the texts."""

    index: int
    """Its place in the list that was given, from 0."""
    score: Annotated[Score, Field(validation_alias=AliasChoices("score", "relevance_score"))]
    """How well it fits the query, the higher the better; its range depends on the model."""
    text: str | None = None
    """The text itself, if `return_documents` asked for it."""


class TextRanking(Task[list[TextRankingOutput]]):
    """Order texts by how well they fit a query, the best first."""

    name: ClassVar[str] = "text-ranking"
    servers: ClassVar[frozenset[Server]] = frozenset(["toolkit", "tei", "openai"])
    remote: ClassVar[tuple[str, ...]] = ()

    query: Text
    """What is looked for."""
    texts: Texts
    """The texts to order."""
    _: KW_ONLY
    top_n: Positive | None = None
    """Give only the best, this many."""
    return_documents: bool | None = None
    """Give the texts as well, not only their places; TEI servers call it `return_text`."""
    raw_scores: bool | None = None
    """Give the model's outputs as they are; TEI servers only."""
    truncate: bool | None = None
    """Cut a text that is too long for the model; TEI servers only."""
    truncation_direction: Direction | None = None
    """The end at which a text is cut; TEI servers only."""

    def encode(self, route: Route) -> Body:
        # `decode` cuts to `top_n` and adds the texts, so that every server can carry these two
        known = CUT | {"raw_scores"} if route.server == "tei" else frozenset[str]()
        given = only(self, route, self.given("top_n", "return_documents"), known)
        if route.server == "openai":
            head = {"model": route.model} if route.model else {}
            top = self.given("return_documents")
            return as_json({**head, "query": self.query, "documents": self.texts, **top}, path="/v1/rerank")
        texts = {"query": self.query, "texts": self.texts}
        if route.server == "tei":
            return as_json(texts | given | self._asked("return_text"), path="/rerank")
        return inputs(route, texts | self._asked("return_documents"))

    def _asked(self, name: str) -> dict[str, bool]:
        return {} if self.return_documents is None else {name: self.return_documents}

    def decode(self, reply: Reply) -> list[TextRankingOutput]:
        ranked = parse(list[TextRankingOutput], self._items(read_json(reply)))
        places = [each.index for each in ranked]
        if len(set(places)) != len(places) or not set(places) <= set(range(len(self.texts))):
            raise ShapeError(f"{len(self.texts)} texts were sent, and the answer is about those at {excerpt(places)}")
        best = sorted(ranked, key=lambda each: (math.isnan(each.score), -each.score))[: self.top_n]
        texts = self.texts if self.return_documents else [None] * len(self.texts)
        return [each.model_copy(update={"text": texts[each.index]}) for each in best]

    def _items(self, value: Any) -> Any:
        """A list of objects; scores alone are in the order of the texts."""
        if isinstance(value, dict):
            found = cast(dict[str, Any], value)
            value = found.get("results", found.get("scores", found))
        if isinstance(value, int | float):
            value = [value]
        if isinstance(value, list) and not any(isinstance(each, dict) for each in value):  # pyright: ignore[reportUnknownVariableType]
            return [{"index": place, "score": score} for place, score in enumerate(many(value, len(self.texts)))]
        return value  # pyright: ignore[reportUnknownVariableType]
