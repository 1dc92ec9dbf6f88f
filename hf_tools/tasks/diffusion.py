"""Parameters of the tasks that generate pictures and films."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import ClassVar

from hf_tools.inputs import Object, Positive
from hf_tools.task import Out, Task
from hf_tools.tasks.results import separate


class Diffuses(Task[Out]):
    """What the generation of a picture or a film may be told, whatever it starts from."""

    deadline: ClassVar[float] = 600.0

    _: KW_ONLY
    num_inference_steps: Positive | None = None
    """Steps of the diffusion: more are better and slower."""
    guidance_scale: float | None = None
    """The higher, the closer the result is to the prompt; too high costs quality."""
    seed: int | None = None
    """Makes the result repeatable where the server can."""
    extra_body: Object | None = None
    """More parameters, as the server names them."""

    @property
    def costly(self) -> bool:
        return True

    def __post_init__(self) -> None:
        separate(self.given("extra_body"), self.extra_body, "extra_body")
