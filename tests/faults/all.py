"""Every fault with each of our subjects."""

from __future__ import annotations

from tests.faults import streaming_subjects
from tests.faults.declared import FAULTS
from tests.faults.kit import pairs

MODULES = (streaming_subjects,)
"""Subjects besides those of `subjects`."""
PAIRS = pairs(FAULTS)
