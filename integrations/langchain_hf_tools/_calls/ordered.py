"""Several calls at once, their answers in order: by threads, or by tasks of the running loop."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
ENDLESS = sys.maxsize


def ordered(
    items: Iterator[Item], work: Callable[[Item], Made], *, at_once: int, held: int = ENDLESS
) -> Generator[Made, None, None]:
    """The answers in the order of the items: `at_once` calls run at most, `held` are begun and not yet taken.

    Items are taken when there is room for them, in this thread. The first error ends it: nothing more is begun, and
    what runs is waited for, as it is when the generator is closed early. The threads are its own, so that it may be
    used in a thread of any other pool; a single call needs none.
    """
    first = [*islice(items, 2 if at_once > 1 else 0)]
    if len(first) < 2:
        yield from map(work, chain(first, items))
        return
    items = chain(first, items)
    begun, running = deque[Future[Made]](), set[Future[Made]]()
    with ThreadPoolExecutor(at_once, "hf-tools") as pool:
        while True:
            for item in islice(items, min(at_once - len(running), held - len(begun))):
                begun.append(pool.submit(contextvars.copy_context().run, work, item))
                running.add(begun[-1])
            if not begun:
                return
            running = {*wait(running, return_when=FIRST_COMPLETED).not_done}
            _refuse_failed(begun)
            while begun and begun[0].done():
                yield begun.popleft().result()


async def aordered(
    items: AsyncIterator[Item], work: Callable[[Item], Coroutine[Any, Any, Made]], *, at_once: int, held: int = ENDLESS
) -> AsyncGenerator[Made, None]:
    """The same with tasks: an error, a cancellation and an early close cancel what runs, and wait until it is gone."""
    begun, running = deque[asyncio.Task[Made]](), set[asyncio.Task[Made]]()
    try:
        while True:
            for _ in range(min(at_once - len(running), held - len(begun))):
                async for item in items:
                    begun.append(asyncio.create_task(work(item)))
                    running.add(begun[-1])
                    break
            if not begun:
                return
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            _refuse_failed(begun)
            while begun and begun[0].done():
                yield begun.popleft().result()
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


def _refuse_failed(begun: deque[Any]) -> None:
    """Raise the error of the first call that failed."""
    for call in begun:
        if call.done() and call.exception() is not None:
            call.result()
