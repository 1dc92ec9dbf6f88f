"""The tasks, a module for each family; a module is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hf_tools.tasks import (
        audio as audio,
    )
    from hf_tools.tasks import (
        chat as chat,
    )
    from hf_tools.tasks import (
        classification as classification,
    )
    from hf_tools.tasks import (
        conversational as conversational,
    )
    from hf_tools.tasks import (
        embedding as embedding,
    )
    from hf_tools.tasks import (
        generation as generation,
    )
    from hf_tools.tasks import (
        image as image,
    )
    from hf_tools.tasks import (
        image_generation as image_generation,
    )
    from hf_tools.tasks import (
        multimodal as multimodal,
    )
    from hf_tools.tasks import (
        question as question,
    )
    from hf_tools.tasks import (
        raw as raw,
    )
    from hf_tools.tasks import (
        speech as speech,
    )
    from hf_tools.tasks import (
        tabular as tabular,
    )
    from hf_tools.tasks import (
        text as text,
    )
    from hf_tools.tasks import (
        video as video,
    )


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"there is no family of tasks named {name!r}") from error
