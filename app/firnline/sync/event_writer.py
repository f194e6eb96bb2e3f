"""Writing events: to this device's tables, to the home store where needed, to the best store.

The order is the point (docs/design.md section 2, *Writing*): the event's name and rows are
committed as *open*, then the home store has the body where it has to, then the body leaves for the
best store, and only when it stands somewhere is it booked as known. Killed in between, the next
start finds the open event and looks it up (`sync.settle`).
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from firnline.core.clock import DAY_AHEAD, format_time
from firnline.core.entry import Entry
from firnline.state.journal import EventState
from firnline.stores.errors import (
    CorruptError,
    DeniedError,
    FullError,
    NotFoundError,
    SlowError,
    StoreError,
)
from firnline.stores.layout import ConnectionLayout
from firnline.sync.behind import stores_behind
from firnline.sync.context import Connected, FolderContext, Unreached
from firnline.sync.drafts import Draft, closing, draft_single
from firnline.sync.event_clock import EventClock

HOME_FIRST = "home first"
"""Noted of an open event: its body goes to the home store before it goes anywhere else."""
FROM_FOLDER = "from the folder"
"""Noted of an open event: it was made of what stood in the folder."""

_RESERVE = 2**30
"""Bytes of this computer's disk that are not used up to spare a pass the wait for a slow store."""


class NowhereToWriteError(Exception):
    """Not even the home store takes the event: this computer's disk is full or failing."""


