"""A folder's lane whose thread, jobs and time are played."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from tests.doubles.still_loop import the_loop

from firnline.engine.live.folder_lane import FolderLane
from firnline.engine.live.kept_folder import Done
from firnline.engine.live.worker import Worker
from firnline.engine.open_folder import Reached
from firnline.engine.sync_command import FolderOutcome
from firnline.sync.scope import Scope

NONE = Reached((), ())


class InstantWorker(Worker):
    """Does on the loop what a `Worker` does on its thread. A result that is a future is waited
    for."""

    def __init__(self) -> None:
        self.ended = False

    def call(self, function: Callable[[], Any]) -> "asyncio.Future[Any]":
        future = the_loop().create_future()
        try:
            result = function()
        except Exception as error:
            logging.getLogger(__name__).debug("as a worker does", exc_info=error)
            future.set_exception(error)
            return future
        if isinstance(result, asyncio.Future):
            return result
        future.set_result(result)
        return future

    def end(self) -> None:
        self.ended = True


class PlayedJobs:
    """Jobs that take as long and end as the test says."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self.cancelled = cancelled
        self.scopes: list[Scope] = []
        self.times: list[float] = []
        self.at_once = 0
        self.closed = 0
        self.ended = 0
        self.seconds = 0.0
        self.watched = True
        self.scans = False
        self.receives = False
        self.ends: Callable[[FolderOutcome], None] = lambda outcome: None
        """Changes the outcome of a job."""

    def run(self, scope: Scope, reached: Reached) -> Any:
        assert self.at_once == 0, "two jobs at the same time"
        self.at_once += 1
        self.scopes.append(scope)
        self.times.append(the_loop().time())
        future: asyncio.Future[Done] = the_loop().create_future()
        the_loop().call_later(self.seconds, self._finish, future)
        return future

    def _finish(self, future: "asyncio.Future[Done]") -> None:
        self.at_once -= 1
        outcome = FolderOutcome("docs")
        self.ends(outcome)
        future.set_result(Done(outcome, self.watched))

    def close(self) -> None:
        assert self.at_once == 0, "closed in the middle of a job"
        self.closed += 1

    def end(self) -> None:
        assert self.at_once == 0, "ended in the middle of a job"
        self.ended += 1


class Lane:
    """A lane that lives, and what it did."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.stores: Reached | None = NONE
        self.told: list[FolderOutcome] = []
        self.worker = InstantWorker()
        made: list[PlayedJobs] = []

        def make(cancelled: Callable[[], bool]) -> PlayedJobs:
            made.append(PlayedJobs(cancelled))
            return made[0]

        self.lane = FolderLane(
            make,
            self.worker,
            the_loop(),
            lambda: self.stores,
            lambda reached, outcome: self.told.append(outcome),
        )
        (self.jobs,) = made
        self.task = group.create_task(self.lane.live())

    async def quiet(self) -> list[Scope]:
        """Returns what was done when there is nothing more to do at the moment."""
        for _ in range(50):
            await asyncio.sleep(0)
        found, self.jobs.scopes = self.jobs.scopes, []
        return found
