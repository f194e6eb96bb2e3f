"""`firnline run`: every folder and every store of this device, looked after without end.

The loop only schedules. Each folder has a thread for its jobs and each store one for its
connection, so that one that is stuck holds up nobody else. Nothing ticks while there is nothing to
do, but one look at the clock a minute, which notices that the computer slept.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from firnline.config.settings import FolderSettings, StoreSettings
from firnline.engine.live.alarm import Alarm
from firnline.engine.live.folder_lane import FolderLane
from firnline.engine.live.kept_folder import KeptFolder
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.plain_link import PlainLink
from firnline.engine.live.sleep_watch import BETWEEN_LOOKS, SleepWatch
from firnline.engine.live.watches import MakeWatcher, Told, Watches
from firnline.engine.live.worker import Worker
from firnline.engine.open_folder import Reached
from firnline.engine.runtime import Engine
from firnline.engine.sync_command import FolderOutcome
from firnline.stores.errors import UnavailableError
from firnline.sync.context import Connected, Unreached
from firnline.watch.watcher import make_watcher

STOP_WITHIN = 4.0
"""Seconds that what runs has to come to a safe point; the rest of five is for the end itself."""
FIRST_ANSWER = 15.0
"""Seconds that a folder waits for stores that say neither yes nor no."""
_logger = logging.getLogger(__name__)


class _Kept(NamedTuple):
    """A folder that is looked after."""

    settings: FolderSettings
    lane: FolderLane
    task: "asyncio.Task[None]"


class _Linked(NamedTuple):
    """A store that is looked after."""

    settings: StoreSettings
    link: PlainLink
    task: "asyncio.Task[None]"


class Service:
    """All that runs. Made and used on the loop's thread."""

    def __init__(
        self,
        engine: Engine,
        gate: LoopGate,
        tell: Callable[[FolderOutcome], None],
        watcher: MakeWatcher = make_watcher,
    ) -> None:
        """`tell` hears of every pass."""
        self._engine = engine
        self._gate = gate
        self._clock = engine.outside.clock
        self._tell = tell
        self._watcher = watcher
        self._folders: dict[str, _Kept] = {}
        self._stores: dict[str, _Linked] = {}
        self._stopping = asyncio.Event()
        self._sleep = SleepWatch(self._clock)
        self._look_at_clock = Alarm(self._notice_sleep)
        self._waited = False

    def stop(self) -> None:
        """`run` returns within five seconds."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop`. Raises StoreError when there is no home store."""
        _ = self._engine.home
        give_up_waiting = Alarm(self._wait_no_more)
        async with asyncio.TaskGroup() as group:
            self._take_up(group)
            give_up_waiting.set(FIRST_ANSWER)
            self._look_at_clock.set(BETWEEN_LOOKS)
            await self._stopping.wait()
            give_up_waiting.cancel()
            self._look_at_clock.cancel()
            await self._end()

    def _take_up(self, group: asyncio.TaskGroup) -> None:
        """Begin with all that the settings name."""
        settings = self._engine.settings
        for store in settings.stores:
            link = self._link(store)
            self._stores[store.name] = _Linked(store, link, group.create_task(_kept(link.live())))
        for folder in settings.folders:
            if not folder.paused:
                lane = self._lane(folder)
                task = group.create_task(_kept(lane.live()))
                self._folders[folder.folder_id] = _Kept(folder, lane, task)

    async def _end(self) -> None:
        tasks = [kept.task for kept in self._folders.values()]
        tasks += [linked.task for linked in self._stores.values()]
        for kept in self._folders.values():
            kept.lane.stop()
        for linked in self._stores.values():
            linked.link.stop()
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN)
        for task in late:
            _logger.info("%s did not come to an end in time", task.get_coro())
            task.cancel()

    # --- folders --------------------------------------------------------------------------------

    def _lane(self, folder: FolderSettings) -> FolderLane:
        post = self._gate.post
        told = Told(
            lambda hints: post(partial(lane.changed_here, hints)),
            lambda store_id, hints: post(partial(lane.changed_there, store_id, hints)),
        )
        watches = Watches(self._watcher, self._clock, told)
        lane = FolderLane(
            partial(KeptFolder, self._engine, folder, watches),
            Worker(f"folder {folder.name}", self._gate),
            self._clock,
            partial(self._reached, folder),
            self._did,
        )
        return lane

    def _did(self, outcome: FolderOutcome) -> None:
        """A job of some folder is done."""
        for unreached in outcome.unreached:
            linked = self._stores.get(unreached.name)
            if linked is not None:
                linked.link.failed(unreached.why)
        self._tell(outcome)

    # --- stores ---------------------------------------------------------------------------------

    def _link(self, store: StoreSettings) -> PlainLink:
        return PlainLink(
            self._engine,
            store,
            Worker(f"store {store.name}", self._gate),
            self._clock,
            partial(self._changed, store.name),
        )

    def _changed(self, name: str) -> None:
        """A store was reached, or lost."""
        for kept in self._folders.values():
            if name in kept.settings.stores:
                now = self._stores[name].link.now
                if isinstance(now, Connected):
                    kept.lane.store_is_back(now.store_id)
                kept.lane.know_stores()

    def _reached(self, folder: FolderSettings) -> Reached | None:
        """The folder's stores at this moment; None while some have not answered yet."""
        links = [self._stores[name] for name in folder.stores]
        answers = [linked.link.now or self._silent(linked.settings) for linked in links]
        if not self._waited and any(linked.link.now is None for linked in links):
            return None
        stores = [each for each in answers if isinstance(each, Connected)]
        stores.sort(key=lambda connected: (-connected.rating, connected.name))
        return Reached(stores, [each for each in answers if isinstance(each, Unreached)])

    def _silent(self, store: StoreSettings) -> Unreached:
        why = UnavailableError("", "it has not answered yet")
        return Unreached(store.name, store.store_id, store.minor, why)

    def _wait_no_more(self) -> None:
        self._waited = True
        for kept in self._folders.values():
            kept.lane.know_stores()

    # --- time -----------------------------------------------------------------------------------

    def _notice_sleep(self) -> None:
        self._look_at_clock.set(BETWEEN_LOOKS)
        if self._sleep.has_jumped():
            _logger.info("the computer slept, or its clock was set: everything is looked at again")
            for linked in self._stores.values():
                linked.link.hurry()
            for kept in self._folders.values():
                kept.lane.look_again()


async def _kept(life: Coroutine[Any, Any, None]) -> None:
    """A mistake in the program in one place stops nothing elsewhere."""
    try:
        await life
    except Exception:
        _logger.exception("a mistake in the program")
