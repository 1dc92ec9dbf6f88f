"""The checks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers.subjects import Subject
from tests.langchain.scripted import ScriptedServer

Check = Callable[[Subject, ScriptedServer], None]
KEY = {"api_key": "hf_test"}


@dataclass(frozen=True)
class Feature:
    """What should work, in words, and the check: it raises where it does not."""

    title: str
    check: Check


FEATURES: dict[str, Feature] = {}


def feature(title: str) -> Callable[[Check], Check]:
    """Enter a check under its function's name."""

    def enter(check: Check) -> Check:
        FEATURES[check.__name__] = Feature(title, check)
        return check

    return enter
