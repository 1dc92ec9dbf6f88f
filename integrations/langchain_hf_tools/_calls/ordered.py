"""Several calls at once, their answers in order: by threads, or by tasks of the running loop."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import aclosing, suppress
from functools import partial
from itertools import chain, islice
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
ENDLESS = sys.maxsize
TICK = 0.5
"""Seconds after which a wait for threads is begun anew: Windows lets Ctrl-C through only in between."""
PATIENCE = 0.1
"""Seconds that an awaited source may keep everybody waiting before what is there of a batch is sent."""
FOREVER = 86_400.0
"""Seconds, where there is nothing to hurry."""


def ordered(
    items: Iterator[Item], work: Callable[[Item], Made], *, at_once: int, held: int = ENDLESS,
    over: threading.Event | None = None,
) -> Generator[Made, None, None]:  # fmt: skip
    """The answers in the order of the items: `at_once` calls run at most, `held` are begun and not yet taken.

    Items are taken when there is room for them, in this thread; what is complete is given out before the next one is
    asked for. The first error of a call ends it at once; an error of `items` comes after the answers to what was begun.

    An end, be it an error, Ctrl-C or an early close, waits for nobody: nothing more is begun, `over` is set, and the
    calls that run go on in daemon threads until their own end. A single call needs no thread.
    """
    looked = [*islice(items, 2 if at_once > 1 and held == ENDLESS else 0)]
    items = chain(looked, items)
    if at_once == 1 or (held == ENDLESS and len(looked) < 2):
        yield from map(work, items)
        return
    row, threads = _Row[Made](at_once, held), _Threads(work, over or threading.Event())
    try:
        while not row.finished:
            while threads.heard or not (row.ready or row.room):
                row.add(*threads.next())
            if row.ready:
                yield row.take()
            elif found := row.following(items):
                threads.begin(row.begin(), *found)
        row.check()
    finally:
        threads.leave()


class _Row(Generic[Made]):
    """The answers by their places, and what there is room for."""

    def __init__(self, at_once: int, held: int) -> None:
        self._at_once, self._held = at_once, held
        self._begun = self._taken = 0
        self._come: dict[int, Made] = {}
        self._open, self._broken = True, list[BaseException]()

    @property
    def idle(self) -> bool:
        """All that was begun was taken."""
        return self._begun == self._taken

    @property
    def finished(self) -> bool:
        """There are no more items, and all answers were taken."""
        return self.idle and not self._open

    @property
    def room(self) -> bool:
        """Whether another call may begin."""
        held = self._begun - self._taken
        return self._open and held < self._held and held - len(self._come) < self._at_once

    @property
    def ready(self) -> bool:
        """Whether the answer whose turn it is has come."""
        return self._taken in self._come

    def following(self, items: Iterator[Item]) -> list[Item]:
        """The next item; none at the end, which may be an error that is told later."""
        try:
            return [next(items)]
        except StopIteration:
            self.end()
        except Exception as error:  # noqa: BLE001 - it is the caller's code
            self.end(error)
        return []

    def end(self, *broken: BaseException) -> None:
        """There are no more items."""
        self._open = False
        self._broken += broken

    def check(self) -> None:
        """Raise what ended the items before their time."""
        for error in self._broken:
            raise error

    def begin(self) -> int:
        """The place of a call that begins."""
        self._begun += 1
        return self._begun - 1

    def add(self, place: int, answer: Callable[[], Made]) -> None:
        """Take what came for a place; raises it where it is an error."""
        self._come[place] = answer()

    def take(self) -> Made:
        """The answer whose turn it is."""
        self._taken += 1
        return self._come.pop(self._taken - 1)


class _Threads(Generic[Item, Made]):
    """Daemon threads that work, started as they are needed; nobody waits for their end, not even the interpreter."""

    def __init__(self, work: Callable[[Item], Made], over: threading.Event) -> None:
        self._work, self._over = work, over
        self._asked = queue.SimpleQueue[tuple[int, Item, contextvars.Context] | None]()
        self._told = queue.SimpleQueue[tuple[int, Callable[[], Made]]]()
        self._busy = self._count = 0

    @property
    def heard(self) -> bool:
        """Whether a call has ended that was not taken yet."""
        return not self._told.empty()

    def begin(self, place: int, item: Item) -> None:
        """Work on an item."""
        self._asked.put((place, item, contextvars.copy_context()))
        self._busy += 1
        if self._busy > self._count:
            self._count += 1
            threading.Thread(target=self._run, name=f"hf-tools-{self._count}", daemon=True).start()

    def next(self) -> tuple[int, Callable[[], Made]]:
        """The next call that ends: its place, and what gives its answer or raises its error."""
        while True:
            with suppress(queue.Empty):
                found = self._told.get(timeout=TICK)
                self._busy -= 1
                return found

    def leave(self) -> None:
        """Let the threads end when their calls do."""
        self._over.set()
        for _ in range(self._count):
            self._asked.put(None)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None and not self._over.is_set():
            place, item, context = asked
            try:
                made = context.run(self._work, item)
            except BaseException as error:  # noqa: BLE001 - it is raised where the answers are taken
                self._told.put((place, partial(_raise, error)))
            else:
                self._told.put((place, partial(_same, made)))


def _raise(error: BaseException) -> Any:
    raise error


def _same(made: Made) -> Made:
    return made


async def aordered(
    items: AsyncGenerator[Item, None],
    work: Callable[[Item], Coroutine[Any, Any, Made]],
    *,
    at_once: int,
    held: int = ENDLESS,
    rest: Callable[[], Iterable[Item]] = tuple,
) -> AsyncGenerator[Made, None]:
    """The same with tasks: an error, a cancellation and an early close cancel what runs, and wait until it is gone.

    The items are taken by a task of their own, so that an answer is given out while they make one wait. Where nothing
    runs and no item comes, `rest` gives the item that is half there.
    """
    row = _Row[Made](at_once, held)
    tasks = _Tasks(row, items, work, rest)
    try:
        while not row.finished:
            tasks.ask()
            if row.ready and not tasks.heard:
                yield row.take()
            else:
                await tasks.next()
        row.check()
    finally:
        await tasks.leave()


class _Tasks(Generic[Item, Made]):
    """A task that takes the items, one when it is asked, and one for each call."""

    def __init__(
        self,
        row: _Row[Made],
        items: AsyncGenerator[Item, None],
        work: Callable[[Item], Coroutine[Any, Any, Made]],
        rest: Callable[[], Iterable[Item]],
    ) -> None:
        self._row, self._work, self._rest = row, work, rest
        self._told = asyncio.Queue[Callable[[], None]]()
        self._is_asked, self._asked = False, asyncio.Semaphore(0)
        self._running: set[asyncio.Task[Any]] = {asyncio.create_task(self._feed(items))}

    @property
    def heard(self) -> bool:
        """Whether something has come that was not looked at yet."""
        return not self._told.empty()

    def ask(self) -> None:
        """Let the next item be taken, if there is room for it."""
        if self._row.room and not self._is_asked:
            self._is_asked = True
            self._asked.release()

    async def next(self) -> None:
        """Look at what comes next; raises the error of a call."""
        patience = PATIENCE if self._row.idle else FOREVER
        hurry = asyncio.get_running_loop().call_later(patience, self._told.put_nowait, self._hurried)
        try:
            told = await self._told.get()
        finally:
            hurry.cancel()
        told()

    def _hurried(self) -> None:
        for item in self._rest() if self._row.idle else ():
            self._begin(item)

    def _begin(self, item: Item) -> None:
        task = asyncio.create_task(self._work(item))
        self._running.add(task)
        task.add_done_callback(partial(self._ended, self._row.begin()))

    async def leave(self) -> None:
        """Cancel what runs, and wait until it is gone."""
        left = [*self._running]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _ended(self, place: int, task: asyncio.Task[Made]) -> None:
        self._running.discard(task)
        _ = task.cancelled() or task.exception()  # it was looked at, whoever is still there to be told
        self._told.put_nowait(partial(self._row.add, place, task.result))

    def _arrived(self, item: Item) -> None:
        self._is_asked = False
        self._begin(item)

    async def _feed(self, items: AsyncGenerator[Item, None]) -> None:
        """Take the items, all in this task: what the source has open belongs to one."""
        broken = list[BaseException]()
        try:
            async with aclosing(items):
                await self._asked.acquire()
                async for item in items:
                    self._told.put_nowait(partial(self._arrived, item))
                    await self._asked.acquire()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised after what was begun
            broken.append(error)
        self._told.put_nowait(partial(self._row.end, *broken))
