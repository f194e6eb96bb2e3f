"""`firnline sync`: one pass over several folders, each with its stores.

A folder's fault never stops the others, and a store that cannot be reached stops nothing.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from firnline.config.settings import FolderSettings
from firnline.core.clock import Clock
from firnline.engine import device_names
from firnline.engine.mounts import can_hang
from firnline.engine.open_folder import open_folder
from firnline.engine.runtime import Engine
from firnline.engine.trust_notes import is_asked
from firnline.sync.connection import ReplacedError
from firnline.sync.context import CancelledError, FolderContext, Problem, Unreached
from firnline.sync.folder_pass import PassReport, run_pass

_logger = logging.getLogger(__name__)


class FolderOutcome:
    """What a pass did with one folder."""

    def __init__(self, name: str, *, paused: bool = False) -> None:
        self.name = name
        self.paused = paused
        """It was left alone, as its settings say."""
        self.report = PassReport()
        self.unreached: list[Unreached] = []
        self.error: Exception | None = None
        """Why the folder as a whole was not synced, or not to its end."""
        self.untrusted = False
        """The user has to say whether the key that a server showed is the right one."""

    @property
    def problems(self) -> list[Problem]:
        return self.report.problems

    @property
    def waits(self) -> bool:
        """Something waits for the user's decision."""
        replaced = any(isinstance(each.why, ReplacedError) for each in self.unreached)
        return replaced or self.untrusted or bool(self.report.questions)

    @property
    def complete(self) -> bool:
        """Nothing is left to do, as far as this device can know."""
        if self.paused:
            return True
        done = self.error is None and self.report.complete
        return done and not (self.problems or self.unreached or self.waits)


class Deadline:
    """Ends a pass at a safe place after some time, or when somebody asks for it."""

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds
        self.asked = False
        """Set when the user wants it to end."""

    def __call__(self) -> bool:
        return self.asked or self.passed

    @property
    def passed(self) -> bool:
        return self._end is not None and self._clock.monotonic() >= self._end


def sync_folders(
    engine: Engine, names: Iterable[str], *, yes: bool = False
) -> Iterator[FolderOutcome]:
    """One pass over each of those folders (all, when none is named); outcomes as they come.

    `yes` answers mass deletions of these passes with *delete*.
    Raises NoSuchFolderError and AmbiguousNameError before anything is done.
    """
    folders = engine.folders(names)
    return (_outcome(engine, folder, yes=yes) for folder in folders)


def _outcome(engine: Engine, folder: FolderSettings, *, yes: bool) -> FolderOutcome:
    outcome = FolderOutcome(folder.name, paused=folder.paused)
    if folder.paused:
        return outcome
    with noting_failure(outcome), open_folder(engine, folder) as context:
        try:
            context.require_here()
            if can_hang(folder.path):
                # A server stamps the files, by its own clock.
                context.root.ask_clock(context.clock)
            context.delete_unasked = yes
            outcome.report = run_pass(context)
        finally:
            outcome.unreached = list(context.unreached)
        remember(engine, context, outcome)
    return outcome


@contextmanager
def noting_failure(outcome: FolderOutcome) -> Iterator[None]:
    """What is raised inside says why this folder was not synced, or not to its end."""
    try:
        yield
    except CancelledError as error:
        outcome.error = error
    except Exception as error:
        from firnline.engine.problems import is_known

        outcome.error = error
        if is_known(error):
            # Told to the person: the log need not be loud about it.
            _logger.info("folder %s: %s", outcome.name, error)
        else:
            _logger.exception("folder %s: a mistake in the program", outcome.name)


def remember(engine: Engine, context: FolderContext, outcome: FolderOutcome) -> None:
    """What holds beyond this folder: stores that failed, devices that were heard of."""
    outcome.untrusted = is_asked(context.state)
    for unreached in outcome.unreached:
        engine.lost(unreached)
    if outcome.report.applied or outcome.report.copied:
        device_names.refresh(engine.places.state, context.stores, engine.outside.steps)
