"""Whose turn it is on one way into a store. Time and threads are played."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.doubles.still_loop import run_still, the_loop
from tests.unit.engine.live.lanes import InstantWorker

from firnline.core.pace import SLOWEST_RETRY
from firnline.engine.live.copy_lane import REST_WITHIN, CopyLane, Work
from firnline.sync.copy_round import Round


class Way:
    """A lane that lives, and what it did."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.did: list[tuple[str, float]] = []
        self.told: list[Round] = []
        self.rounds: list[Round] = []
        """How the next rounds go."""
        self.hangs: Any = None
        """A future that a round waits for, in place of a thread that does."""
        self.cancelled: Callable[[], bool] = lambda: False
        self.reachable = True
        self.worker = InstantWorker()
        self.lane = CopyLane(
            self._work, self.worker, the_loop(), lambda folder, done: self.told.append(done)
        )
        self.task = group.create_task(self.lane.live())

    def _work(self, folder_id: str) -> Work | None:
        def work(cancelled: Callable[[], bool]) -> Round:
            self.did.append((folder_id, the_loop().time()))
            self.cancelled = cancelled
            if self.hangs is not None:
                waits: Round = self.hangs
                return waits
            return self.rounds.pop(0) if self.rounds else Round()

        return work if self.reachable else None

    def later(self, seconds: float) -> float:
        """The wall clock, then."""
        return the_loop().now().timestamp() + seconds

    async def quiet(self) -> list[str]:
        """The folders that had their turn since the last time."""
        for _ in range(50):
            await asyncio.sleep(0)
        done, self.did = self.did, []
        return [folder for folder, _ in done]


def play(story: Callable[[Way], Awaitable[None]]) -> None:
    async def tell() -> None:
        async with asyncio.TaskGroup() as group:
            way = Way(group)
            assert await way.quiet() == []
            await story(way)
            way.lane.stop()
        assert way.worker.ended

    run_still(tell())


def test_folders_take_turns() -> None:
    """One that has more to do comes again after the others."""

    async def story(way: Way) -> None:
        way.rounds = [Round(copied=1, more=True), Round(), Round()]
        way.lane.look_at("a")
        way.lane.look_at("b")
        way.lane.look_at("b")
        assert await way.quiet() == ["a", "b", "a"]
        assert [each.copied for each in way.told] == [1, 0, 0]

    play(story)


def test_what_waits_is_looked_at_when_it_is_due() -> None:
    """And not before, and nothing after it."""

    async def story(way: Way) -> None:
        way.rounds = [Round(due=way.later(30)), Round(due=way.later(20))]
        way.lane.look_at("a")
        way.lane.look_at("b")
        assert await way.quiet() == ["a", "b"]
        await asyncio.sleep(19)
        assert await way.quiet() == []
        await asyncio.sleep(2)
        assert await way.quiet() == ["b"]
        await asyncio.sleep(10)
        assert await way.quiet() == ["a"]
        await asyncio.sleep(10_000)
        assert await way.quiet() == []

    play(story)


def test_full_store_is_left_alone_until_it_is_due() -> None:
    """Whatever is heard; but one that was connected anew is tried at once."""

    async def story(way: Way) -> None:
        full = Round(due=way.later(60), rest=True)
        way.rounds = [full, full]
        way.lane.look_at("a")
        await way.quiet()
        way.lane.look_at("a")
        assert await way.quiet() == []
        way.lane.try_again("a")
        assert await way.quiet() == ["a"]
        await asyncio.sleep(61)
        assert await way.quiet() == ["a"]

    play(story)


def test_clock_that_jumps_changes_no_wait() -> None:
    """A wait that was decided is one of seconds."""

    async def story(way: Way) -> None:
        the_loop().slept = timedelta(days=365)
        way.rounds = [Round(due=way.later(60), rest=True)]
        way.lane.look_at("a")
        await way.quiet()
        the_loop().slept = timedelta(0)
        await asyncio.sleep(61)
        assert await way.quiet() == ["a"]

    play(story)


def test_store_out_of_reach_is_not_tried() -> None:
    """It is looked at when somebody says so again."""

    async def story(way: Way) -> None:
        way.reachable = False
        way.lane.look_at("a")
        assert await way.quiet() == []
        way.reachable = True
        way.lane.look_at("a")
        assert await way.quiet() == ["a"]

    play(story)


@pytest.mark.logs("a mistake in the program")
def test_mistake_costs_a_while() -> None:
    """The folder is tried again, and others go on meanwhile."""

    async def story(way: Way) -> None:
        way.hangs = the_loop().create_future()
        way.hangs.set_exception(RuntimeError("a mistake"))
        way.lane.look_at("a")
        assert await way.quiet() == ["a"]
        way.hangs = None
        way.lane.look_at("b")
        assert await way.quiet() == ["b"]
        await asyncio.sleep(SLOWEST_RETRY + 1)
        assert await way.quiet() == ["a"]

    play(story)


def test_rest_ends_a_round_at_a_safe_point() -> None:
    """It is asked to end; afterwards it begins anew, since it may not have done all."""

    async def story(way: Way) -> None:
        hangs = way.hangs = the_loop().create_future()
        way.lane.look_at("a")
        await way.quiet()
        assert not way.cancelled()
        async with asyncio.TaskGroup() as group:
            resting = group.create_task(way.lane.rest())
            await way.quiet()
            assert way.cancelled()
            assert not resting.done()
            hangs.set_result(Round(copied=1))
            way.hangs = None
        way.lane.look_at("b")
        assert await way.quiet() == []
        assert way.told == []
        way.lane.go_on()
        assert await way.quiet() == ["a", "b"]

    play(story)


def test_round_that_hangs_is_left_to_itself() -> None:
    """Rest comes all the same, and what the round does later does not count."""

    async def story(way: Way) -> None:
        hangs = way.hangs = the_loop().create_future()
        way.lane.look_at("a")
        await way.quiet()
        before = the_loop().time()
        await way.lane.rest()
        assert the_loop().time() - before == pytest.approx(REST_WITHIN)
        way.lane.go_on()
        assert way.cancelled()
        way.hangs = None
        hangs.set_result(Round(copied=1))
        assert await way.quiet() == ["a"]
        assert [each.copied for each in way.told] == [0]

    play(story)
