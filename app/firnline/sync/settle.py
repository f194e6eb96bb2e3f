"""The start of a pass after an unclean end: open events and intents are settled.

Before any scan and any apply (docs/design.md section 7): a scan that ran first would take our own
half-booked work for the user's.
"""

from collections.abc import Iterable
from contextlib import suppress

from firnline.core.entry import Entry
from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind, clamp_mtime
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, DataHash, Ref
from firnline.core.paths import ancestors
from firnline.folder.errors import Changed, FolderError
from firnline.folder.metadata import Stat
from firnline.state.file_index import FileRow
from firnline.state.intents import Intent, Rescued
from firnline.sync.apply_rows import expected_stat, stamped
from firnline.sync.bodies import hash_of_local
from firnline.sync.context import FolderContext
from firnline.sync.open_events import settle_open_events
from firnline.sync.rescue import hash_of_kept


def settle(context: FolderContext) -> None:
    """Bring tables and folder into agreement with what really happened. Repeatable."""
    settle_open_events(context)
    intents = context.state.intents.all()
    _settle_kept(context, intents)
    if intents:
        rows: list[FileRow] = []
        for intent in intents:
            # What cannot be looked at now is left to the scan and the next apply.
            with suppress(FolderError):
                rows += _settle_intent(context, intent)
        _remove_empty(context, intents)
        with context.state.transaction("settle intents"):
            context.state.files.put_many(rows)
            context.state.intents.clear()
    context.root.sweep_temporaries()


# --- replaced files that were not verified yet --------------------------------------------------


def _settle_kept(context: FolderContext, intents: list[Intent]) -> None:
    """A kept file is the one that the table knows, the new one that had not taken its place yet
    (`folder.replace`), or else a save that slipped in."""
    kept_names = context.root.list_kept()
    if not kept_names:
        return
    rescued = {item.kept for item in context.state.intents.rescued()}
    by_hash = {str(context.hasher.path(intent.path)): intent for intent in intents}
    for kept in kept_names:
        if kept in rescued:
            continue
        intent = by_hash.get(kept.partition("-")[0])
        row = None if intent is None else context.state.files.get(intent.path)
        if intent is not None and row is not None and _put_back(context, kept, intent, row):
            continue
        if intent is not None and row is not None and _is_save(context, kept, intent, row):
            with context.state.transaction("rescue"):
                context.state.intents.rescue(Rescued(kept, row.path, row.base))
            continue
        if intent is not None or _is_in_log(context, kept):
            context.root.drop_kept(kept)
        else:
            _rescue_unknown(context, kept)


def _is_in_log(context: FolderContext, kept: str) -> bool:
    """True when nothing is lost with it."""
    stat = context.root.kept_stat(kept)
    if stat is None or stat.kind not in (Kind.FILE, Kind.LINK):
        return True
    content = hash_of_kept(context, kept, stat.kind)
    return content == EMPTY_HASH or bool(context.state.journal.paths_of(content))


def _rescue_unknown(context: FolderContext, kept: str) -> None:
    """The tables that spoke of it were lost. As long as the log does not know its path either, it
    stays where it is."""
    wanted = kept.partition("-")[0]
    for path, _ in context.state.journal.logs():
        if context.hasher.path(path) == wanted:
            row = context.state.files.get(path)
            base = NO_PARENT if row is None else row.base
            with context.state.transaction("rescue"):
                context.state.intents.rescue(Rescued(kept, path, base))
            return


def _put_back(context: FolderContext, kept: str, intent: Intent, row: FileRow) -> bool:
    """Where a file system can neither exchange nor link, a replaced file has no name for a moment.

    It gets its own again: dropped, it would look like the user's deletion.
    """
    local = row.local or row.path
    stat = context.root.kept_stat(kept)
    if intent.action != "place" or stat is None or not _is(row, stat):
        return False
    if context.root.stat(local) is not None:
        return False
    context.root.put_back(kept, local)
    return True


def _is_save(context: FolderContext, kept: str, intent: Intent, row: FileRow) -> bool:
    stat = context.root.kept_stat(kept)
    if stat is None or _is(row, stat) or stat.kind not in (Kind.FILE, Kind.LINK):
        return False
    content = hash_of_kept(context, kept, stat.kind)
    return (stat.kind, content) != (intent.kind, intent.data_hash)


