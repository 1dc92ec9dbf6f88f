"""The faults without the subjects: importing the modules where they are declared fills the table."""

from __future__ import annotations

from tests.faults import bodies, lifecycle_answers, reaching, statuses, streaming, streaming_calls, streaming_time
from tests.faults.table import TABLE

MODULES = (reaching, bodies, statuses, streaming, streaming_calls, streaming_time, lifecycle_answers)
"""Where the faults are declared; none of them imports a client."""
FAULTS = TABLE.faults
