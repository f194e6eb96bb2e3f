"""The way into the loop, and how long things waited there."""

import asyncio
import logging
import threading
from functools import partial

import pytest
from tests.doubles.still_loop import run_still, the_loop

from firnline.engine.live.loop_gate import LONGEST, LoopGate
from firnline.engine.system import SystemClock


def test_call_from_another_thread_happens_on_the_loops() -> None:
    """In the order in which they came."""

    async def tell() -> None:
        gate = LoopGate(asyncio.get_running_loop(), SystemClock())
        heard: list[tuple[int, int]] = []
        done = asyncio.Event()

        def hear(number: int) -> None:
            heard.append((number, threading.get_ident()))

        def shout() -> None:
            for number in range(3):
                gate.post(partial(hear, number))
            gate.post(done.set)

        thread = threading.Thread(target=shout)
        thread.start()
        await done.wait()
        thread.join()
        assert heard == [(number, threading.get_ident()) for number in range(3)]

    asyncio.run(tell())


def test_who_holds_the_loop_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By name, and with how long; what waited meanwhile is told as well. The worst is kept."""

    def slow(secret: str) -> None:
        the_loop().sleep(0.2)

    async def tell() -> None:
        gate = LoopGate(the_loop(), the_loop())
        gate.post(partial(slow, "somebody's file"))
        gate.post(lambda: None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gate.worst == pytest.approx(0.2)

    with caplog.at_level(logging.INFO):
        run_still(tell())
    by, before = caplog.messages
    assert by.startswith("the loop was held for 200 ms by ")
    assert by.endswith("slow")
    assert before.startswith("the loop was held for 200 ms before ")


def test_who_holds_the_loop_after_he_was_woken_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A coroutine that waited for a call from outside takes its time, and nobody else waits for the
    loop meanwhile: the log has it all the same, once."""

    async def tell() -> None:
        gate = LoopGate(the_loop(), the_loop())
        woken = asyncio.Event()
        gate.post(woken.set)
        await woken.wait()
        the_loop().sleep(0.2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gate.worst == pytest.approx(0.2)

    with caplog.at_level(logging.INFO):
        run_still(tell())
    assert caplog.messages == ["the loop was held for 200 ms after Event.set"]


def test_what_is_quick_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Up to the bound."""

    async def tell() -> None:
        gate = LoopGate(the_loop(), the_loop())
        gate.post(lambda: the_loop().sleep(LONGEST * 0.9))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gate.worst == pytest.approx(LONGEST * 0.9)

    with caplog.at_level(logging.INFO):
        run_still(tell())
    assert caplog.messages == []


def test_calls_after_the_end_are_dropped() -> None:
    """A thread that hung and comes back finds nobody, and that is no error."""

    async def make() -> LoopGate:
        return LoopGate(asyncio.get_running_loop(), SystemClock())

    gate = asyncio.run(make())
    gate.post(lambda: pytest.fail("called"))
