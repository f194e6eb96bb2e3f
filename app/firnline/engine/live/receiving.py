"""How one folder gets the bodies that its passes did not wait for: two ways, for small and for
large ones, so that no small one waits for a large one.
"""

from collections.abc import Callable
from functools import partial

from firnline.config.settings import FolderSettings
from firnline.core.clock import Clock
from firnline.engine.live.copy_jobs import CopyJobs
from firnline.engine.live.copy_lane import CopyLane, Work
from firnline.engine.live.worker import Worker
from firnline.engine.open_folder import Reached
from firnline.sync.copy_round import Round
from firnline.sync.fetches import Fetches


class Receiving:
    """Made and used on the loop's thread, but `fetches`."""

    def __init__(
        self,
        folder: FolderSettings,
        reached: Callable[[], Reached | None],
        jobs: CopyJobs,
        make_worker: Callable[[str], Worker],
        clock: Clock,
        post: Callable[[Callable[[], None]], None],
        arrived: Callable[[], None],
    ) -> None:
        """`reached`: the folder's stores at this moment. `post` brings to the loop what other
        threads ask for. `arrived` is told when a pass can take something."""
        self._folder = folder
        self._reached = reached
        self._jobs = jobs
        self._arrived = arrived
        self.fetches = Fetches(lambda large: post(partial(self._look, large)))
        """What the passes want."""
        self._ways = {
            large: CopyLane(
                partial(self._work, large),
                make_worker(f"{'large ' if large else ''}bodies for {folder.name}"),
                clock,
                self._did,
            )
            for large in (False, True)
        }

    @property
    def lanes(self) -> list[CopyLane]:
        """Each has to `live`."""
        return list(self._ways.values())

    def _look(self, large: bool) -> None:
        self._ways[large].look_at(self._folder.folder_id)

    def _work(self, large: bool, folder_id: str) -> Work | None:
        reached = self._reached()
        if reached is None or not self.fetches:
            return None
        return partial(self._jobs.fetch, self._folder, reached, self.fetches, large)

    def _did(self, folder_id: str, done: Round) -> None:
        self._arrived()
