"""Search texts with the embedded backend: embed them once, then compare them with each question."""

from hf_tools import HfInference
from hf_tools.errors import LocalBackendError

TEXTS = [
    "The library is open from ten to six, on Saturdays until two.",
    "Books may be kept for four weeks.",
    "A card costs nothing for children.",
]

with HfInference(provider="local") as hf:
    vectors = hf.feature_extraction(TEXTS).vectors()
    for question in ["When can I come?", "How long may I keep a novel?"]:
        (asked,) = hf.feature_extraction([question]).vectors()
        scores = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in vectors]
        print(f"{question} -> {TEXTS[scores.index(max(scores))]}")

    try:
        hf.translation("Guten Morgen")
    except LocalBackendError as error:  # it has seven of the tasks, and says who serves the others
        print(error)
