"""The paths in events' names: from `eventsindex`, else from whoever knows them.

A path is taken only when its hash is right, so it does not matter where it comes from: another
store's entry, the home store's, or the log of this device, which nearly always knows the path.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from firnline.core.event import parse_name
from firnline.core.hashing import PathHash
from firnline.core.paths import MAX_PATH_BYTES, BadPathError, check_path, quoted
from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import CorruptError, NotFoundError, StoreError
from firnline.sync.context import Connected, FolderContext

Finder = Callable[[FolderContext, Connected, PathHash], str]
"""Finds a path; raises StoreError and RefusedError."""

_SEARCHED = "paths searched"
"""The fact that tells how much the log knew when it was last looked through in vain."""


class RefusedError(Exception):
    """An event that breaks the format; the message says how."""


def read_path(context: FolderContext, connected: Connected, path_hash: PathHash) -> str:
    """As a store has it."""
    body = connected.store.read_small(context.layout.index(path_hash), MAX_PATH_BYTES)
    try:
        path = body.decode()
    except UnicodeDecodeError as error:
        raise CorruptError(path_hash, "a path that is not UTF-8") from error
    if context.hasher.path(path) != path_hash:
        raise CorruptError(path_hash, "a path that does not fit its hash")
    try:
        return check_path(path)
    except BadPathError as error:
        raise RefusedError(f"the path {quoted(path)}: {error}") from error


class PathFinder:
    """Finds the paths of events that wait for them, also where a store's own entry is damaged."""

    def __init__(self, context: FolderContext, waiting: Iterable[EventRow]) -> None:
        self._context = context
        self._waiting = waiting
        self._in_log: dict[PathHash, str] | None = None

    def find(self, context: FolderContext, connected: Connected, path_hash: PathHash) -> str:
        """As the store has it, else any other one or the log. Raises as `read_path` does."""
        try:
            return read_path(context, connected, path_hash)
        except (NotFoundError, CorruptError) as error:
            if self._in_log is None:
                self._in_log = self._search()
            found = self._elsewhere(connected, path_hash) or self._in_log.get(path_hash)
            if found is None:
                raise error
            return found

    def _elsewhere(self, connected: Connected, path_hash: PathHash) -> str | None:
        context = self._context
        for other in (context.home, *context.stores):
            if other is not connected:
                with suppress(StoreError):
                    return read_path(context, other, path_hash)
        return None

    def _search(self) -> dict[PathHash, str]:
        """One walk through all paths that the log knows; none when the last one was in vain and
        nothing was learnt since."""
        context, journal = self._context, self._context.state.journal
        known = f"{journal.count()} {journal.count_in(EventState.NAMED, EventState.REFUSED)}"
        if context.state.fact(_SEARCHED) == known:
            return {}
        names = [parse_name(row.name) for row in self._waiting]
        wanted = {each for name in names for each in (name.target, name.source)}
        hashes = ((context.hasher.path(path), path) for path in journal.paths())
        found = {path_hash: path for path_hash, path in hashes if path_hash in wanted}
        with context.state.transaction("paths searched"):
            context.state.set_fact(_SEARCHED, known)
        return found
