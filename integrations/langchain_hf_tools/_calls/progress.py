"""How far a long call is, told to a bar or to a function of the caller."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from hf_tools.errors import MissingExtra

Hook = Callable[[int, int | None], None]
logger = logging.getLogger("langchain_hf_tools")


class Progress:
    """Counts what is done for a hook; a hook that fails is logged once and not called again."""

    def __init__(self, hook: Hook | None, total: int | None) -> None:
        self._hook, self._total, self._done = hook, total, 0

    def more(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._hook is None:
            return
        try:
            self._hook(self._done, self._total)
        except Exception:
            self._hook = None
            logger.warning("the progress hook failed and is not called again in this call", exc_info=True)


@contextmanager
def progress(show: bool | Hook, total: int | None) -> Generator[Progress]:
    """The progress of a call over `total` texts, None where nobody knows; MissingExtra where a bar needs tqdm."""
    if not isinstance(show, bool):
        yield Progress(show, total)
    elif not show:
        yield Progress(None, total)
    else:
        with _tqdm()(total=total, unit="text") as bar:
            yield Progress(lambda done, _: bar.update(done - bar.n), total)


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("`show_progress` = True needs tqdm: pip install tqdm") from error
    return tqdm
