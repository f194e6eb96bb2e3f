"""What is made of the copier's rounds. Rounds, threads and time are played."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_loop import run_still, the_loop
from tests.unit.engine.live.lanes import InstantWorker

from firnline.config.settings import FolderSettings
from firnline.engine.live.copy_jobs import Cancelled, CopyJobs
from firnline.engine.live.copy_lane import CopyLane
from firnline.engine.live.copying import Copying
from firnline.engine.open_folder import Reached
from firnline.stores.errors import UnavailableError
from firnline.sync.context import Connected, Problem, Unreached
from firnline.sync.copy_round import Round, Way

STORE = "0123456789abcdef"


class PlayedJobs(CopyJobs):
    """Rounds that end as the test says; `hangs` is a future that they wait for."""

    def __init__(self) -> None:
        self.ways: list[tuple[str, Way]] = []
        self.rounds: list[Round] = []
        self.forgiven: list[str] = []
        self.while_forgiving: Callable[[], None] = lambda: None
        self.hangs: Any = None

    def bring(
        self,
        folder: FolderSettings,
        reached: Reached,
        store_id: str,
        way: Way,
        cancelled: Cancelled,
    ) -> Round:
        if not way.large:
            self.ways.append((folder.name, way))
            if self.hangs is not None:
                waits: Round = self.hangs
                return waits
            if self.rounds:
                return self.rounds.pop(0)
        return Round()

    def forgive(self, folder: FolderSettings, reached: Reached, cancelled: Cancelled) -> Round:
        self.forgiven.append(folder.name)
        if len(self.forgiven) == 1:
            self.while_forgiving()
        return Round()

    def let_go(self, folder: FolderSettings, reached: Reached, cancelled: Cancelled) -> Round:
        return Round()


def connected() -> Connected:
    """The store, by a connection of its own."""
    store = MemoryStore(MemoryDisk(), the_loop())
    return Connected("usb", store, STORE, "generation", "connection", rating=50, minor=False)


class Play:
    """A copier of two folders in one store, and what it told."""

    def __init__(self, grace: float) -> None:
        self.jobs = PlayedJobs()
        self.now = connected()
        self.copied_: list[tuple[str, int]] = []
        self.failed_: list[Connected] = []
        self.lanes: list[CopyLane] = []
        folders = [FolderSettings(each, each, Path(), ("usb",), paused=False) for each in "ab"]
        self.copying = Copying(
            folders,
            lambda folder: Reached((self.now,), ()),
            lambda store_id: True,
            self.jobs,
            lambda name: InstantWorker(),
            the_loop(),
            self,
            grace,
        )

    def copied(self, folder_id: str, events: int) -> None:
        self.copied_.append((folder_id, events))

    def failed(self, store: Connected, why: Exception) -> None:
        self.failed_.append(store)

    async def look(self, *folders: str) -> None:
        """As after their passes."""
        for folder in folders:
            self.copying.look_at(folder, [STORE])
        await self.quiet()

    async def quiet(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


def play(story: Callable[[Play], Awaitable[None]], grace: float = 30) -> None:
    async def tell() -> None:
        playing = Play(grace)
        async with asyncio.TaskGroup() as group:
            lanes = playing.lanes = playing.copying.begin([STORE])
            for lane in lanes:
                group.create_task(lane.live())
            await playing.quiet()
            await story(playing)
            for lane in lanes:
                lane.stop()

    run_still(tell())


def test_failed_round_blames_the_connection_that_it_had() -> None:
    """Not the one that was made since it began, which may be a good one."""

    async def story(playing: Play) -> None:
        hangs = playing.jobs.hangs = the_loop().create_future()
        await playing.look("a")
        before, playing.now = playing.now, connected()
        playing.copying.connected("a", STORE)
        gone = Unreached("usb", STORE, minor=False, why=UnavailableError("", "gone"))
        playing.jobs.hangs = None
        hangs.set_result(Round(unreached=(gone,)))
        await playing.quiet()
        assert [each is before for each in playing.failed_] == [True]

    play(story)


def test_store_that_came_back_is_tried_anew() -> None:
    """What failed for want of a source is forgiven, once; then it gets what it lacks."""

    async def story(playing: Play) -> None:
        playing.copying.connected("a", STORE)
        await playing.quiet()
        assert playing.jobs.forgiven == ["a"]
        assert [folder for folder, _ in playing.jobs.ways] == ["a"]
        await playing.look("a")
        assert playing.jobs.forgiven == ["a"]

    play(story)


def test_forgiving_that_is_ended_by_a_command_is_done_afterwards() -> None:
    """Else what failed would wait for its turn, though its store is back."""

    async def tell(playing: Play) -> None:
        def end() -> None:
            for lane in playing.lanes:
                lane._ticket.ended = True

        playing.jobs.while_forgiving = end
        playing.copying.connected("a", STORE)
        await playing.quiet()
        assert playing.jobs.forgiven == ["a", "a"]

    play(tell)


def test_grace_is_the_one_of_the_settings() -> None:
    """Each round is told."""

    async def story(playing: Play) -> None:
        await playing.look("a")
        assert [way.grace for _, way in playing.jobs.ways] == [7]

    play(story, grace=7)


def test_full_store_is_asked_less_and_less_often() -> None:
    """Each folder counts for itself, until the store took something again."""

    async def story(playing: Play) -> None:
        for _ in range(3):
            playing.jobs.rounds = [Round(is_full=True), Round()]
            await playing.look("a", "b")
        await playing.look("a", "b")
        await playing.look("a")
        times = [way.was_full for folder, way in playing.jobs.ways if folder == "a"]
        assert times == [0, 1, 2, 3, 0]
        assert {way.was_full for folder, way in playing.jobs.ways if folder == "b"} == {0}

    play(story)


def test_what_could_not_be_copied_is_told_until_it_could() -> None:
    """The folder hears when it is another, and only then."""

    async def story(playing: Play) -> None:
        problem = Problem("", "no source", "nobody has it", "usb")
        playing.jobs.rounds = [Round(problems=(problem,)), Round(problems=(problem,)), Round()]
        await playing.look("a")
        assert playing.copying.problems("a") == (problem,)
        assert playing.copying.problems("b") == ()
        await playing.look("a")
        await playing.look("a")
        assert playing.copying.problems("a") == ()
        assert playing.copied_ == [("a", 0), ("a", 0)]

    play(story)
