"""A thread for what blocks."""

import asyncio
import threading
from functools import partial

import pytest

from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.worker import Worker
from firnline.engine.system import SystemClock


def make() -> Worker:
    return Worker("tested", LoopGate(asyncio.get_running_loop(), SystemClock()))


def test_calls_are_made_in_turn_on_one_thread() -> None:
    """It is not the loop's, has its name, and ends when it is told to, after what came before."""

    async def tell() -> list[threading.Thread]:
        worker = make()
        order: list[int] = []

        def call(number: int) -> threading.Thread:
            order.append(number)
            return threading.current_thread()

        futures = [worker.call(partial(call, number)) for number in range(5)]
        worker.end()
        threads = await asyncio.gather(*futures)
        assert order == list(range(5))
        return threads

    threads = asyncio.run(tell())
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    assert threads[0].name == "tested"
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_what_is_raised_comes_to_the_caller() -> None:
    """And the next call is made all the same."""

    async def tell() -> None:
        worker = make()
        with pytest.raises(ZeroDivisionError):
            await worker.call(lambda: 1 / 0)
        assert await worker.call(lambda: "still here") == "still here"
        worker.end()

    asyncio.run(tell())


def test_caller_that_went_away_is_no_error() -> None:
    """Its result, or its error, is dropped; a call that hangs does not hold up the loop."""

    async def tell() -> None:
        worker = make()
        release = threading.Event()

        def hang() -> None:
            release.wait(10)
            raise OSError

        hanging = worker.call(hang)
        hanging.cancel()
        answer = worker.call(lambda: "next")
        cancelled = worker.call(lambda: "dropped")
        cancelled.cancel()
        release.set()
        assert await answer == "next"
        worker.end()

    asyncio.run(tell())
