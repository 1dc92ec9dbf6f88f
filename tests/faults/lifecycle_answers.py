"""Faults in embeddings (132, 133): vectors that are none, too few or too many, and a batch that is too large."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.table import Expect, each_request, fault
from tests.faults.wire import VECTOR, Script, Wire


def _data(*vectors: Any, first: int = 0) -> list[dict[str, Any]]:
    return [{"index": place, "object": "embedding", "embedding": each} for place, each in enumerate(vectors, first)]


def _answers(data: Any) -> Script:
    """A server that answers every request with this list of vectors, as JSON of Python's: NaN is written NaN."""

    def script(wire: Wire) -> None:
        wire.answer(json.dumps({"object": "list", "data": data, "model": "m"}).encode())

    return each_request(script)


WRONG: dict[str, tuple[Any, str]] = {
    "fewer vectors than texts": (_data(VECTOR), "2 inputs were sent, and the answer has embeddings of those at [0]"),
    "more vectors than texts": (_data(VECTOR, VECTOR, VECTOR), "embeddings of those at [0, 1, 2]"),
    "no vectors": ([], "2 inputs were sent, 0 answers came"),
    "vectors of several lengths": (_data(VECTOR, VECTOR[:2]), "vector 1 has 2 numbers, vector 0 has 3"),
    "an empty vector": (_data(VECTOR, []), "vector 1 has 0 numbers, vector 0 has 3"),
    "null in a vector": (_data(VECTOR, [0.25, None, 1.0]), "vector 1 holds nan or an infinite number"),
    "null in the place of a vector": (_data(VECTOR, None), "null instead of a vector at [1]"),
    "NaN": (_data(VECTOR, [0.25, float("nan"), 1.0]), "vector 1 holds nan or an infinite number"),
    "infinity": (_data(VECTOR, [0.25, float("inf"), 1.0]), "vector 1 holds nan or an infinite number"),
    "a number beyond all floats": (_data(VECTOR, [0.25, 10**400, 1.0]), "Input should be a valid number"),
    "numbers alone": ([0.25, -0.5], "data.0: Input should be a valid dictionary"),
    "an index twice": ([*_data(VECTOR), *_data(VECTOR)], "embeddings of those at [0, 0]"),
    "an index that is missing": (_data(VECTOR, VECTOR, first=3), "embeddings of those at [3, 4]"),
}
"""What the server sends, and words of the message."""

for name, (data, says) in WRONG.items():
    fault(132, name, {"embed": Expect(error="ShapeError", says=says)})(_answers(data))

fault(132, "a vector for each token", {"embed": Expect(error="InputError", says="how to pool them is not given")})(
    _answers(_data([VECTOR, VECTOR], [VECTOR]))
)
for name, vector in {"broken base64": "!!!", "words for numbers": ["a", "b", "c"]}.items():
    unreadable = Expect(error="DecodeError", says="no base64 of float32 numbers", requests=2)  # asked once more
    fault(132, name, {"embed": unreadable})(_answers(_data(VECTOR, vector)))


def _one_at_a_time(status: str, said: Any) -> Script:
    """A server that refuses more than one text; the vector of a text is its length."""

    def script(wire: Wire) -> None:
        texts = json.loads(wire.body)["input"]
        if len(texts) > 1:
            wire.answer(json.dumps(said).encode(), status=status)
        else:
            wire.answer(json.dumps({"object": "list", "data": _data([len(texts[0]), int(texts[0] == "two")])}).encode())

    return each_request(script)


HALVED = Expect(answer="[[3.0, 0.0], [3.0, 1.0]]", requests=3)
TOO_LARGE = "413 Payload Too Large"
fault(133, "a batch that is too large (413)", {"embed": HALVED})(_one_at_a_time(TOO_LARGE, {"error": "too large"}))
fault(133, "a batch of too many (422)", {"embed": HALVED})(
    _one_at_a_time("422 Unprocessable Entity", {"error": "batch size 2 > maximum allowed batch size 1"})
)


@fault(133, "a text that is too large alone", {"embed": Expect(error="InvalidRequest", says="text 0", requests=None)})
def _never(wire: Wire) -> None:
    while True:
        wire.request()
        wire.answer(b'{"error": "too large"}', status=TOO_LARGE)
