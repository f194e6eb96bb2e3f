"""Bodies between a thread and a coroutine on the loop (`stores.loop_thread`).

Chunks wait in a bounded queue: whoever is quicker waits for the other, and nothing grows with the
size of a body. An error on the far side is raised on the near side by the next call; leaving the
context stops the coroutine and waits for its end.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, Generic, TypeVar

from firnline.stores.errors import UnavailableError
from firnline.stores.loop_thread import GRACE, LoopThread

CHUNKS = 8
"""Chunks that wait in a queue at most."""
_Result = TypeVar("_Result")


class _Queue:
    """A bounded queue of chunks with an end; its coroutines all run on the loop."""

    def __init__(self, chunks: int) -> None:
        self._room = chunks
        self._chunks: deque[bytes] = deque()
        self._changed = asyncio.Condition()
        self.closed = False

    async def put(self, chunk: bytes) -> bool:
        """Wait for room; False when the queue is closed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.closed or len(self._chunks) < self._room)
            if not self.closed:
                self._chunks.append(chunk)
            self._changed.notify_all()
            return not self.closed

    async def take(self) -> bytes | None:
        """The next chunk, waited for; None when there is none any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.closed or len(self._chunks) > 0)
            self._changed.notify_all()
            return self._chunks.popleft() if self._chunks else None

    async def close(self) -> None:
        """Nothing more is put; what was put can still be taken."""
        async with self._changed:
            self.closed = True
            self._changed.notify_all()


class Incoming:
    """Chunks that an asynchronous generator makes, read by a thread; a context manager.

    The generator runs ahead by `chunks` at most and is closed when the context is left.
    """

    def __init__(
        self,
        thread: LoopThread,
        source: AsyncGenerator[bytes, None],
        seconds: float,
        chunks: int = CHUNKS,
    ) -> None:
        """`seconds`: how long a read may wait for a chunk."""
        self._thread = thread
        self._seconds = seconds
        self._queue = _Queue(chunks)
        self._rest = memoryview(b"")
        self._ended = False
        self._job = thread.start(self._fill(source))

    async def _fill(self, source: AsyncGenerator[bytes, None]) -> None:
        try:
            async for chunk in source:
                if chunk:
                    await self._queue.put(chunk)
        finally:
            try:
                await source.aclose()
            finally:
                await self._queue.close()

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer only at the end, empty when it is used up.

        Raises what the generator raised, after all that it made before.
        """
        pieces: list[memoryview] = []
        missing = count
        while missing and self._more():
            piece, self._rest = self._rest[:missing], self._rest[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _more(self) -> bool:
        if not self._rest and not self._ended:
            chunk = self._thread.call(self._queue.take(), self._seconds)
            if chunk is None:
                self._job.result(GRACE)
                self._ended = True
            else:
                self._rest = memoryview(chunk)
        return len(self._rest) > 0

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended = True
        self._rest = memoryview(b"")
        self._job.stop()


class Outgoing(Generic[_Result]):
    """Chunks that a thread writes, taken by a coroutine as an asynchronous iterator; a context
    manager. Leaving it without `finish` cancels the coroutine."""

    def __init__(
        self,
        thread: LoopThread,
        taker: Callable[[AsyncIterator[bytes]], Coroutine[Any, Any, _Result]],
        seconds: float,
        chunks: int = CHUNKS,
    ) -> None:
        """`taker` makes the coroutine, of the iterator. `seconds`: how long a write may wait for
        room, and `finish` for the end."""
        self._thread = thread
        self._seconds = seconds
        self._queue = _Queue(chunks)
        self._job = thread.start(self._run(taker))

    async def _run(
        self, taker: Callable[[AsyncIterator[bytes]], Coroutine[Any, Any, _Result]]
    ) -> _Result:
        try:
            return await taker(self._chunks())
        finally:
            await self._queue.close()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while (chunk := await self._queue.take()) is not None:
            yield chunk

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Waits for room. Raises what the coroutine raised, and UnavailableError when it ended
        before it had taken everything."""
        if len(chunk) and not self._thread.call(self._queue.put(bytes(chunk)), self._seconds):
            self._job.result(GRACE)
            raise UnavailableError("", "the far side took no more")

    def finish(self) -> _Result:
        """There is no more: what the coroutine returns. Raises what it raises."""
        self._thread.call(self._queue.close(), self._seconds)
        return self._job.result(self._seconds)

    def __enter__(self) -> "Outgoing[_Result]":
        return self

    def __exit__(self, *exc: object) -> None:
        self._job.stop()
