"""Events that were being written when a pass ended: each is one, or never was.

It is an event, and the next change names it, when it stands in a store, when the home store has
its content, or when a store that it may have gone to cannot be asked; else it never was
(docs/design.md section 2, *Writing*). After a failed write only the right content counts, so what
stands there is read. Where it is wrong, others have seen the name: it is written again.
"""

from collections.abc import Iterable

from firnline.core.entry import Entry
from firnline.core.event import NO_FLAGS, Kind
from firnline.core.hashing import NO_PARENT
from firnline.core.heads import by_ref
from firnline.state.file_index import FileRow
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import StoreError
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import indexed_paths
from firnline.sync.event_writer import (
    FROM_FOLDER,
    HOME_FIRST,
    drop_store,
    flush_small,
    missing_index,
)
from firnline.sync.verify_stream import Standing, look

_UNCONFIRMED = "unconfirmed"


def settle_open_events(context: FolderContext) -> None:
    """Raises StoreError when the home store fails."""
    for row in context.state.journal.in_state(EventState.OPEN):
        _settle(context, row)


def _settle(context: FolderContext, row: EventRow) -> None:
    home = _look_home(context, row)
    found = {s.store_id: _look(context, s, row) for s in list(context.stores)}
    named = any(what is not Standing.NOTHING for what in found.values())
    state = context.state
    with state.transaction("settle event"):
        unknown = context.unreached and HOME_FIRST not in row.why
        entries = state.journal.entries_of_event(row.id)
        rows = state.files.get_many([entry.path for entry in entries])
        if not (named or home or unknown):
            state.journal.forget(row.id)
            _take_back(context, entries, rows)
            return
        state.journal.set_state(row.id, EventState.KNOWN)
        if not (named or home):
            note_unconfirmed(state, {*unconfirmed(state), row.name})
        for store_id, what in found.items():
            if what is Standing.WHOLE:
                state.stores.has(store_id, [row.id])
            elif what is Standing.WRONG:
                state.stores.lost(store_id, row.id, wrong=True)
        if home:
            state.stores.hold(row.id, whole=True)
        state.dirty.mark(entry.path for entry in entries)
        if FROM_FOLDER in row.why:
            state.files.put_many(_taken(entries, rows))


def unconfirmed(state: FolderState) -> set[str]:
    """Names of events that nobody has seen anywhere: their store could not be asked."""
    return set((state.fact(_UNCONFIRMED) or "").split())


def note_unconfirmed(state: FolderState, names: Iterable[str]) -> None:
    """Inside the caller's transaction."""
    state.set_fact(_UNCONFIRMED, " ".join(sorted(names)))


def _look_home(context: FolderContext, row: EventRow) -> bool:
    """True when the home store has all of it; a part is nobody's, and goes."""
    found = look(context, context.home, row)
    if found is Standing.WRONG:
        context.home.store.delete(context.layout.event(row.name))
    return found is Standing.WHOLE


def _look(context: FolderContext, connected: Connected, row: EventRow) -> Standing:
    """What a store has; index entries that are missing beside a whole event are written again.

    A store that fails is out of reach from now on.
    """
    try:
        found = look(context, connected, row)
        if found is Standing.WHOLE:
            entries = context.state.journal.entries_of_event(row.id)
            index = missing_index(context, connected, indexed_paths(row.name, entries))
            flush_small(connected, index)
    except StoreError as error:
        drop_store(context, connected, error)
        return Standing.NOTHING
    return found


def _take_back(context: FolderContext, entries: Iterable[Entry], rows: dict[str, FileRow]) -> None:
    """No file stands on an event that never was: it stands on what that one was to replace, and is
    still to be told. While it was open it looked like any other, so somebody may have booked it."""
    files, journal = context.state.files, context.state.journal
    for entry in entries:
        row = rows.get(entry.path)
        if row is None or row.base != entry.ref:
            continue
        replaced = by_ref(journal.entries(entry.path)).get(entry.closes)
        if replaced is None:
            files.forget([entry.path])
            continue
        flags = replaced.flags if replaced.kind is Kind.FILE else NO_FLAGS
        content = (replaced.kind, 0, 0, 0, replaced.data_hash, flags)
        files.put_many([FileRow(entry.path, *content, replaced.ref, row.local)])


def _taken(entries: Iterable[Entry], rows: dict[str, FileRow]) -> Iterable[FileRow]:
    """The rows of paths that an event took in: the next change names the event.

    What stands there now is for the scan to say, so it is to be read in any case. A row that does
    not stand on what the event was made of has gone on meanwhile.
    """
    for entry in entries:
        row = rows.get(entry.path)
        if row is None or row.base == entry.parent or _is_arrival(entry, row):
            flags = entry.flags if entry.kind is Kind.FILE else NO_FLAGS
            local = None if row is None else row.local
            yield FileRow(entry.path, entry.kind, 0, 0, 0, entry.data_hash, flags, entry.ref, local)


def _is_arrival(entry: Entry, row: FileRow) -> bool:
    """A `mov` onto a path where nothing stood: its PARENT speaks of the source."""
    return entry.closes == NO_PARENT and row.kind is Kind.NOTHING
