"""`firnline run`: every folder and every store of this device, looked after without end.

The loop only schedules. Each folder has a thread for its jobs and each store one for its
connection, so that one that is stuck holds up nobody else. Nothing ticks while there is nothing to
do, but one look at the clock a minute, which notices that the computer slept.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from firnline.config.settings import FolderSettings
from firnline.engine.live.alarm import Alarm
from firnline.engine.live.copy_jobs import CopyJobs
from firnline.engine.live.copy_lane import CopyLane
from firnline.engine.live.copying import Copying
from firnline.engine.live.folder_lane import FolderLane
from firnline.engine.live.kept_folder import KeptFolder
from firnline.engine.live.links import make_links
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.receiving import Receiving
from firnline.engine.live.returns import Returns
from firnline.engine.live.sleep_watch import BETWEEN_LOOKS, SleepWatch
from firnline.engine.live.store_link import StoreLink
from firnline.engine.live.watches import MakeWatcher, Watches
from firnline.engine.live.worker import Worker
from firnline.engine.open_folder import Reached
from firnline.engine.running import Now
from firnline.engine.runtime import Engine, store_directory
from firnline.engine.sync_command import FolderOutcome
from firnline.stores.errors import SlowError
from firnline.sync.context import Connected, Unreached
from firnline.sync.heartbeat import new_run
from firnline.sync.news import News
from firnline.watch.mounts import MountWatch
from firnline.watch.network import NetworkWatch
from firnline.watch.watcher import make_watcher

STOP_WITHIN = 3.0
"""Seconds that what runs has to come to a safe point; the rest of five is for the end itself."""
FIRST_ANSWER = 15.0
"""Seconds that a folder waits for stores that say neither yes nor no."""
_logger = logging.getLogger(__name__)


class _Kept(NamedTuple):
    """A folder that is looked after."""

    settings: FolderSettings
    lane: FolderLane
    task: "asyncio.Task[None]"


class Service:
    """All that runs. Made and used on the loop's thread."""

    def __init__(
        self,
        engine: Engine,
        gate: LoopGate,
        tell: Callable[[FolderOutcome], None],
        watcher: MakeWatcher = make_watcher,
        run: str | None = None,
    ) -> None:
        """`tell` hears of every pass. `run`: what this process beats with, when it had a service
        before."""
        self._engine = engine
        self._run = run or new_run(engine.outside.random)
        self._gate = gate
        self._clock = engine.outside.clock
        self._tell = tell
        self._watcher = watcher
        self._folders: dict[str, _Kept] = {}
        self._links: dict[str, StoreLink] = {}
        self._answered: set[str] = set()
        self._jobs = CopyJobs(engine)
        self._copying = Copying(
            engine.settings.folders,
            self._reached,
            lambda store_id: self._links[store_id].standing.leads,
            self._jobs,
            partial(Worker, gate=gate),
            self._clock,
            self,
            engine.settings.copier_grace,
        )
        self._copies: list[tuple[CopyLane, asyncio.Task[None]]] = []
        self._returns = Returns(self._wake_link, watcher, gate, self._clock)
        look = partial(gate.post, self._look_for_the_lost)
        self._mounts, self._network = MountWatch(look), NetworkWatch(look, self._clock)
        self._stopping = asyncio.Event()
        self._sleep = SleepWatch(self._clock)
        self._look_at_clock = Alarm(self._notice_sleep)
        self._waited = False
        self.is_cloned = False
        """Another device uses this one's identity, which is why it ended."""

    def stop(self) -> None:
        """`run` returns within five seconds, and no job begins any more."""
        self.is_cloned = False
        self._stopping.set()
        for kept in self._folders.values():
            kept.lane.stop()
        for lane, _ in self._copies:
            lane.stop()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Inside, no folder has a job or is open; afterwards all of them go on, and look at
        everything. What stops inside stays stopped."""
        lanes: list[FolderLane | CopyLane] = [kept.lane for kept in self._folders.values()]
        lanes += [lane for lane, _ in self._copies]
        links = list(self._links.values())
        for link in links:
            link.hold()
        try:
            await asyncio.gather(*(lane.rest() for lane in lanes))
            yield
        finally:
            for link in links:
                link.go_on()
            for lane in lanes:
                lane.go_on()

    def now(self) -> Now:
        """What is being done, and how the connections stand."""
        return Now(
            {each: kept.lane.now() for each, kept in self._folders.items()},
            {each: link.standing.state for each, link in self._links.items()},
        )

    async def run(self) -> None:
        """Until `stop`. Raises StoreError when there is no home store."""
        _ = self._engine.home
        self._mounts.start()
        self._network.start()
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
        self._links = make_links(self._engine, Ear(self, self._gate.post), self._run)
        for link in self._links.values():
            link.start()
        for way in self._copying.begin(self._links):
            self._copies.append((way, group.create_task(_kept(way.live()))))
        for folder in self._engine.settings.folders:
            if not folder.paused:
                lane = self._lane(folder, group)
                task = group.create_task(_kept(lane.live()))
                self._folders[folder.folder_id] = _Kept(folder, lane, task)

    async def _end(self) -> None:
        """Everything comes to a safe point; what does not in time is left to its thread."""
        for kept in self._folders.values():
            kept.lane.stop()
        for lane, _ in self._copies:
            lane.stop()
        tasks = [kept.task for kept in self._folders.values()]
        tasks += [task for _, task in self._copies]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN)
            for task in late:
                _logger.info("%s did not come to a safe point in time", task.get_name())
                task.cancel()
        self._returns.close()
        self._mounts.close()
        self._network.close()
        await self._close_links()

    async def _close_links(self) -> None:
        """All at once: each of them may have to wait for a store that hangs."""
        workers = [(Worker("closing", self._gate), link) for link in self._links.values()]
        await asyncio.gather(*(worker.call(link.close) for worker, link in workers))
        for worker, _ in workers:
            worker.end()

    # --- folders --------------------------------------------------------------------------------

    def _lane(self, folder: FolderSettings, group: asyncio.TaskGroup) -> FolderLane:
        post = self._gate.post
        watches = Watches(
            self._watcher, self._clock, lambda hints: post(partial(lane.changed_here, hints))
        )

        def answers_again(store_id: str) -> None:
            post(partial(self._answers_again, folder.folder_id, store_id))

        receiving = Receiving(
            folder,
            partial(self._reached, folder),
            self._jobs,
            partial(Worker, gate=self._gate),
            self._clock,
            post,
            lambda: lane.copied(0),
        )
        for way in receiving.lanes:
            self._copies.append((way, group.create_task(_kept(way.live()))))
        lane = FolderLane(
            partial(KeptFolder, self._engine, folder, watches, answers_again, receiving.fetches),
            Worker(f"folder {folder.name}", self._gate),
            self._clock,
            partial(self._reached, folder),
            self._did,
        )
        return lane

    def _did(self, reached: Reached, outcome: FolderOutcome) -> None:
        """A job of some folder, which had these stores, is done."""
        # Whoever is only slow keeps its connection.
        failed = {
            each.store_id: each.why
            for each in outcome.unreached
            if not isinstance(each.why, SlowError)
        }
        report = outcome.report
        moved = bool(report.written or report.applied or report.copied)
        for connected in reached.stores:
            link = self._links.get(connected.store_id)
            if link is not None and connected.store_id in failed:
                link.failed(connected, failed[connected.store_id])
            elif link is not None and moved:
                link.active()
        for folder_id, kept in self._folders.items():
            if kept.settings.name == outcome.name and outcome.error is None:
                self._copying.look_at(folder_id, self._ids(kept.settings))
        self._tell(outcome)

    def _answers_again(self, folder_id: str, store_id: str) -> None:
        """A store that a folder's job did not wait for can be asked again."""
        kept = self._folders.get(folder_id)
        if kept is not None:
            kept.lane.list_store(store_id)

    def copied(self, folder_id: str, events: int) -> None:
        """Events reached a store beside the passes; or what could not is another now."""
        kept = self._folders.get(folder_id)
        if kept is not None:
            kept.lane.copied(events)

    def failed(self, store: Connected, why: Exception) -> None:
        """The copier could not use a store."""
        link = self._links.get(store.store_id)
        if link is not None:
            link.failed(store, why)

    # --- stores ---------------------------------------------------------------------------------

    def connected(self, store: Connected) -> None:
        """A store was reached: it is listed, and gets what it lacks."""
        self._answered.add(store.store_id)
        self._returns.found(store.store_id)
        for lane in self._lanes_of(store.store_id):
            lane.list_store(store.store_id)
        for folder_id, kept in self._folders.items():
            if store.store_id in self._ids(kept.settings):
                self._copying.connected(folder_id, store.store_id)

    def lost(self, store: Unreached) -> None:
        """A store cannot be used any more, or for another reason: told, or asked about, by a job
        that looks at nothing else."""
        self._answered.add(store.store_id)
        base = self._base(store.name)
        if base is not None:
            self._returns.missing(store.store_id, base)
        for lane in self._lanes_of(store.store_id):
            lane.take_in(store.store_id, ())

    def news(self, store_id: str, news: News) -> None:
        """A listing of a store showed what was not there before."""
        for folder_id, names in news.items():
            kept = self._folders.get(folder_id)
            if kept is not None and names is None:
                kept.lane.list_store(store_id)
            elif kept is not None and names is not None:
                kept.lane.take_in(store_id, names)

    def cloned(self, store_id: str) -> None:
        """This device has to take a new identity, which it cannot do while anything is open."""
        _logger.info("store %s: another device uses the identity of this one", store_id)
        if not self._stopping.is_set():
            self.is_cloned = True
            self._stopping.set()

    def _base(self, name: str) -> Path | None:
        """Where a store is on this computer; None for other kinds of store."""
        settings = self._engine.settings.store(name)
        return None if settings is None else store_directory(settings)

    def _wake_link(self, store_id: str) -> None:
        link = self._links.get(store_id)
        if link is not None:
            link.wake()

    def _look_for_the_lost(self) -> None:
        """Disks came or went, or a network is back."""
        for link in self._links.values():
            if isinstance(link.standing.reached, Unreached):
                link.wake()
        for kept in self._folders.values():
            kept.lane.may_be_back()

    def _lanes_of(self, store_id: str) -> Iterator[FolderLane]:
        for kept in self._folders.values():
            if store_id in self._ids(kept.settings):
                yield kept.lane

    def _ids(self, folder: FolderSettings) -> list[str]:
        return [self._engine.store_settings(name).store_id for name in folder.stores]

    def _reached(self, folder: FolderSettings) -> Reached | None:
        """The folder's stores at this moment; None while some have not answered yet."""
        ids = self._ids(folder)
        if not (self._waited or self._answered.issuperset(ids)):
            return None
        answers = [self._links[store_id].standing.reached for store_id in ids]
        stores = [each for each in answers if isinstance(each, Connected)]
        stores.sort(key=lambda connected: (-connected.rating, connected.name))
        away = [each for each in answers if isinstance(each, Unreached)]
        return Reached(stores, away, self._copying.problems(folder.folder_id))

    def _wait_no_more(self) -> None:
        self._waited = True
        for kept in self._folders.values():
            kept.lane.know_stores()

    # --- time -----------------------------------------------------------------------------------

    def _notice_sleep(self) -> None:
        self._look_at_clock.set(BETWEEN_LOOKS)
        if self._sleep.has_jumped():
            _logger.info("the computer slept, or its clock was set: everything is looked at again")
            for link in self._links.values():
                link.wake()
            for kept in self._folders.values():
                kept.lane.look_again()


async def _kept(life: Coroutine[Any, Any, None]) -> None:
    """A mistake in the program in one place stops nothing elsewhere."""
    try:
        await life
    except Exception:
        _logger.exception("a mistake in the program")


class Ear:
    """Brings to the loop what the links tell on their threads."""

    def __init__(self, service: Service, post: Callable[[Callable[[], None]], None]) -> None:
        self._service = service
        self._post = post

    def connected(self, store: Connected) -> None:
        self._post(partial(self._service.connected, store))

    def lost(self, store: Unreached) -> None:
        self._post(partial(self._service.lost, store))

    def news(self, store_id: str, news: News) -> None:
        self._post(partial(self._service.news, store_id, news))

    def cloned(self, store_id: str) -> None:
        self._post(partial(self._service.cloned, store_id))
