"""Learning what the stores have: new event names, then their paths.

A listing only ever adds knowledge (docs/design.md section 4, *Known names only grow*). Names come
first and are committed as `NAMED`; then each new event is opened for its paths (a batch for its
manifest, the others through `eventsindex`). What cannot be read yet stays `NAMED` and is tried
again in every pass; what breaks the format is refused and shown, and stops nothing else.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta

from firnline.core.batch import MAX_HEADER, BadBatchError, manifest_size, read_manifest
from firnline.core.clock import DateTime, format_time, parse_time
from firnline.core.entry import Change, Entry, entries_of_batch, entries_of_event
from firnline.core.event import BadNameError, EventName, EventText, Kind, Op, parse_name, ref_of
from firnline.core.hashing import PathHash
from firnline.core.paths import MAX_PATH_BYTES, BadPathError, check_path
from firnline.state.journal import EventRow, EventState
from firnline.state.store_table import NEVER, StoreRow
from firnline.stores.errors import CorruptError, NotFoundError, StoreError
from firnline.stores.layout import parse_late
from firnline.sync.bodies import CHUNK
from firnline.sync.context import Connected, FolderContext
from firnline.sync.event_writer import drop_store

OVERLAP = timedelta(hours=48)
FULL_LISTING = timedelta(days=7)
_GROUP = 500


class RefusedError(Exception):
    """An event that breaks the format; the message says how."""


def pull(context: FolderContext) -> int:
    """Learn all new events from all stores in reach; returns how many were understood."""
    for connected in list(context.stores):
        context.check_cancelled()
        try:
            _list_store(context, connected)
        except StoreError as error:
            drop_store(context, connected, error)
    return _understand(context)


def pull_home(context: FolderContext) -> None:
    """Learn what the home store holds: for a device that lost its table."""
    state = context.state
    with state.transaction("list home"):
        for names, _ in _days(context, context.home, NEVER):
            for name in sorted(names):
                state.stores.hold(_add(context, name), whole=True)


# --- listing ------------------------------------------------------------------------------------


def _list_store(context: FolderContext, connected: Connected) -> None:
    state = context.state
    before = state.stores.get(connected.store_id)
    assert before is not None, "attached when the pass began"
    started = format_time(connected.store.server_time() or context.clock.now())
    full = _is_due(before.listed_all, started, FULL_LISTING)
    since = NEVER if full else _before(before.listed, OVERLAP)
    hints = _read_hints(context, connected)
    hinted = {name for names in hints.values() for name in names}
    found = _Found(context, connected, hinted)
    junk = 0
    for names, others in _days(context, connected, since):
        found.add(names)
        junk += others
    found.add(set(_hinted(context, connected, hints)))
    if not found and not hints and not full and _recent(before, started):
        return
    with state.transaction("listing"):
        found.book()
        for file, news in hints.items():
            state.stores.add_hints(connected.store_id, file, news)
        state.stores.drop_hints(connected.store_id, found.names_found)
        listed_all = started if full else before.listed_all
        junk = junk if full else before.junk
        state.stores.put(
            StoreRow(connected.store_id, connected.generation, started, listed_all, junk)
        )


class _Found:
    """What a listing adds to what is known; holds the news only, not the listing."""

    def __init__(self, context: FolderContext, connected: Connected, hinted: set[str]) -> None:
        self._context = context
        self._store = connected.store_id
        lacking = context.state.stores.lacking(connected.store_id)
        self._lacking = {name: event for event, name in lacking}
        self._here: list[int] = []
        self._new: list[str] = []
        self.names_found: set[str] = set()
        self._hinted = set(context.state.stores.hints(connected.store_id)) | hinted

    def __bool__(self) -> bool:
        return bool(self._here or self._new)

    def add(self, names: set[str]) -> None:
        """Names that stand in the store."""
        if not names:
            return
        known = self._context.state.journal.known_names(min(names), max(names) + "~")
        self._new += sorted(names - known)
        self._here += [self._lacking[name] for name in names if name in self._lacking]
        self.names_found |= names & self._hinted

    def book(self) -> None:
        """Inside the caller's transaction."""
        here = self._here + [_add(self._context, name) for name in self._new]
        self._context.state.stores.has(self._store, here)


