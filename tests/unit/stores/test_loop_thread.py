"""One thread with a loop for all stores that need one, and bodies over it."""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from threading import Event, Thread
from threading import enumerate as all_threads
from typing import Any

import pytest

from firnline.stores.errors import FullError, UnavailableError
from firnline.stores.loop_streams import Incoming, Outgoing
from firnline.stores.loop_thread import LoopThread, moved

LONG = 30.0


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    share = LoopThread()
    yield share
    share.close()


def running() -> list[Thread]:
    return [thread for thread in all_threads() if thread.name == "firnline-network"]


async def forever(begun: Event, stopped: Event) -> None:
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        stopped.set()


def test_a_call(thread):
    """A call gives what its coroutine returns, and raises what it raises."""

    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise FullError("a", "no space")

    assert thread.call(answer(), LONG) == 42
    with pytest.raises(FullError, match="no space"):
        thread.call(fail(), LONG)


def test_what_a_call_returned_is_free_at_once(thread):
    """Nothing keeps a result from who got it, until some collector comes by: of a large body each
    piece is one."""

    class Piece:
        pass

    async def answer() -> Piece:
        moved()
        return Piece()

    async def nothing() -> None:
        return

    gc.disable()
    try:
        known = weakref.ref(thread.call(answer(), LONG))
        thread.call(nothing(), LONG)  # the loop has let go of what it ran last
        assert known() is None
    finally:
        gc.enable()


def test_a_call_that_takes_too_long(thread):
    """A call over its time limit is cancelled, has tidied up, and says so."""
    begun, stopped = Event(), Event()
    with pytest.raises(UnavailableError, match="no answer within"):
        thread.call(forever(begun, stopped), 0.01)
    assert stopped.is_set()


@pytest.mark.parametrize("moves", [True, False])
def test_a_limit_is_one_without_progress(thread, monkeypatch, moves):
    """Whoever moves bytes has all the time it takes; whoever does not is late, however much came
    before."""

    async def work() -> int:
        loop = asyncio.get_running_loop()
        real, passed = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: real() + passed)
        for _ in range(10):
            passed += LONG * 0.6
            if moves:
                moved()
            await asyncio.sleep(0)
        return 42

    if moves:
        assert thread.call(work(), LONG) == 42
    else:
        with pytest.raises(UnavailableError, match="no answer within"):
            thread.call(work(), LONG)


def test_what_a_call_left_behind_may_move(thread, monkeypatch):
    """A task that outlives the call that started it is under nobody's limit any more."""
    tasks: set[asyncio.Task[None]] = set()

    async def later(ended: asyncio.Event) -> None:
        await ended.wait()
        loop = asyncio.get_running_loop()
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + 1)
        moved()

    async def begin(ended: asyncio.Event) -> None:
        tasks.add(asyncio.get_running_loop().create_task(later(ended)))
        await asyncio.sleep(0)

    async def end(ended: asyncio.Event) -> None:
        ended.set()
        await asyncio.gather(*tasks)

    event = asyncio.Event()
    thread.call(begin(event), LONG)
    thread.call(end(event), LONG)


def test_a_time_limit_of_the_coroutine_itself(thread):
    """A TimeoutError that is not the call's own reaches the caller as it is."""

    async def impatient() -> None:
        raise TimeoutError("the library's own")

    with pytest.raises(TimeoutError, match="the library's own"):
        thread.call(impatient(), LONG)


def test_a_job_that_is_stopped(thread):
    """Stopping a job cancels its coroutine and waits until it has tidied up."""
    begun, stopped = Event(), Event()
    job = thread.start(forever(begun, stopped))
    assert begun.wait(LONG)
    assert not job.ended
    job.stop()
    assert stopped.is_set()
    with pytest.raises(UnavailableError):
        job.result(LONG)


def test_stopped_before_it_began(thread):
    """A job that is stopped before its first step leaves nothing behind, not even a warning."""
    begun, stopped = Event(), Event()
    thread.start(forever(begun, stopped)).stop()


