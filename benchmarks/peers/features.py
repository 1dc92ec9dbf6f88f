"""All checks, in the order of the table."""

from __future__ import annotations

from benchmarks.peers import answered, running, sent
from benchmarks.peers.registry import FEATURES, Feature

TOPICS = (sent, answered, running)
"""Modules whose checks are entered when they are imported."""

__all__ = ["FEATURES", "TOPICS", "Feature"]
