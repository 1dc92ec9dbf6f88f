"""Parameters of the tasks that write texts in the old Inference API's way."""

from __future__ import annotations

from dataclasses import KW_ONLY

from hf_tools.inputs import Fraction, NotNegativeFloat, Positive, TopK, ordered
from hf_tools.task import Out, Task


class WritesText(Task[Out]):
    """The seven parameters with which the old Inference API wrote texts."""

    _: KW_ONLY
    min_length: Positive | None = None
    """Fewest tokens that are written; the old API took 1 to 500."""
    max_length: Positive | None = None
    """Most tokens that are written; the old API took 1 to 500."""
    top_k: TopK | None = None
    """Sample among this many of the likeliest tokens only."""
    top_p: Fraction | None = None
    """Sample among the likeliest tokens that together have this probability."""
    temperature: NotNegativeFloat | None = None
    """Spread of the sampling; the old API took 0 to 100, default 1.0."""
    repetition_penalty: NotNegativeFloat | None = None
    """The more a token was used, the less likely it is again; the old API took 0 to 100."""
    max_time: NotNegativeFloat | None = None
    """Soft limit in seconds for the model itself; the old API took 0 to 120."""

    def __post_init__(self) -> None:
        ordered(self.min_length, self.max_length, ("min_length", "max_length"))
