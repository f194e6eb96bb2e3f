"""One thread with a plain asyncio loop, for all stores whose library is asyncio.

A store takes a share of it with `LoopThread()`; the thread starts with the first share and ends
with the last. From any other thread, `call` runs a coroutine there and waits for it; bodies are
handed over through `stores.loop_streams`.

Promises: when `call` returns or raises, its coroutine has ended, or was cancelled and has had
`GRACE` seconds to tidy up; whatever stops the caller (an exception, Ctrl-C, the time limit) stops
the coroutine. What a coroutine raises reaches the caller as it is: the client's edge translates it.

A time limit is one without progress: a coroutine that moves bytes says so (`moved`), and its limit
begins anew. So a large body may take hours, and a line that hangs costs a minute.

This module imports asyncio, so it is imported only when such a store is opened.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextvars import ContextVar
from threading import Event, Lock, Thread, get_ident
from typing import Any, Generic, TypeVar

from firnline.stores.errors import UnavailableError

GRACE = 10.0
"""Seconds that a cancelled coroutine has to tidy up."""
_CLOSED = "the connection was closed"
_Result = TypeVar("_Result")


def _is_news(record: logging.LogRecord) -> bool:
    """asyncio warns of each piece that a library still sends over a connection that just broke;
    that it broke is told by the call that needed it."""
    return record.getMessage() != "socket.send() raised exception."


class _Running:
    """The thread and its loop."""

    def __init__(self) -> None:
        logging.getLogger("asyncio").addFilter(_is_news)
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self._run, name="firnline-network", daemon=True)
        try:
            self.thread.start()
        except RuntimeError as error:
            self.loop.close()
            raise UnavailableError("", str(error)) from error

    def _run(self) -> None:
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(_end_all())
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(GRACE)


async def _end_all() -> None:
    """Cancel what still runs and let it tidy up."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=GRACE / 2)


class _Shares:
    """Who uses the one thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._running: _Running | None = None

    def take(self) -> _Running:
        with self._lock:
            if self._running is None:
                self._running = _Running()
            self._count += 1
            return self._running

    def give_back(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0 and self._running is not None:
                running, self._running = self._running, None
                running.end()


_shares = _Shares()


class _Limit:
    """The time limit of one coroutine, and of the tasks that it starts."""

    def __init__(self, seconds: float | None, timeout: asyncio.Timeout) -> None:
        self._seconds = seconds
        self._timeout: asyncio.Timeout | None = timeout
        self.has_moved = False
        """Since somebody looked last."""
        self._moved_at = asyncio.get_running_loop().time()

    def moved(self) -> None:
        self.has_moved = True
        now = asyncio.get_running_loop().time()
        if self._seconds is None or self._timeout is None:
            return
        if now - self._moved_at < min(_OFTEN, self._seconds / 4):
            return
        self._moved_at = now
        try:
            self._timeout.reschedule(now + self._seconds)
        except RuntimeError:  # it has ended, and what it started goes on
            return

    def end(self) -> None:
        """The task's context holds this, and the timeout the task: only the collector of rings
        would free what the task returned, and megabytes of bodies would wait for it."""
        self._timeout = None


_OFTEN = 0.5
"""Seconds between two changes of a limit, at least."""
_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


def moved() -> None:
    """For coroutines: bytes have arrived, here or there."""
    found = _limit.get()
    if found is not None:
        found.moved()


class Job(Generic[_Result]):
    """A coroutine that runs on the loop, as another thread sees it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, _Result],
        seconds: float | None,
    ) -> None:
        """Raises RuntimeError when the loop has ended."""
        self._loop = loop
        self._work = work
        self._seconds = seconds
        self._task: asyncio.Task[_Result] | None = None
        self._ended = Event()
        self._results: list[_Result] = []
        self._error: BaseException | None = None
        self._limit: _Limit | None = None
        loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._limited())
        self._task.add_done_callback(self._take_result)

    async def _limited(self) -> _Result:
        timeout = asyncio.timeout(self._seconds)
        limit = self._limit = _Limit(self._seconds, timeout)
        _limit.set(limit)
        try:
            async with timeout:
                return await self._work
        except TimeoutError:
            if self._seconds is not None and timeout.expired():
                raise late(self._seconds) from None
            raise
        finally:
            limit.end()

    def _take_result(self, task: asyncio.Task[_Result]) -> None:
        self._work.close()  # where it was cancelled before it began
        if task.cancelled():
            self._error = UnavailableError("", _CLOSED)
        elif (error := task.exception()) is not None:
            self._error = error
        else:
            self._results.append(task.result())
        self._ended.set()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def result(self, seconds: float) -> _Result:
        """Raises what the coroutine raised, and UnavailableError when it was cancelled or has not
        moved for `seconds` (it runs on then)."""
        while not self._ended.wait(seconds):
            if not self._has_moved():
                raise late(seconds)
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _has_moved(self) -> bool:
        """Since this was asked last."""
        limit = self._limit
        if limit is None or not limit.has_moved:
            return False
        limit.has_moved = False
        return True

    def stop(self) -> None:
        """Cancel it, unless it has ended, and wait until it has tidied up."""
        if not self._ended.is_set():
            try:
                self._loop.call_soon_threadsafe(self._cancel)
            except RuntimeError:  # the loop has ended, and all that ran on it
                return
            self._ended.wait(GRACE)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class LoopThread:
    """A share of the thread. May be used from several threads at once."""

    def __init__(self) -> None:
        self._running: _Running | None = _shares.take()
        self._closing = Lock()

    def call(self, work: Coroutine[Any, Any, _Result], seconds: float) -> _Result:
        """What the coroutine returns. Raises what it raises, and UnavailableError when it has not
        moved for `seconds` or the share was given back."""
        job = self.start(work, seconds)
        try:
            return job.result(seconds + GRACE)
        finally:
            job.stop()

    def start(
        self, work: Coroutine[Any, Any, _Result], seconds: float | None = None
    ) -> Job[_Result]:
        """Run a coroutine without waiting; whoever starts it stops it or takes its result.

        Raises UnavailableError when the share was given back.
        """
        running = self._running
        try:
            if running is None:
                raise UnavailableError("", _CLOSED)
            if running.thread.ident == get_ident():
                raise RuntimeError("the loop's own thread would wait for itself")
            return _start(running.loop, work, seconds)
        except BaseException:
            work.close()
            raise

    def close(self) -> None:
        """Give the share back; a second time does nothing."""
        with self._closing:
            running, self._running = self._running, None
        if running is not None:
            _shares.give_back()


def _start(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, _Result], seconds: float | None
) -> Job[_Result]:
    try:
        return Job(loop, work, seconds)
    except RuntimeError as error:  # the loop has ended meanwhile
        raise UnavailableError("", _CLOSED) from error


def late(seconds: float) -> UnavailableError:
    """What is raised for a call that took too long."""
    return UnavailableError("", f"no answer within {seconds:.0f} seconds")
