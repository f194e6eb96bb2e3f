"""One folder of the running program, as the loop sees it: when which job is due.

A job at a time, on the folder's own thread; what is asked for while one runs becomes the next one.
Everything here belongs to the loop's thread, but `hear`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from firnline.core.clock import Clock
from firnline.core.pace import SLOWEST_RETRY, Pace
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.live.alarm import Alarm
from firnline.engine.live.kept_folder import Done
from firnline.engine.live.leftover import Leftover, leftover_of
from firnline.engine.live.wanted import Wanted
from firnline.engine.live.worker import Worker
from firnline.engine.open_folder import Reached
from firnline.engine.running import FolderNow, Work
from firnline.engine.sync_command import FolderOutcome
from firnline.folder.ignore import IGNORE_FILE
from firnline.sync.context import CancelledError
from firnline.sync.scope import Scope
from firnline.watch.hints import Hints

_logger = logging.getLogger(__name__)


class Jobs(Protocol):
    """What is done on the folder's thread: see `KeptFolder`."""

    @property
    def scans(self) -> bool: ...

    @property
    def receives(self) -> bool: ...

    def run(self, scope: Scope, reached: Reached) -> Done: ...

    def close(self) -> None: ...

    def end(self) -> None: ...


class FolderLane:
    """Looks after one folder until it is stopped."""

    def __init__(
        self,
        jobs: Callable[[Callable[[], bool]], Jobs],
        worker: Worker,
        clock: Clock,
        stores: Callable[[], Reached | None],
        tell: Callable[[Reached, FolderOutcome], None],
    ) -> None:
        """`jobs` makes them, given what they ask whether to end. `stores`: the folder's stores at
        this moment; None while nobody knows yet. `tell` hears of each job."""
        self._jobs = jobs(self._should_end)
        self._worker = worker
        self._clock = clock
        self._stores = stores
        self._tell = tell
        self._pace = Pace()
        self._wanted = Wanted()
        self._wanted.everything()
        self._wake = asyncio.Event()
        self._whole_due = Alarm(self.look_again)
        self._retry_due = Alarm(self._retry)
        self._left: Leftover | None = None
        self._doing: Scope | None = None
        self._away = False
        self._copied = 0
        self._trouble = ""
        self._stopping = False
        self._resting = 0
        self._rested = asyncio.Event()

    # --- asked for ------------------------------------------------------------------------------

    def changed_here(self, hints: Hints) -> None:
        """Something changed in the folder."""
        if hints.everything or IGNORE_FILE in hints.paths:
            self._wanted.everything()
        else:
            self._wanted.look_at(hints.paths)
        self._wake.set()

    def list_store(self, store_id: str) -> None:
        """A store was reached (again), or has more news than names can say."""
        self._wanted.list_store(store_id)
        self._wake.set()

    def take_in(self, store_id: str, names: Iterable[str]) -> None:
        """Event names were seen in a store."""
        self._wanted.take_in(store_id, names)
        self._wake.set()

    def look_again(self) -> None:
        """At everything."""
        self._wanted.everything()
        self._wake.set()

    def copied(self, events: int) -> None:
        """So many events reached a store, or what could not is told otherwise now."""
        self._copied += events
        self._wanted.settle()
        self._wake.set()

    def know_stores(self) -> None:
        """Whether the stores can be reached is known now."""
        self._wake.set()

    def may_be_back(self) -> None:
        """Disks came or went: a folder that is away is looked for."""
        if self._away:
            self.look_again()

    def stop(self) -> None:
        """`live` returns soon: a job that runs ends at its next safe point."""
        self._stopping = True
        self._wake.set()

    async def rest(self) -> None:
        """Returns when no job runs and the folder is closed, until `go_on`."""
        self._resting += 1
        self._wake.set()
        await self._rested.wait()

    def go_on(self) -> None:
        """After `rest`: everything is looked at again."""
        self._resting -= 1
        self.look_again()

    def now(self) -> FolderNow:
        """What is being done, or about to be. Where it rests for a command everything follows."""
        doing = self._doing
        hints = self._wanted.hints + len((doing and doing.paths) or ())
        if doing is not None and self._jobs.scans:
            return FolderNow(Work.SCANNING, hints, self._trouble)
        works = doing is not None or bool(self._wanted) or self._jobs.receives
        is_idle = not (works or self._resting)
        return FolderNow(Work.NOTHING if is_idle else Work.SYNCING, hints, self._trouble)

    def _should_end(self) -> bool:
        """Asked by the folder's thread."""
        return self._stopping or bool(self._resting)

    # --- its life -------------------------------------------------------------------------------

    async def live(self) -> None:
        """Until `stop`."""
        try:
            while not self._stopping:
                reached = self._stores()
                if self._resting:
                    await self._worker.call(self._jobs.close)
                    self._rested.set()
                elif self._wanted and reached is not None:
                    await self._do(self._wanted.take(), reached)
                    continue
                await self._wake.wait()
                self._wake.clear()
                if not self._resting:
                    self._rested.clear()
            await self._worker.call(self._jobs.end)
        finally:
            self._rested.set()
            self._whole_due.cancel()
            self._retry_due.cancel()
            self._worker.end()

    async def _do(self, scope: Scope, reached: Reached) -> None:
        begun = self._clock.monotonic()
        self._doing = scope
        try:
            done = await self._worker.call(lambda: self._jobs.run(scope, reached))
        except Exception:
            _logger.exception("a mistake in the program")
            self._whole_due.set(SLOWEST_RETRY)
            return
        finally:
            self._doing = None
        self._away = isinstance(done.outcome.error, FolderAwayError)
        done.outcome.report.copied += self._copied
        self._copied = 0
        self._trouble = _trouble_of(done.outcome)
        if not self._should_end():
            self._plan(scope, done, self._clock.monotonic() - begun)
        self._tell(reached, done.outcome)

    def _plan(self, scope: Scope, done: Done, took: float) -> None:
        """When this folder is looked at again without being asked to."""
        report = done.outcome.report
        moved = bool(report.written or report.applied or report.copied)
        if scope.is_whole:
            self._whole_due.set(self._pace.after_whole(took, watched=done.watched, moved=moved))
        left = leftover_of(done.outcome, receives=self._jobs.receives)
        before = self._left
        self._left = left
        if left is None:
            self._retry_due.cancel()
        elif left != before or not self._retry_due.is_set:
            self._retry_due.set(self._pace.after_failure(took, again=left == before))

    def _retry(self) -> None:
        if self._left is None or self._left.paths is None:
            self._wanted.everything()
        else:
            self._wanted.look_at(self._left.paths)
        self._wake.set()


def _trouble_of(outcome: FolderOutcome) -> str:
    """In words; '' for a folder that is looked after. One that is away is seen by who asks."""
    error = outcome.error
    if error is None or isinstance(error, CancelledError | FolderAwayError):
        return ""
    from firnline.engine.problems import explain

    return explain(error, f"folder {outcome.name}").line
