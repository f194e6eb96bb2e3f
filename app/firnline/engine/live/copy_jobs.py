"""What the copier does on its threads: one round for one folder, opened for it alone.

Nothing stays open between two rounds, so that a store that hangs for an hour holds no database, and
a folder that was closed for a command is closed.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

from firnline.config.settings import FolderSettings
from firnline.core.pace import SLOWEST_RETRY
from firnline.engine.open_folder import Reached, open_beside
from firnline.engine.runtime import Engine
from firnline.stores.errors import StoreError
from firnline.sync.context import CancelledError, FolderContext
from firnline.sync.copy_round import Round, Way, copy_round, forgive_failures
from firnline.sync.fetches import Fetches, bring
from firnline.sync.home_release import release_home

_logger = logging.getLogger(__name__)

Cancelled = Callable[[], bool]


class CopyJobs:
    """The rounds of all folders. May be used by many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def bring(
        self,
        folder: FolderSettings,
        reached: Reached,
        store_id: str,
        way: Way,
        cancelled: Cancelled,
    ) -> Round:
        """Bring a store what it lacks. What fails is told in the round; nothing is raised."""
        random = self._engine.outside.random

        def work(context: FolderContext) -> Round:
            # As this folder may use it: within the limits of bandwidth, and unless it is another.
            for target in context.stores:
                if target.store_id == store_id:
                    return copy_round(context, target, way, random)
            return Round()

        return self._do(folder, reached, cancelled, work)

    def forgive(self, folder: FolderSettings, reached: Reached, cancelled: Cancelled) -> Round:
        """What failed may be tried at once, since a store came back."""

        def work(context: FolderContext) -> Round:
            forgive_failures(context)
            return Round()

        return self._do(folder, reached, cancelled, work)

    def let_go(self, folder: FolderSettings, reached: Reached, cancelled: Cancelled) -> Round:
        """Remove from the home store what is safe elsewhere."""

        def work(context: FolderContext) -> Round:
            # What is wrong with the home store is told by the passes.
            with suppress(StoreError):
                release_home(context)
            return Round()

        return self._do(folder, reached, cancelled, work)

    def fetch(
        self,
        folder: FolderSettings,
        reached: Reached,
        fetches: Fetches,
        large: bool,
        cancelled: Cancelled,
    ) -> Round:
        """Bring bodies that a pass did not wait for."""

        def work(context: FolderContext) -> Round:
            return Round(more=bring(context, fetches, large=large))

        return self._do(folder, reached, cancelled, work)

    def _do(
        self,
        folder: FolderSettings,
        reached: Reached,
        cancelled: Cancelled,
        work: Callable[[FolderContext], Round],
    ) -> Round:
        try:
            with open_beside(self._engine, folder, reached, cancelled) as context:
                return work(context)
        except CancelledError:
            return Round()
        except Exception as error:
            _logger.info("folder %s: copying: %s", folder.name, error, exc_info=error)
            now = self._engine.outside.clock.now().timestamp()
            # At once when the folder's next pass has mended it.
            return Round(due=now + SLOWEST_RETRY)
