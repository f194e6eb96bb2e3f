"""Reading the events that are new: their paths, and what they do to them.

Names come first and are committed as `NAMED` (`sync.listing`); then each new event is opened for
its paths (a batch for its manifest, the others through `eventsindex`). What cannot be read yet
stays `NAMED` and is tried again in every pass; what breaks the format is refused and shown, and
stops nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
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
    state = context.state
    paths = PathFinder(context, waiting)
    understood = 0
    for start in range(0, len(waiting), _GROUP):
        context.check_cancelled()
        with state.transaction("understand events"):
            for row in waiting[start : start + _GROUP]:
                understood += _understand_one(context, row, paths)
    return understood


def _understand_one(context: FolderContext, row: EventRow, paths: PathFinder) -> bool:
    state = context.state
    try:
        size, entries, moved = _read_event(context, row.name, paths)
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
    if moved is not None:
        state.dirty.mark_event(row.id)
        state.directory_moves.enter(row.id, *moved)
        return True
    state.journal.add_entries(row.id, entries)
    state.journal.mend_sizes(entries)
    if len(entries) > 1:
        state.dirty.mark_event(row.id)
    else:
        state.dirty.mark(entry.path for entry in entries)
    return True


class _Read(NamedTuple):
    """The size of an event's file and its entries; instead of these the source and target of a
    directory, where the event moves all that stands there and nothing else."""

    size: int
    entries: list[Entry]
    moved: tuple[str, str] | None = None


def _read_event(context: FolderContext, name: EventText, paths: PathFinder) -> _Read:
    """Size and entries of an event, from the first place that can tell.

    A store whose copy is no good, where another one's is, is known to lack the event from then on:
    it gets it again. Raises RefusedError, or the last place's StoreError.
    """
    error: StoreError | BadBatchError = NotFoundError(name, "is in no store in reach")
    bad: list[Connected] = []
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
                _note_lost(context, bad, name)
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
    for connected in context.stores:
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
            return _Read(size, [], moved)
        try:
            changes = read_manifest(manifest)
        except BadBatchError as error:
            raise RefusedError(str(error)) from error
        _check_size(name, size, len(manifest), changes)
        return _Read(size, entries_of_batch(changes, name, ref))
    path = finds(context, connected, event.target)
    source = None if event.source is None else finds(context, connected, event.source)
    length = connected.store.size(context.layout.event(name))
    if length is None:
        raise NotFoundError(name, "is not in the store")
    content_size = length if event.op in (Op.PUT, Op.LNK) else _named_size(context, event, source)
    return _Read(length, entries_of_event(event, name, ref, path, source, content_size))


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
