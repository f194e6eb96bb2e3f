"""The copier of all that runs: two ways into each store, and one that lets the home store go.

Small and large events have a way of their own, so that no small one waits for a large one. The
folders' passes copy nothing; after each of them the ways of its stores are asked to look. What the
copier could not do is told by the folder's next pass.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

from firnline.config.settings import FolderSettings
from firnline.core.clock import Clock
from firnline.core.replication import GRACE_TIME
from firnline.engine.live.copy_jobs import CopyJobs
from firnline.engine.live.copy_lane import Cancelled, CopyLane, Work
from firnline.engine.live.worker import Worker
from firnline.engine.open_folder import Reached
from firnline.sync.context import Connected, Problem
from firnline.sync.copy_round import Round, Way


class _Key(NamedTuple):
    """A way into a store; '' is the home store, which gives instead of taking."""

    store_id: str
    large: bool = False


_HOME = _Key("")


class Hears(Protocol):
    """Who is told, on the loop."""

    def copied(self, folder_id: str, events: int) -> None:
        """So many events reached a store (0: what could not changed)."""
        ...

    def failed(self, store: Connected, why: Exception) -> None:
        """A store could not be used."""
        ...


class Copying:
    """All ways. Made and used on the loop's thread."""

    def __init__(
        self,
        folders: Iterable[FolderSettings],
        reached: Callable[[FolderSettings], Reached | None],
        leads: Callable[[str], bool],
        jobs: CopyJobs,
        make_worker: Callable[[str], Worker],
        clock: Clock,
        hears: Hears,
        grace: float = GRACE_TIME,
    ) -> None:
        """`reached`: a folder's stores at this moment. `leads`: whether this device leads a
        store. `grace`: seconds that others' events are left to them."""
        self._folders = {folder.folder_id: folder for folder in folders}
        self._reached = reached
        self._leads = leads
        self._jobs = jobs
        self._make_worker = make_worker
        self._clock = clock
        self._hears = hears
        self._grace = grace
        self._given: dict[_Key, Reached] = {}
        """The stores that a way's last round had."""
        self._was_full: dict[tuple[_Key, str], int] = {}
        """Rounds in a row, of a way and a folder."""
        self._lanes: dict[_Key, CopyLane] = {}
        self._problems: dict[str, dict[_Key, tuple[Problem, ...]]] = {}
        self._fresh: set[str] = set()

    def begin(self, stores: Iterable[str]) -> list[CopyLane]:
        """Ways into these stores, by STOREHASH; each has to `live`."""
        for store_id in stores:
            for large in (False, True):
                key = _Key(store_id, large)
                self._lanes[key] = self._lane(key, partial(self._bring, key))
        self._lanes[_HOME] = self._lane(_HOME, self._let_go)
        return list(self._lanes.values())

    def _lane(self, key: _Key, work: Callable[[str], Work | None]) -> CopyLane:
        name = "home store" if key is _HOME else f"{'large ' if key.large else ''}copies"
        return CopyLane(work, self._make_worker(name), self._clock, partial(self._did, key))

    def look_at(self, folder_id: str, stores: Iterable[str]) -> None:
        """A folder's pass is done: these stores of it may lack something."""
        for key in self._ways(stores):
            self._lanes[key].look_at(folder_id)
        self._lanes[_HOME].look_at(folder_id)

    def connected(self, folder_id: str, store_id: str) -> None:
        """A store came (back): it is tried anew, and may have what others missed."""
        self._fresh.add(folder_id)
        for key in self._ways([store_id]):
            self._lanes[key].try_again(folder_id)

    def problems(self, folder_id: str) -> tuple[Problem, ...]:
        """What could not be copied, of a folder."""
        found = self._problems.get(folder_id, {})
        return tuple(problem for key in sorted(found) for problem in found[key])

    def _ways(self, stores: Iterable[str]) -> Iterator[_Key]:
        for store_id in stores:
            for large in (False, True):
                if _Key(store_id, large) in self._lanes:
                    yield _Key(store_id, large)

    # --- what a thread does -----------------------------------------------------------------------

    def _bring(self, key: _Key, folder_id: str) -> Work | None:
        folder = self._folders[folder_id]
        reached = self._reached(folder)
        if reached is None or all(each.store_id != key.store_id for each in reached.stores):
            return None
        self._given[key] = reached
        if folder_id in self._fresh:
            self._fresh.remove(folder_id)
            self._lanes[key].look_at(folder_id)
            return partial(self._forgive, folder, reached)
        way = Way(
            key.large,
            self._leads(key.store_id),
            grace=self._grace,
            was_full=self._was_full.get((key, folder_id), 0),
        )
        return partial(self._jobs.bring, folder, reached, key.store_id, way)

    def _forgive(self, folder: FolderSettings, reached: Reached, cancelled: Cancelled) -> Round:
        """On a way's thread. Where it was ended in the middle it is done before the next round."""
        done = self._jobs.forgive(folder, reached, cancelled)
        if cancelled():
            self._fresh.add(folder.folder_id)
        return done

    def _let_go(self, folder_id: str) -> Work | None:
        folder = self._folders[folder_id]
        reached = self._reached(folder)
        if reached is None:
            return None
        self._given[_HOME] = reached
        return partial(self._jobs.let_go, folder, reached)

    # --- what became of it ------------------------------------------------------------------------

    def _did(self, key: _Key, folder_id: str, done: Round) -> None:
        failed = {each.store_id: each.why for each in done.unreached}
        full = self._was_full.pop((key, folder_id), 0) + 1
        if done.is_full:
            self._was_full[key, folder_id] = full
        # Those that the round had: a store may have been connected anew since it began.
        for connected in self._given[key].stores:
            if connected.store_id in failed:
                self._hears.failed(connected, failed[connected.store_id])
        before = self.problems(folder_id)
        self._problems.setdefault(folder_id, {})[key] = done.problems
        if done.copied or self.problems(folder_id) != before:
            self._hears.copied(folder_id, done.copied)