def test_shares():
    """All shares use one thread, which ends with the last of them; a closed one refuses calls."""

    async def nothing() -> None: ...

    assert running() == []
    one, two = LoopThread(), LoopThread()
    assert len(running()) == 1
    one.close()
    one.close()
    with pytest.raises(UnavailableError):
        one.call(nothing(), LONG)
    two.call(nothing(), LONG)
    two.close()
    assert running() == []
    again = LoopThread()
    again.call(nothing(), LONG)
    again.close()


def test_the_last_share_stops_what_runs():
    """What still runs when the last share is given back is cancelled."""
    begun, stopped = Event(), Event()
    share = LoopThread()
    job = share.start(forever(begun, stopped))
    assert begun.wait(LONG)
    share.close()
    assert stopped.is_set()
    job.stop()


def test_a_call_from_the_loop_itself(thread):
    """A call that could only wait for itself is an error, not a standstill."""

    async def nothing() -> None: ...

    async def call() -> None:
        thread.call(nothing(), LONG)

    with pytest.raises(RuntimeError, match="wait for itself"):
        thread.call(call(), LONG)


async def numbers(count: int, made: list[int]) -> AsyncGenerator[bytes, None]:
    try:
        for number in range(count):
            made.append(number)
            yield b"%d," % number
    finally:
        made.append(-1)


def test_incoming(thread):
    """All chunks arrive in order, however they are asked for, and the generator is closed."""
    made: list[int] = []
    with Incoming(thread, numbers(100, made), LONG) as incoming:
        body = b""
        while piece := incoming.read(7):
            body += piece
        assert incoming.read(7) == b""
    assert body == b"".join(b"%d," % number for number in range(100))
    assert made[-1] == -1


def test_incoming_does_not_run_ahead(thread):
    """Chunks wait in a bounded queue; leaving early closes the generator."""
    made: list[int] = []
    with Incoming(thread, numbers(1000, made), LONG, chunks=3) as incoming:
        assert incoming.read(2) == b"0,"
    assert max(made) <= 5
    assert made[-1] == -1


def test_incoming_that_breaks_off(thread):
    """An error comes after all that came before it, and again when asked again."""

    async def broken() -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise UnavailableError("a", "broke off")

    with Incoming(thread, broken(), LONG) as incoming:
        assert incoming.read(3) == b"one"
        for _ in range(2):
            with pytest.raises(UnavailableError, match="broke off"):
                incoming.read(1)


async def gather(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def write_on(outgoing: Outgoing[Any]) -> None:
    for _ in range(10):
        outgoing.write(b"chunk")


def test_outgoing(thread):
    """Everything that is written is taken in order; `finish` gives what the taker returns."""
    with Outgoing(thread, gather, LONG, chunks=2) as outgoing:
        for number in range(50):
            outgoing.write(b"%d," % number)
        outgoing.write(b"")
        assert outgoing.finish() == b"".join(b"%d," % number for number in range(50))


def test_outgoing_that_fails(thread):
    """What the taker raises, the next write raises, though nobody makes room any more."""

    async def refuse(chunks: AsyncIterator[bytes]) -> None:
        async for _ in chunks:
            raise FullError("a", "no space")

    with Outgoing(thread, refuse, LONG, chunks=1) as outgoing, pytest.raises(FullError):
        write_on(outgoing)


def test_outgoing_that_ends_early(thread):
    """A taker that stops taking is an error, not a body that is silently short."""

    async def first(chunks: AsyncIterator[bytes]) -> bytes:
        async for chunk in chunks:
            return chunk
        return b""

    with Outgoing(thread, first, LONG, chunks=1) as outgoing, pytest.raises(UnavailableError):
        write_on(outgoing)


def test_outgoing_that_is_left(thread):
    """Leaving without `finish` cancels the taker."""
    stopped = Event()

    async def take(chunks: AsyncIterator[bytes]) -> None:
        try:
            await gather(chunks)
        finally:
            stopped.set()

    with Outgoing(thread, take, LONG) as outgoing:
        outgoing.write(b"chunk")
    assert stopped.is_set()