def _recent(before: StoreRow, started: DateTime) -> bool:
    """Not worth a write: the next pass lists from the same day on anyway."""
    return not _is_due(before.listed, started, timedelta(hours=12))


def _is_due(last: DateTime, now: DateTime, interval: timedelta) -> bool:
    return last == NEVER or parse_time(now) - parse_time(last) > interval


def _before(time: DateTime, span: timedelta) -> DateTime:
    return NEVER if time == NEVER else format_time(parse_time(time) - span)


def _days(
    context: FolderContext, connected: Connected, since: DateTime
) -> Iterator[tuple[set[str], int]]:
    """Day by day from `since` on: the event names, and how many other names stand among them."""
    for day in connected.store.list(context.layout.events):
        if not day.is_directory or day.name < since[:8]:
            continue
        names: set[str] = set()
        junk = 0
        for listed in connected.store.list(f"{context.layout.events}/{day.name}"):
            context.check_cancelled()
            if _is_event_of(listed.name, day.name):
                names.add(listed.name)
            else:
                junk += 1
        yield names, junk


def _is_event_of(name: str, day: str) -> bool:
    try:
        parse_name(name)
    except BadNameError:
        return False
    return name[:8] == day


def _add(context: FolderContext, name: str) -> int:
    """A name that is new: every store owes it until it is found there."""
    state = context.state
    text = EventText(name)
    known = state.journal.event(name)
    if known is not None:
        return known.id
    event = state.journal.add(text, ref_of(text, context.hasher), 0, EventState.NAMED)
    state.stores.owe(event, state.stores.ids())
    return event


# --- late hints ---------------------------------------------------------------------------------


def _read_hints(context: FolderContext, connected: Connected) -> dict[str, list[str]]:
    """New hint files: their place → the event names in them."""
    read = context.state.stores.hint_files(connected.store_id)
    found: dict[str, list[str]] = {}
    for file in _hint_files(connected):
        if file in read:
            continue
        with suppress(NotFoundError, CorruptError):
            text = connected.store.read_small(file, 2**24).decode("ascii", "replace")
            found[file] = [name for name in text.split("\n") if _parses(name)]
    return found


def _hint_files(connected: Connected) -> Iterator[str]:
    for connection in connected.store.list("connections"):
        if not connection.is_directory:
            continue
        for listed in connected.store.list(f"connections/{connection.name}"):
            if parse_late(listed.name) is not None:
                yield f"connections/{connection.name}/{listed.name}"


def _parses(name: str) -> bool:
    try:
        parse_name(name)
    except BadNameError:
        return False
    return True


def _hinted(
    context: FolderContext, connected: Connected, hints: dict[str, list[str]]
) -> Iterator[str]:
    """Hinted names that stand in the store by now."""
    waiting = {name for names in hints.values() for name in names}
    waiting.update(context.state.stores.hints(connected.store_id))
    for name in waiting:
        if connected.store.size(context.layout.event(EventText(name))) is not None:
            yield name


# --- understanding ------------------------------------------------------------------------------


def _understand(context: FolderContext) -> int:
    """Read the paths of all events that are only named so far."""
    state = context.state
    waiting = state.journal.in_state(EventState.NAMED)
    understood = 0
    for start in range(0, len(waiting), _GROUP):
        context.check_cancelled()
        with state.transaction("understand events"):
            for row in waiting[start : start + _GROUP]:
                understood += _understand_one(context, row)
    return understood


def _understand_one(context: FolderContext, row: EventRow) -> bool:
    state = context.state
    try:
        size, entries = _read_event(context, row.name)
    except RefusedError as error:
        state.journal.set_state(row.id, EventState.REFUSED, str(error))
        return False
    except (StoreError, BadBatchError) as error:
        state.journal.set_state(row.id, EventState.NAMED, str(error))
        return False
    pat = parse_name(row.name).op is Op.PAT
    why = "a delta, which this version of Firnline cannot read yet" if pat else ""
    state.journal.set_state(row.id, EventState.BODILESS if pat else EventState.KNOWN, why)
    state.journal.set_size(row.id, size)
    state.journal.add_entries(row.id, entries)
    state.journal.mend_sizes(entries)
    state.journal.mark_dirty(entry.path for entry in entries)
    return True


