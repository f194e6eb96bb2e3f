"""Reading the events that are new: their paths, and what they do to them.

Names come first and are committed as `NAMED` (`sync.listing`); then each new event is opened for
its paths (a batch for its manifest, the others through `eventsindex`). What cannot be read yet
stays `NAMED` and is tried again in every pass; what breaks the format is refused and shown, and
stops nothing else. Stores are read before the transaction that books what they told: who waits for
a slow one holds up nobody who writes into the tables meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from firnline.core.batch import MAX_HEADER, BadBatchError, manifest_size, read_manifest
from firnline.core.entry import Change, Entry, entries_of_batch, entries_of_event
from firnline.core.event import EventName, EventText, Op, parse_name, ref_of
from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import CorruptError, NotFoundError, StoreError, UnavailableError
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.event_writer import drop_store
from firnline.sync.index_paths import Finder, PathFinder, RefusedError, read_path
from firnline.sync.listing import list_stores
from firnline.sync.verify_stream import CHUNK, note_lost_at_home
from firnline.sync.whole_directories import read_whole

_GROUP = 500
_MEMBERS = 20_000
"""Of batches that are booked together."""


class Pulled(NamedTuple):
    """What a pull learnt."""

    understood: int
    """Events that were read."""
    problems: list[Problem]
    """What is wrong with a store."""


def pull(context: FolderContext) -> Pulled:
    """Learn all new events from all stores in reach."""
    problems = list_stores(context)
    waiting = context.state.journal.in_state(EventState.NAMED)
    return Pulled(understand(context, waiting), problems)


def understand(context: FolderContext, waiting: Sequence[EventRow]) -> int:
    """Read the paths of events that are only named so far; returns of how many that was done."""
    paths = PathFinder(context, waiting)
    understood = 0
    rows = iter(waiting)
    while group := _read_some(context, rows, paths):
        with context.state.transaction("understand events"):
            first, *others = group
            understood += _book(context, first, first=True)
            understood += sum(_book(context, each) for each in others)
    return understood


class _Told(NamedTuple):
    """What the stores said of one event; without `read`, why it is as it is."""

    row: EventRow
    read: "_Read | None"
    bad: Sequence[Connected]
    """Whose copy is no good."""
    state: EventState = EventState.NAMED
    why: str = ""


def _read_some(context: FolderContext, rows: Iterator[EventRow], paths: PathFinder) -> list[_Told]:
    """As many as are booked together: memory holds all that they say."""
    told: list[_Told] = []
    members = 0
    for row in rows:
        context.check_cancelled()
        told.append(_ask(context, row, paths))
        members += told[-1].read.members if told[-1].read is not None else 0
        if len(told) >= _GROUP or members >= _MEMBERS:
            break
    return told


def _ask(context: FolderContext, row: EventRow, paths: PathFinder) -> _Told:
    bad: list[Connected] = []
    try:
        return _Told(row, _read_event(context, row.name, paths, bad), bad)
    except RefusedError as error:
        return _Told(row, None, [], EventState.REFUSED, str(error))
    except (StoreError, BadBatchError) as error:
        return _Told(row, None, [], EventState.NAMED, str(error))


def _book(context: FolderContext, told: _Told, *, first: bool = False) -> bool:
    """Inside the caller's transaction; True when it was understood. `first`: nothing was booked
    since it was read."""
    state, (row, read, *_) = context.state, told
    _note_lost(context, told.bad, row.name)
    if read is None:
        state.journal.set_state(row.id, told.state, told.why)
        return False
    pat = parse_name(row.name).op is Op.PAT
    why = "a delta, which this version of Firnline cannot read yet" if pat else ""
    state.journal.set_state(row.id, EventState.BODILESS if pat else EventState.KNOWN, why)
    state.journal.set_size(row.id, read.size)
    moved = read.moved
    if read.whole is not None and not first:
        # What was booked before it may have to do with the same paths.
        moved = read_whole(state, read.whole)
    if moved is not None:
        state.dirty.mark_event(row.id)
        state.directory_moves.enter(row.id, *moved)
        return True
    entries = read.entries()
    state.journal.add_entries(row.id, entries)
    state.journal.mend_sizes(entries)
    if len(entries) > 1:
        state.dirty.mark_event(row.id)
    else:
        state.dirty.mark(entry.path for entry in entries)
    return True


class _Read(NamedTuple):
    """The size of an event's file, and its entries."""

    size: int
    entries: Callable[[], list[Entry]]
    """To be asked when all that was read before is booked: it may bring the content whose size a
    move names."""
    members: int = 1
    whole: bytes | None = None
    """The manifest of a batch that seems to move all that stands below a directory, and no more."""
    moved: tuple[str, str] | None = None
    """Source and target of that directory, as the tables are now."""


