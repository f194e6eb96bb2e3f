"""Calls that may hang, made by coroutines."""

import asyncio
import subprocess
import sys
import threading
from unittest.mock import patch

import pytest

from firnline.stores.errors import UnavailableError
from firnline.stores.own_thread import on_own_thread

HANGING = """\
import asyncio, threading
from firnline.stores.own_thread import on_own_thread

async def main():
    begun = threading.Event()
    def hang():
        begun.set()
        threading.Event().wait()
    asking = asyncio.get_running_loop().create_task(on_own_thread(hang))
    while not begun.is_set():
        await asyncio.sleep(0)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("done")
"""


def test_results_and_errors_come_out():
    """As they are."""

    def fail() -> None:
        raise KeyError("a")

    async def both() -> str:
        with pytest.raises(KeyError):
            await on_own_thread(fail)
        return await on_own_thread(lambda: "found")

    assert asyncio.run(both()) == "found"


def test_what_hangs_keeps_no_program_from_ending():
    """`firnline run` ends within five seconds, whomever a keyring waits for."""
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, timeout=20)
    assert done.stdout == b"done\n"


@pytest.mark.parametrize("fails", [True, False])
def test_an_answer_that_nobody_waits_for_is_dropped(fails: bool):
    """Whoever asked was stopped meanwhile."""
    may_end, ended = threading.Event(), threading.Event()

    def late() -> None:
        may_end.wait(20)
        ended.set()
        if fails:
            raise KeyError("a")

    async def ask() -> None:
        asking = asyncio.get_running_loop().create_task(on_own_thread(late))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(ask())
    may_end.set()
    assert ended.wait(20)


def test_no_room_for_a_thread():
    """Told as a store that cannot be reached now."""

    async def ask() -> None:
        await on_own_thread(lambda: None)

    with (
        patch("firnline.stores.own_thread.Thread.start", side_effect=RuntimeError("no thread")),
        pytest.raises(UnavailableError),
    ):
        asyncio.run(ask())