def _read_event(context: FolderContext, name: EventText) -> tuple[int, list[Entry]]:
    """Size and entries of an event, from the first place that can tell.

    Raises RefusedError, or the last place's StoreError.
    """
    error: StoreError | BadBatchError = NotFoundError(name, "is in no store in reach")
    for connected in _places(context, name):
        try:
            return _read_from(context, connected, name)
        except (StoreError, BadBatchError) as failure:
            error = failure
    raise error


def _places(context: FolderContext, name: EventText) -> Iterator[Connected]:
    state = context.state
    row = state.journal.event(name)
    assert row is not None
    if state.stores.holds(row.id):
        yield context.home
    for connected in context.stores:
        if not state.stores.lacks(connected.store_id, row.id):
            yield connected


def _read_from(
    context: FolderContext, connected: Connected, name: EventText
) -> tuple[int, list[Entry]]:
    event = parse_name(name)
    ref = ref_of(name, context.hasher)
    if event.op is Op.BAT:
        size, manifest = _read_manifest(context, connected, event)
        try:
            changes = read_manifest(manifest)
        except BadBatchError as error:
            raise RefusedError(str(error)) from error
        _check_size(name, size, len(manifest), changes)
        return size, entries_of_batch(changes, name, ref)
    path = _read_path(context, connected, event.target)
    source = None if event.source is None else _read_path(context, connected, event.source)
    length = connected.store.size(context.layout.event(name))
    if length is None:
        raise NotFoundError(name, "is not in the store")
    content_size = length if event.op in (Op.PUT, Op.LNK) else _named_size(context, event, source)
    return length, entries_of_event(event, name, ref, path, source, content_size)


def _read_manifest(
    context: FolderContext, connected: Connected, event: EventName
) -> tuple[int, bytes]:
    """The size of a batch's file, and its manifest, checked against its name."""
    with connected.store.open(context.layout.event(event.text)) as reader:
        head = reader.read(MAX_HEADER)
        header, length = manifest_size(head)
        missing = header + length - len(head)
        if header + length > reader.size:
            raise CorruptError(event.text, "the manifest is cut")
        while missing > 0:
            chunk = reader.read(min(missing, CHUNK))
            if not chunk:
                raise CorruptError(event.text, "the manifest is cut")
            head += chunk
            missing -= len(chunk)
        size = reader.size
    found = head[: header + length]
    if context.hasher.data(found) != event.data_hash:
        raise CorruptError(event.text, "the manifest is not the one that its name promises")
    return size, found[header:]


def _check_size(name: EventText, size: int, manifest: int, changes: list[Change]) -> None:
    """A batch ends with its last body, or (when nobody has the bodies) with its manifest.

    Any other size is a copy that broke off, and counts as absent. Raises CorruptError.
    """
    bodies = sum(change.size for change in changes if change.offset is not None)
    start = size - manifest - len(b"firnline-batch 1 \n") - len(str(manifest))
    if start not in (0, bodies):
        raise CorruptError(name, "the file is shorter or longer than its manifest says")


def _read_path(context: FolderContext, connected: Connected, path_hash: PathHash) -> str:
    """A path from `eventsindex`, taken only when its hash is right."""
    body = connected.store.read_small(context.layout.index(path_hash), MAX_PATH_BYTES)
    try:
        path = body.decode()
        if context.hasher.path(path) != path_hash:
            raise CorruptError(path_hash, "a path that does not fit its hash")
        return check_path(path)
    except UnicodeDecodeError as error:
        raise RefusedError("a path that is not UTF-8") from error
    except BadPathError as error:
        raise RefusedError(f"a path that is refused: {error}") from error


def _named_size(context: FolderContext, event: EventName, source: str | None) -> int:
    """The size of content that an event names and does not carry, as far as it is known."""
    if event.op not in (Op.MOV, Op.CPY) or source is None:
        return 0
    return known_size(context.state.journal.entries(source), event.data_hash)


def known_size(entries: Iterable[Entry], data_hash: str) -> int:
    """The size of a content among the entries of a path, 0 when it is not there."""
    for entry in entries:
        if entry.data_hash == data_hash and entry.kind in (Kind.FILE, Kind.LINK):
            return entry.size
    return 0