def _read_event(
    context: FolderContext, name: EventText, paths: PathFinder, bad: list[Connected]
) -> _Read:
    """Size and entries of an event, from the first place that can tell.

    A store whose copy is no good, where another one's is, is added to `bad`: it is known to lack
    the event from then on, and gets it again. Raises RefusedError, or the last place's StoreError.
    """
    error: StoreError | BadBatchError = NotFoundError(name, "is in no store in reach")
    # Its paths stand beside it; where they are damaged, somebody else may know them.
    for finds in (read_path, paths.find):
        for connected in list(_places(context, name)):
            try:
                found = _read_from(context, connected, name, finds)
            except UnavailableError as failure:
                drop_store(context, connected, failure)
                error = failure
            except (StoreError, BadBatchError) as failure:
                bad.append(connected)
                error = failure
            else:
                return found
        if parse_name(name).op is Op.BAT:
            break
    try:
        raise error
    finally:
        # Else it and this call would hold each other.
        del error


def _note_lost(context: FolderContext, places: Iterable[Connected], name: EventText) -> None:
    """Inside the caller's transaction."""
    state = context.state
    for connected in places:
        row = state.journal.event(name)
        assert row is not None
        if connected is context.home:
            note_lost_at_home(context, row.id)
        else:
            state.stores.lost(connected.store_id, row.id, wrong=True)


def _places(context: FolderContext, name: EventText) -> Iterator[Connected]:
    state = context.state
    row = state.journal.event(name)
    assert row is not None
    if state.stores.holds(row.id):
        yield context.home
    for connected in context.sources:
        if not state.stores.lacks(connected.store_id, row.id):
            yield connected


def _read_from(
    context: FolderContext, connected: Connected, name: EventText, finds: Finder
) -> _Read:
    event = parse_name(name)
    ref = ref_of(name, context.hasher)
    if event.op is Op.BAT:
        size, manifest = _read_manifest(context, connected, event)
        moved = read_whole(context.state, manifest)
        if moved is not None:
            _check_size(name, size, len(manifest), [])

            def each() -> list[Entry]:
                return entries_of_batch(read_manifest(manifest), name, ref)

            return _Read(size, each, 1, manifest, moved)
        try:
            changes = read_manifest(manifest)
        except BadBatchError as error:
            raise RefusedError(str(error)) from error
        _check_size(name, size, len(manifest), changes)
        entries = entries_of_batch(changes, name, ref)
        return _Read(size, lambda: entries, len(entries))
    path = finds(context, connected, event.target)
    source = None if event.source is None else finds(context, connected, event.source)
    length = connected.store.size(context.layout.event(name))
    if length is None:
        raise NotFoundError(name, "is not in the store")

    def single() -> list[Entry]:
        carried = event.op in (Op.PUT, Op.LNK)
        content_size = length if carried else _named_size(context, event, source)
        return entries_of_event(event, name, ref, path, source, content_size)

    return _Read(length, single)


def _read_manifest(
    context: FolderContext, connected: Connected, event: EventName
) -> tuple[int, bytes]:
    """The size of a batch's file, and its manifest, checked against its name."""
    with connected.store.open(context.layout.event(event.text)) as reader:
        head = bytearray(reader.read(MAX_HEADER))
        header, length = manifest_size(bytes(head))
        end = header + length
        while len(head) < end:
            chunk = reader.read(min(end - len(head), CHUNK))
            if not chunk:
                raise CorruptError(event.text, "the manifest is cut")
            head += chunk
        size = reader.size
    del head[end:]
    if context.hasher.data(head) != event.data_hash:
        raise CorruptError(event.text, "the manifest is not the one that its name promises")
    del head[:header]
    return size, bytes(head)


def _check_size(name: EventText, size: int, manifest: int, changes: list[Change]) -> None:
    """A batch ends with its last body, or (when nobody has the bodies) with its manifest.

    Any other size is a copy that broke off, and counts as absent. Raises CorruptError.
    """
    bodies = sum(change.size for change in changes if change.offset is not None)
    start = size - manifest - len(b"firnline-batch 1 \n") - len(str(manifest))
    if start not in (0, bodies):
        raise CorruptError(name, "the file is shorter or longer than its manifest says")


def _named_size(context: FolderContext, event: EventName, source: str | None) -> int:
    """The size of content that an event names and does not carry, as far as it is known."""
    if event.op not in (Op.MOV, Op.CPY) or source is None:
        return 0
    return context.state.journal.size_at(source, event.data_hash, event.parent)