class EventWriter:
    """Writes events of one folder. Stores that fail are dropped for the rest of the pass."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._ids: dict[str, int] = {}
        self._doubtful: set[str] = set()
        """Stores where a write failed: a part of what is being written may stand there."""
        self._later: dict[str, frozenset[str]] = {}
        """Of an open event, the stores that lack what has to stand there before it does."""

    @property
    def needs_home(self) -> bool:
        """True when the home store has to have the body before it leaves (section 4).

        A minor store alone is no safe place: what stands only there may be in a drawer by the
        time when a lasting store is back.
        """
        context = self._context
        ready = sum(not s.minor for s in context.with_room)
        lasting = sum(not s.minor for s in context.stores)
        lasting += sum(not s.minor for s in context.unreached)
        return context.keep_all or not ready or lasting > 1

    def open(self, drafts: Iterable[Draft], *, from_folder: bool = False) -> None:
        """Commit names and rows, before anything leaves."""
        state = self._context.state
        drafts = list(drafts)
        later = stores_behind(self._context, (e for draft in drafts for e in draft.entries))
        self._later |= {draft.name: later for draft in drafts}
        needs_home = self.needs_home
        with state.transaction("open event"):
            owed = state.stores.ids()
            for draft in drafts:
                # What went to a store that failed may stand there, whatever comes next.
                first = needs_home and draft.name not in self._ids
                notes = {HOME_FIRST: first, FROM_FOLDER: from_folder}
                why = ", ".join(note for note, holds in notes.items() if holds)
                event = state.journal.add(draft.name, draft.ref, draft.size, EventState.OPEN)
                state.journal.set_state(event, EventState.OPEN, why)
                if draft.moved is None:
                    state.journal.add_entries(event, draft.entries)
                else:
                    state.directory_moves.enter(event, *draft.moved)
                state.stores.owe(event, owed)
                self._ids[draft.name] = event

    def send(self, drafts: Sequence[Draft]) -> list[Connected]:
        """Write the bodies; returns where they stand now. May run on a worker thread.

        Raises NowhereToWriteError.
        """
        context, takers = self._context, self._takers(drafts)
        size = sum(draft.size for draft in drafts)
        places: list[Connected] = []
        if self.needs_home or not takers:
            try:
                places = self._send_home(drafts)
            except NowhereToWriteError:
                # With a full disk here, a store that is behind is better than no place at all.
                if self.needs_home:
                    raise
                takers = context.with_room
        for connected in takers:
            if not context.in_time(connected, size):
                continue
            try:
                send_drafts(context, connected, drafts)
            except StoreError as error:
                self.failed(connected, error)
                if not places and self.needs_home:
                    places = self._send_home(drafts)
                continue
            return [*places, connected]
        return places or self._send_outbox(drafts, size, takers)

    def _send_outbox(
        self, drafts: Sequence[Draft], size: int, takers: Iterable[Connected]
    ) -> list[Connected]:
        """Into the home store; where that has no room, to whoever takes it in the end."""
        context = self._context
        slow = [c for c in takers if c in context.stores and c.name not in context.full]
        if not slow or has_room_to_wait(context, size):
            try:
                return self._send_home(drafts)
            except NowhereToWriteError:
                if not slow:
                    raise
        with context.patience.at_leisure():
            for connected in slow:
                try:
                    send_drafts(context, connected, drafts)
                except StoreError as error:
                    self.failed(connected, error)
                    continue
                self.took(connected)
                return [connected]
        return self._send_home(drafts)

    def _takers(self, drafts: Iterable[Draft]) -> list[Connected]:
        """The stores that may have these open events before the copier comes, best rated first."""
        later = {store for draft in drafts for store in self._later[draft.name]}
        return [c for c in self._context.with_room if c.store_id not in later]

    def failed(self, connected: Connected, error: StoreError) -> None:
        """A store did not take an event that was opened. What stands there under the event's name
        counts only with the right content from now on (section 2, *Writing*)."""
        self._doubtful.add(connected.store_id)
        store_failed(self._context, connected, error)

    def took(self, connected: Connected) -> None:
        """A store that had failed has taken it all the same: what stands there now is right."""
        self._doubtful.discard(connected.store_id)

    def _send_home(self, drafts: Sequence[Draft]) -> list[Connected]:
        try:
            send_drafts(self._context, self._context.home, drafts)
        except StoreError as error:
            raise NowhereToWriteError(str(error)) from error
        return [self._context.home]

    def confirm(
        self,
        drafts: Iterable[Draft],
        places: Sequence[Connected],
        also: Callable[[], None] = lambda: None,
    ) -> None:
        """Book the events as known in `places`; `also` runs in the same transaction."""
        state = self._context.state
        alone = all(place is self._context.home or place.minor for place in places)
        with state.transaction("confirm event"):
            ids = [self._ids.pop(draft.name) for draft in drafts]
            for draft in drafts:
                del self._later[draft.name]
            for event in ids:
                state.journal.set_state(event, EventState.KNOWN)
                if self._context.home in places:
                    state.stores.hold(event, whole=alone)
            for place in places:
                state.stores.has(place.store_id, ids)
            for store in self._doubtful:
                for event in ids:
                    state.stores.lost(store, event, wrong=True)
            self._doubtful.clear()
            also()

    def closings(self, heads: Iterable[Entry], clock: EventClock) -> list[Draft]:
        """The events that close heads before something is written on their path."""
        device, hasher = self._context.device, self._context.hasher
        return [draft_single(closing(head), clock.next(), device, b"", hasher) for head in heads]

    def write(self, drafts: Sequence[Draft], also: Callable[[], None] = lambda: None) -> None:
        """All three steps for events with small bodies."""
        if drafts:
            self.open(drafts)
            self.confirm(drafts, self.send(drafts), also)


def store_failed(context: FolderContext, connected: Connected, error: StoreError) -> None:
    """A store did not take something: one that is full, or too slow to be waited for, is still
    read from; any other is dropped."""
    if isinstance(error, FullError):
        context.full[connected.name] = error
    elif isinstance(error, SlowError):
        context.slow.add(connected.name)
    else:
        drop_store(context, connected, error)


def has_room_to_wait(context: FolderContext, size: int) -> bool:
    """Whether so many bytes can wait in the home store where they need not (docs/design.md section
    4: otherwise a body goes straight from the folder's file into a store)."""
    with suppress(StoreError):
        room = context.home.store.free_space()
        return room is None or room >= size + _RESERVE
    return False


def drop_store(context: FolderContext, connected: Connected, error: StoreError) -> None:
    """A store failed: go on without it for the rest of this pass, and say so at the end."""
    if connected in context.stores:
        context.stores.remove(connected)
        context.unreached.append(
            Unreached(connected.name, connected.store_id, connected.minor, error)
        )


def send_drafts(context: FolderContext, connected: Connected, drafts: Sequence[Draft]) -> None:
    """Write event files into one store, their hints and index entries first."""
    connected.require_current()
    send_hints(context, connected, [draft.name for draft in drafts])
    small: list[tuple[str, bytes]] = []
    for draft in drafts:
        small += missing_index(context, connected, draft.index_paths)
        path = context.layout.event(draft.name)
        if len(draft.body) == 1:
            small.append((path, draft.body[0]))
            continue
        flush_small(connected, small)
        with connected.store.upload() as upload:
            for piece in draft.body:
                upload.write(piece)
            upload.flush()
            upload.commit(path)
    flush_small(connected, small)


def flush_small(connected: Connected, files: list[tuple[str, bytes]]) -> None:
    """Write what was collected, once each, with one barrier; the list is empty afterwards."""
    if files:
        connected.store.put_many(dict(files).items())
        files.clear()


def missing_index(
    context: FolderContext, connected: Connected, paths: Iterable[str]
) -> list[tuple[str, bytes]]:
    """The `eventsindex` entries that a store does not have, or not as they should be.

    They are read: a write that failed may have left something of the right size, and who knew that
    may have lost its table since.
    """
    entries = ((context.layout.index(context.hasher.path(path)), path.encode()) for path in paths)
    return [(place, body) for place, body in entries if not _stands(connected, place, body)]


def _stands(connected: Connected, place: str, body: bytes) -> bool:
    try:
        return connected.store.read_small(place, len(body)) == body
    except (NotFoundError, CorruptError, DeniedError):
        return False


def send_hints(context: FolderContext, connected: Connected, names: Sequence[str]) -> None:
    """Say which events come more than a day after their own time, before they come.

    Readers list recent days only, and would not see them otherwise (section 4, *Polling*).
    """
    now = context.clock.now()
    limit = format_time(now - DAY_AHEAD)
    if connected is context.home or all(name[:20] >= limit for name in names):
        return
    arrival = connected.store.server_time() or now
    limit = format_time(arrival - DAY_AHEAD)
    late = sorted(name for name in names if name[:20] < limit)
    if late:
        file = ConnectionLayout(connected.connection).late(arrival)
        body = "".join(f"{name}\n" for name in late).encode()
        connected.store.put_many([(file, body)])
