"""Stores that are away: their links are woken when something appears at the place."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.unit.engine.live.played_watchers import Watchers

from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.returns import Returns
from firnline.engine.system import SystemClock
from firnline.watch.hints import Hints

PATIENCE = 20.0


class Story:
    """Somebody who waits for stores."""

    def __init__(self) -> None:
        self.watchers = Watchers()
        self.woken: list[str] = []
        self._heard = asyncio.Event()
        clock = SystemClock()
        gate = LoopGate(asyncio.get_running_loop(), clock)
        self.returns = Returns(self._wake, self.watchers, gate, clock)

    def _wake(self, store_id: str) -> None:
        self.woken.append(store_id)
        self._heard.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """What happens on the other thread is looked for again and again."""
        await asyncio.to_thread(_until, holds)

    async def woken_for(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.woken) < count:
                self._heard.clear()
                await self._heard.wait()


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.001)


def play(tell: Callable[[Story], Awaitable[None]]) -> None:
    async def run() -> None:
        story = Story()
        await tell(story)
        story.returns.close()
        await story.until(lambda: story.watchers.open == [])

    asyncio.run(run())


def test_store_that_appears_is_woken(tmp_path: Path) -> None:
    """Each time that something happens on the way to it, until it is found."""

    async def tell(story: Story) -> None:
        story.returns.missing("nas", tmp_path / "disk" / "nas")
        story.returns.missing("nas", tmp_path / "disk" / "nas")
        await story.until(lambda: story.watchers.open)
        (tmp_path / "disk").mkdir()
        story.watchers.made[0].tell(Hints(frozenset({"disk"})))
        await story.woken_for(1)
        await story.until(lambda: len(story.watchers.made) == 2)
        (now,) = story.watchers.open
        assert now.root == tmp_path / "disk"
        (tmp_path / "disk" / "nas").mkdir()
        now.tell(Hints(frozenset({"nas"})))
        await story.woken_for(2)
        story.returns.found("nas")
        await story.until(lambda: story.watchers.open == [])
        assert story.woken == ["nas", "nas"]

    play(tell)


def test_what_was_found_wakes_nobody(tmp_path: Path) -> None:
    """A hint that was on its way when the store was reached; a store that was never away."""

    async def tell(story: Story) -> None:
        story.returns.found("usb")
        story.returns.missing("nas", tmp_path / "nas")
        await story.until(lambda: story.watchers.open)
        (watcher,) = story.watchers.made
        story.returns.found("nas")
        watcher.tell(Hints(frozenset({"nas"})))
        await story.until(lambda: watcher.closed)
        assert story.woken == []

    play(tell)


def test_stores_are_waited_for_apart(tmp_path: Path) -> None:
    """One that comes says nothing of the other."""

    async def tell(story: Story) -> None:
        for name in ("nas", "usb"):
            story.returns.missing(name, tmp_path / name)
        await story.until(lambda: len(story.watchers.open) == 2)
        (tmp_path / "usb").mkdir()
        story.watchers.made[1].tell(Hints(frozenset({"usb"})))
        await story.woken_for(1)
        assert story.woken == ["usb"]

    play(tell)