def _is(row: FileRow, stat: Stat) -> bool:
    return (row.size, row.mtime_ns, row.inode) == (stat.size, stat.mtime_ns, stat.inode)


# --- intents ------------------------------------------------------------------------------------


def _settle_intent(context: FolderContext, intent: Intent) -> list[FileRow]:
    """The rows that hold if the intent was carried out; none if it was not."""
    if intent.action == "rmdir":
        return []
    if intent.action == "remove":
        gone = context.root.stat(context.root.locate(intent.path)) is None
        return [_gone(intent.path, Ref(intent.base))] if gone else []
    if intent.action == "place":
        return _settle_place(context, intent)
    assert intent.other is not None
    if intent.action == "move":
        row = context.state.files.get(intent.path)
        return [] if row is None else _settle_move(context, row, intent.other)
    found = []
    for row in list(context.state.files.below(intent.path)):
        found += _settle_move(context, row, intent.other + row.path[len(intent.path) :])
    return found


def _remove_empty(context: FolderContext, intents: Iterable[Intent]) -> None:
    """Directories that were emptied, or were made for what never came: the scan would take them
    for the user's own."""
    found: set[str] = set()
    for intent in intents:
        if intent.action == "rmdir":
            found.add(intent.path)
        else:
            found.update(ancestors(intent.other or intent.path))
    for directory in sorted(found, key=len, reverse=True):
        with suppress(FolderError):
            _remove_if_empty(context, directory)


def _remove_if_empty(context: FolderContext, path: str) -> None:
    row = context.state.files.get(path)
    if row is None or row.kind is not Kind.DIRECTORY:
        context.root.remove_directory(context.root.locate(path))


def _settle_place(context: FolderContext, intent: Intent) -> list[FileRow]:
    row = context.state.files.get(intent.path)
    try:
        local = context.root.locate(intent.path) if row is None else row.local or row.path
        stat = context.root.stat(local)
        if stat is None or stat.kind is not intent.kind:
            return []
        if hash_of_local(context, local, intent.kind) != intent.data_hash:
            return []
    except FolderError:
        return []
    flags = EXECUTABLE if stat.executable else NO_FLAGS
    if not context.root.has_modes:
        flags = intent.flags
    if intent.kind is Kind.FILE and flags != intent.flags:
        return []
    return [
        FileRow(
            intent.path,
            intent.kind,
            stat.size,
            stamped(context, stat.mtime_ns),
            stat.inode,
            DataHash(intent.data_hash),
            flags,
            Ref(intent.base),
            None if local == intent.path else local,
        )
    ]


def _settle_move(context: FolderContext, row: FileRow, target: str) -> list[FileRow]:
    """A file that stands at the target and no longer at the source was moved by us; if somebody
    wrote to it since, that is for the scan to find."""
    local = context.root.locate(target)
    stat = context.root.stat(local)
    if stat is None or (stat.kind, stat.inode) != (row.kind, row.inode):
        return []
    if context.root.stat(row.local or row.path) is not None:
        return []
    arrivals = [
        entry
        for entry in context.state.journal.entries(target)
        if entry.other == row.path and entry.data_hash == row.data_hash
    ]
    if not arrivals:
        return []
    arrival = arrivals[-1]
    moved = row._replace(
        path=target,
        base=arrival.ref,
        local=None if local == target else local,
        mtime_ns=_timed(context, local, row, arrival),
    )
    return [_gone(row.path, arrival.ref), moved]


def _timed(context: FolderContext, local: str, row: FileRow, arrival: Entry) -> int:
    """The time that its event brought, unless somebody wrote to the file since."""
    if row.kind is Kind.FILE and clamp_mtime(row.mtime_ns) != arrival.mtime:
        with suppress(Changed):
            stat = context.root.touch(local, arrival.mtime, expected_stat(row))
            return stamped(context, stat.mtime_ns)
    return row.mtime_ns


def _gone(path: str, base: Ref) -> FileRow:
    return FileRow(path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, NO_FLAGS, base)
