"""A folder of the running program: opened once, and kept open from one job to the next.

Lives on the folder's own thread. Between two jobs nothing is open in the folder itself, so that its
disk can be unmounted, and another profile may work there. A job that failed as a whole closes the
folder's state as well: the next one opens everything anew. Tables that turn out to be damaged, or
whose file was taken away beneath, are set aside and made anew by the rules for joining, as
`firnline sync` does it, and the same job looks at everything with the new ones.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from firnline.config.settings import FolderSettings
from firnline.engine.folder_root import FolderAwayError, require_answer
from firnline.engine.live.hurries import Hurries
from firnline.engine.live.watches import Watches
from firnline.engine.mounts import can_hang
from firnline.engine.open_folder import OpenFolder, Reached, damage, open_with, use_stores
from firnline.engine.runtime import Engine
from firnline.engine.sync_command import FolderOutcome, noting_failure, remember
from firnline.folder.claim import claimed
from firnline.folder.ignore import Ignore
from firnline.state.database import DatabaseError, DatabaseFault
from firnline.state.folder_state import BEGUN
from firnline.stores.errors import SlowError
from firnline.sync.context import NOT_WATCHED, Problem
from firnline.sync.fetches import Fetches
from firnline.sync.folder_pass import run_pass
from firnline.sync.scope import WHOLE, Scope

_logger = logging.getLogger(__name__)


class Done(NamedTuple):
    """How a job went."""

    outcome: FolderOutcome
    watched: bool
    """What changes in the folder from now on is told."""


class KeptFolder:
    """Does the jobs of one folder. Used by one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        settings: FolderSettings,
        watches: Watches,
        answers_again: Callable[[str], None],
        fetches: Fetches,
        cancelled: Callable[[], bool],
    ) -> None:
        """`answers_again` is told, by STOREHASH and on any thread, when a store that was too slow
        to be waited for has answered. `fetches`: where bodies are asked for that the jobs do
        not wait for. `cancelled` is asked during a job whether it should end at
        the next safe point."""
        self._engine = engine
        self._settings = settings
        self._watches = watches
        self._cancelled = cancelled
        self._hurries = Hurries(engine.outside.clock, answers_again)
        self._fetches = fetches
        self._stack = ExitStack()
        self._opened: OpenFolder | None = None
        self._stores: Reached | None = None
        """The stores of the last job, as they were given."""
        self._usable = Reached((), ())
        """What this folder may use of them."""
        self._damages: list[Problem] = []
        """What befell the tables, until a look at everything has told it."""

    @property
    def scans(self) -> bool:
        """The job looks at the folder at the moment. From any thread."""
        opened = self._opened
        return opened is not None and opened.context.scans

    @property
    def receives(self) -> bool:
        """Something is brought beside the jobs. From any thread."""
        return bool(self._fetches)

    def run(self, scope: Scope, reached: Reached) -> Done:
        """One pass with these stores. What fails is told in the outcome; nothing is raised."""
        outcome = self._try(scope, reached)
        error = outcome.error
        if isinstance(error, DatabaseError) and error.fault is DatabaseFault.DAMAGED:
            self._damages = [damage(error)]
            outcome = self._try(WHOLE, reached)
        if outcome.error is None:
            self._damages = []
        if isinstance(outcome.error, FolderAwayError):
            self._watches.wait_for_return(self._settings.path)
        return Done(outcome, self._watches.folder_works)

    def _try(self, scope: Scope, reached: Reached) -> FolderOutcome:
        outcome = FolderOutcome(self._settings.name)
        with noting_failure(outcome), ExitStack() as stack:
            stack.push(self._close_failed)
            opened = self._open(reached)
            try:
                with claimed(opened.context.root), self._waiting(opened):
                    self._pass(opened, scope, reached, outcome)
            finally:
                opened.context.root.forget()
        return outcome

    def _waiting(self, opened: OpenFolder) -> AbstractContextManager[None]:
        """A device without its table reads every store first, however long that takes: before, it
        tells nothing anyway."""
        is_new = opened.context.state.fact(BEGUN) is None
        return self._hurries.at_leisure() if is_new else nullcontext()

    def close(self) -> None:
        """Close the folder's state, to be opened again by the next job."""
        self._forget().close()

    def _close_failed(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """After a failure what is open hears why it is closed, and sets aside what is damaged."""
        return error is not None and bool(self._forget().__exit__(kind, error, trace))

    def _forget(self) -> ExitStack:
        self._opened = self._stores = None
        stack, self._stack = self._stack, ExitStack()
        return stack

    def end(self) -> None:
        """No job follows."""
        self._watches.close()
        self.close()
        self._hurries.close()

    def _open(self, reached: Reached) -> OpenFolder:
        if self._opened is None:
            opened = self._stack.enter_context(open_with(self._engine, self._settings, reached))
            opened.context.cancelled = self._cancelled
            opened.context.patience = self._hurries
            opened.context.fetches = self._fetches
            opened.context.root.spare(self._fetches.names)
            opened.context.found += self._damages
            self._opened = opened
        else:
            require_answer(self._settings)
            self._opened.context.state.database.require_same_file()
        return self._opened

    def _pass(
        self, opened: OpenFolder, scope: Scope, reached: Reached, outcome: FolderOutcome
    ) -> None:
        context = opened.context
        context.require_here()
        if can_hang(self._settings.path):
            # A server stamps the files, by its own clock.
            context.root.ask_clock(context.clock)
        context.copying = None if reached.copying is None else list(reached.copying)
        stores = reached._replace(copying=None)
        if scope.is_whole or stores != self._stores:
            use_stores(self._engine, opened, reached)
            self._usable = Reached(tuple(context.stores), tuple(context.unreached))
            # One that was only too slow is asked again by the next job.
            some_are_slow = any(isinstance(each.why, SlowError) for each in context.unreached)
            self._stores = None if some_are_slow else stores
        else:
            # Without those that were refused: a store that was filled again waits for its user.
            usable = self._usable
            context.stores, context.unreached = list(usable.stores), list(usable.unreached)
        if scope.is_whole:
            context.set_aside.clear()
            # Before the look at everything: what changes after it is told.
            self._watches.follow_folder(Path(context.root.path), Ignore.load(context.root))
        # Told by whole passes, and any may become one.
        context.found = [each for each in context.found if each.kind != NOT_WATCHED]
        if self._watches.why_not:
            context.found.append(Problem("", NOT_WATCHED, self._watches.why_not))
        try:
            copies = reached.copying is None
            arrived = self._fetches.arrived
            outcome.report = run_pass(context, scope._replace(copy=copies))
            self._fetches.drop(arrived)
        finally:
            outcome.unreached = list(context.unreached)
        remember(self._engine, context, outcome)
