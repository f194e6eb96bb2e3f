"""Which stores lack what has to stand in them before a new event does.

An event file is in a store only after its parents, and when all that it brings can be found there
by hash, what it only names included (docs/design.md sections 2, *Writing*, and 4). A store that
was away may still lack the event that brought the content of a file which was moved meanwhile.
Written there at once, the move would show others a file that nobody can give them, and for ever if
this device died before it copied the rest. So where no other store can take it, such an event waits
in the home store, and the copier, at the end of the pass, brings all of it in its order.

The same holds for what made room: where a file was replaced by a directory, an event below it that
comes before the file's deletion looks like a conflict of both, and whoever sees it so would bring
the deleted file back under another name (section 3, rule 6).
"""

from collections.abc import Iterable

from firnline.core.entry import Entry
from firnline.core.event import Kind
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, DataHash, Ref
from firnline.core.paths import parent_of
from firnline.stores.errors import StoreError
from firnline.sync.context import Connected, FolderContext


def stores_behind(context: FolderContext, entries: Iterable[Entry]) -> frozenset[str]:
    """The stores in reach that lack a parent of these entries, which are written together, or a
    content that they name and do not bring."""
    lacking = context.state.stores.lacking_count
    # What lacks nothing is not asked for each of them: a batch has up to a hundred thousand.
    behind = [connected for connected in context.stores if lacking(connected.store_id)]
    if not behind:
        return frozenset()
    entries = list(entries)
    parents = {entry.parent for entry in entries} - {NO_PARENT}
    files = [e for e in entries if e.kind in (Kind.FILE, Kind.LINK) and e.data_hash != EMPTY_HASH]
    brought = {entry.data_hash for entry in files if entry.offset is not None}
    named = {entry.data_hash for entry in files} - brought
    room, lacks = room_makers(context, entries), context.state.stores.lacks
    return frozenset(
        connected.store_id
        for connected in behind
        if not all(_has_event(context, connected, ref) for ref in parents)
        or any(lacks(connected.store_id, event) for event in room)
        or not all(has_content(context, connected, data_hash) for data_hash in named)
    )


def room_makers(context: FolderContext, entries: Iterable[Entry]) -> set[int]:
    """The events that deleted something where these entries now need a directory."""
    above: set[str] = set()
    for entry in entries:
        path = parent_of(entry.path) if entry.puts else ""
        while path and path not in above:
            above.add(path)
            path = parent_of(path)
    journal = context.state.journal
    gone = (each for path in sorted(above) for each in journal.entries(path) if not each.puts)
    return {row.id for each in gone if (row := journal.event(each.event)) is not None}


def with_event(context: FolderContext, ref: Ref) -> list[Connected]:
    """The stores in reach that take bodies and have what an event on top of `ref` stands on."""
    takers = context.with_room
    return takers if ref == NO_PARENT else [c for c in takers if _has_event(context, c, ref)]


def _has_event(context: FolderContext, connected: Connected, ref: Ref) -> bool:
    """Also of an event that nobody here knows."""
    lacks = context.state.stores.lacks
    known = context.state.journal.by_ref(ref)
    return not known or any(not lacks(connected.store_id, row.id) for row in known)


def has_content(context: FolderContext, connected: Connected, data_hash: DataHash) -> bool:
    """In an event that is known to stand in the store, or in its history; not when it fails."""
    stores = context.state.stores
    for event, *_ in context.state.journal.carriers(data_hash):
        if not stores.lacks(connected.store_id, event):
            return True
    try:
        return connected.store.size(context.layout.history(data_hash)) is not None
    except StoreError:
        return False
