"""Learning which events the stores have: listings, and hints of what came late.

A listing only ever adds knowledge (docs/design.md section 4, *Known names only grow*). It begins
48 h before the last complete one, by the store's clock; when the last full one is over seven days
old, or the clock cannot be gone by, all days are listed. A store that does not show what this
device takes for there is suspect: all days are listed, what is missing is looked up name by name,
and the user is told. So a store that was set back to an older state gets again what it lost. A
listing of all days compares sizes as well, but for the first one: what has only a part of an event,
or a batch without the bodies that nobody else could supply, gets it whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

from firnline.core.clock import DateTime, format_time, parse_time
from firnline.core.event import BadNameError, EventText, parse_name, ref_of
from firnline.state.journal import EventRow, EventState
from firnline.state.store_table import NEVER, StoreRow
from firnline.stores.base import Store
from firnline.stores.errors import CorruptError, NotFoundError, StoreError
from firnline.stores.foresight import Questions, expect, foresees
from firnline.stores.layout import (
    CONNECTIONS,
    ConnectionLayout,
    is_id,
    parse_day,
    parse_late,
)
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.event_writer import drop_store

OVERLAP = timedelta(hours=48)
FULL_LISTING = timedelta(days=7)
_FORESEEN_DAYS = 4
_WORTH_NOTING = timedelta(hours=12)
_MAX_HINT_FILE = 2**24
_HOME = "home listed"
"""The fact that tells when the home store was listed."""
_NO_DAY = "99999999"
"""After all days that a name can have."""


def list_stores(context: FolderContext, stores: Iterable[Connected] | None = None) -> list[Problem]:
    """Note the names that are new in these stores, all in reach if none are given; returns what is
    wrong with a store.

    A store that fails is dropped for the rest of the pass.
    """
    problems: list[Problem] = []
    listed = list(context.stores if stores is None else stores)
    for connected in listed:
        foresee_listing(context, connected)
    for connected in listed:
        context.check_cancelled()
        try:
            problems += _list_store(context, connected)
        except StoreError as error:
            drop_store(context, connected, error)
    return problems


def foresee_listing(context: FolderContext, connected: Connected) -> None:
    """Tell the store what a listing is going to ask, so that it may ask for all of it at once."""
    if not foresees(connected.store):
        return
    state, layout = context.state, context.layout
    row = state.stores.get(connected.store_id)
    days: list[str] = []
    if row is not None and row.listed != NEVER:
        first = parse_time(_earlier(row.listed, OVERLAP))
        span = range(min((context.clock.now() - first).days + 2, _FORESEEN_DAYS))
        days = [format_time(first + timedelta(days=day))[:8] for day in span]
    newest = state.stores.newest(connected.store_id)
    questions = Questions(
        lists=[layout.events, *(f"{layout.events}/{day}" for day in days)],
        trees=[CONNECTIONS],
        sizes=[] if newest is None else [layout.event(newest)],
        clock=True,
    )
    expect(connected.store, questions)


def list_home(context: FolderContext, *, at_once: bool = False) -> None:
    """Learn what the home store holds: for a device that lost its table, or has an older one from
    a backup. Does nothing when the last time is less than a week ago, unless `at_once`.

    Raises StoreError.
    """
    state, now = context.state, format_time(context.clock.now())
    due = _is_time(now) and _is_due(DateTime(state.fact(_HOME) or NEVER), now, FULL_LISTING)
    if not (due or at_once):
        return
    with state.transaction("list home"):
        held = {name: event for event, name, _ in state.stores.held()}
        for _, names, _ in _days(context, context.home, NEVER):
            for name in sorted(names.keys() - held.keys()):
                state.stores.hold(_add(context, name), whole=True)
            held = {name: event for name, event in held.items() if name not in names}
        for name, event in held.items():
            if context.home.store.size(context.layout.event(name)) is None:
                state.stores.release(event)
        state.set_fact(_HOME, now)


def _list_store(context: FolderContext, connected: Connected) -> list[Problem]:
    state = context.state
    before = state.stores.get(connected.store_id)
    assert before is not None, "attached when the pass began"
    started = _time_of(context, connected)
    full = _is_due(before.listed_all, started, FULL_LISTING) or _lost_newest(context, connected)
    since = NEVER if full else _earlier(before.listed, OVERLAP)
    hints = _read_hints(context, connected)
    hinted = {name for names in hints.values() for name in names}
    found = _Found(context, connected, hinted)
    sizes = before.listed_all != NEVER
    junk = found.list_days(since, sizes=full and sizes)
    if found.is_suspect and not full:
        full, found = True, _Found(context, connected, hinted)
        junk = found.list_days(NEVER, sizes=sizes)
    found.add(set(_hinted(context, connected, hints)))
    # Some days tell of a part of the names that are none.
    junk = junk if full else max(junk, before.junk)
    told = bool(found or hints or full or junk != before.junk)
    if not told and not _is_due(before.listed, started, _WORTH_NOTING):
        return []
    with state.transaction("listing"):
        found.book()
        for file, news in hints.items():
            state.stores.add_hints(connected.store_id, file, news)
        state.stores.drop_hints(connected.store_id, found.names_found)
        row = StoreRow(connected.store_id, connected.generation, started, started, junk)
        if not full:
            row = row._replace(listed_all=before.listed_all)
        state.stores.put(row)
    return found.problems()


def _lost_newest(context: FolderContext, connected: Connected) -> bool:
    """True when the newest event that should stand there does not: what was set back lacks that
    one, however old it is."""
    name = context.state.stores.newest(connected.store_id)
    return name is not None and connected.store.size(context.layout.event(name)) is None


# --- times --------------------------------------------------------------------------------------


def _time_of(context: FolderContext, connected: Connected) -> DateTime:
    """The store's time, else this device's; `NEVER` for one that no clock can show."""
    text = format_time(connected.store.server_time() or context.clock.now())
    return text if _is_time(text) else NEVER


def _is_time(text: DateTime) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _is_due(last: DateTime, now: DateTime, interval: timedelta) -> bool:
    """Also when there is no time to go by, and when the clock went back since."""
    if NEVER in (last, now) or now < last:
        return True
    return parse_time(now) - parse_time(last) > interval


def _earlier(time: DateTime, span: timedelta) -> DateTime:
    return NEVER if time == NEVER else format_time(parse_time(time) - span)


# --- names --------------------------------------------------------------------------------------


def book_names(
    context: FolderContext, connected: Connected, names: Iterable[str]
) -> list[EventRow]:
    """Note names that somebody saw appear in a store; returns what nobody has read yet.

    Each that is news is looked up there first. Raises StoreError.
    """
    journal, stores = context.state.journal, context.state.stores
    found: list[str] = []
    for name in sorted(filter(_parses, names)):
        row = journal.event(name)
        if row is not None and not stores.lacks_name(connected.store_id, row.id):
            continue
        if connected.store.size(context.layout.event(EventText(name))) is not None:
            found.append(name)
    if not found:
        return []
    with context.state.transaction("news"):
        events = [_add(context, name) for name in found]
        stores.has(connected.store_id, events)
    rows = map(journal.by_id, events)
    return [row for row in rows if row.state is EventState.NAMED]


class _Found:
    """What a listing adds to what is known; holds the news only, not the listing."""

    def __init__(self, context: FolderContext, connected: Connected, hinted: set[str]) -> None:
        self._context = context
        self._connected = connected
        self._store = connected.store_id
        self._absent = context.state.stores.absent(connected.store_id)
        self._here: list[int] = []
        self._new: list[str] = []
        self._lost: list[str] = []
        self._parts: list[str] = []
        self._hidden = 0
        self._looked_to = ""
        self.names_found: set[str] = set()
        self._hinted = set(context.state.stores.hints(connected.store_id)) | hinted

    def __bool__(self) -> bool:
        return bool(self._here or self._new or self._lost or self._parts)

    @property
    def is_suspect(self) -> bool:
        """The listing did not show all that should stand there."""
        return bool(self._lost or self._hidden)

    def list_days(self, since: DateTime, *, sizes: bool) -> int:
        """All days from `since` on; returns how many names there are no event names."""
        junk = 0
        self._looked_to = since[:8]
        for day, found, others in _days(self._context, self._connected, since, sizes=sizes):
            names = set(found)
            self.add(names)
            junk += others
            self._look_for_lost(day, names)
            if sizes:
                self._look_for_parts(day, found)
        self._look_for_lost(_NO_DAY, set())
        return junk

    def add(self, names: set[str]) -> None:
        """Names that stand in the store."""
        if not names:
            return
        known = self._context.state.journal.known_names(min(names), max(names) + "~")
        self._new += sorted(names - known)
        self._here += [self._absent[name] for name in names if name in self._absent]
        self.names_found |= names & self._hinted

    def _look_for_lost(self, day: str, names: set[str]) -> None:
        """Look up what should stand in this day, or in one before it that was not listed."""
        known = self._context.state.journal.known_names(self._looked_to, day + "~")
        self._looked_to = day + "~"
        for name in sorted(known - names - self._absent.keys()):
            self._context.check_cancelled()
            if self._connected.store.size(self._context.layout.event(name)) is not None:
                self._hidden += 1
            elif not self._is_lacking(name):
                self._lost.append(name)

    def _look_for_parts(self, day: str, found: Mapping[str, int | None]) -> None:
        """What is shorter than the event. What is longer may have more of a batch's bodies."""
        sizes = self._context.state.journal.known_sizes(day, day + "~")
        for name in sorted(found.keys() & sizes.keys() - self._absent.keys()):
            size = found[name]
            if size is not None and size < sizes[name] and not self._is_lacking(name):
                self._parts.append(name)

    def _is_lacking(self, name: str) -> bool:
        """A name that is not `absent` may be lacking: something wrong stood there."""
        row = self._context.state.journal.event(name)
        return row is not None and self._context.state.stores.lacks(self._store, row.id)

    def book(self) -> None:
        """Inside the caller's transaction."""
        state = self._context.state
        row = state.stores.get(self._store)
        first = row is not None and row.listed_all == NEVER
        here = self._here + [_add(self._context, name, first=first) for name in self._new]
        state.stores.has(self._store, here)
        for name in self._lost:
            state.stores.lost(self._store, _add(self._context, name))
        for name in self._parts:
            state.stores.lost(self._store, _add(self._context, name), wrong=True)

    def problems(self) -> list[Problem]:
        """A store that lost something may lose more; one that hides what it has may hide news."""
        found: list[Problem] = []
        if self._lost:
            message = f"it lost {len(self._lost):,} of its events; they are sent again"
            found.append(Problem("", "store set back", message, self._connected.name))
        if self._parts:
            message = f"it has only a part of {len(self._parts):,} events; they are sent again"
            found.append(Problem("", "suspect store", message, self._connected.name))
        if self._hidden:
            message = f"its listing leaves out {self._hidden:,} of the events that it has"
            found.append(Problem("", "suspect store", message, self._connected.name))
        return found


def _days(
    context: FolderContext, connected: Connected, since: DateTime, *, sizes: bool = False
) -> Iterator[tuple[str, dict[str, int | None], int]]:
    """The days from `since` on, in order: event names with their files' sizes where they are asked
    for, and how many others stand among them."""
    listed_days = connected.store.list(context.layout.events)
    days = (parse_day(listed.name) for listed in listed_days if listed.is_directory)
    for day in sorted(day for day in days if day is not None and day >= since[:8]):
        names: dict[str, int | None] = {}
        junk = 0
        known = context.state.journal.known_names(day, day + "~")
        for listed in connected.store.list(f"{context.layout.events}/{day}", sizes=sizes):
            context.check_cancelled()
            name = listed.name
            if name[:8] == day and not listed.is_directory and (name in known or _parses(name)):
                names[listed.name] = listed.size
            else:
                junk += 1
        yield day, names, junk


def _parses(name: str) -> bool:
    try:
        parse_name(name)
    except BadNameError:
        return False
    return True


def _add(context: FolderContext, name: str, *, first: bool = False) -> int:
    """A name that is new: every store owes it until it is found there. `first`: it was found by
    the first listing of a store."""
    state = context.state
    text = EventText(name)
    known = state.journal.event(name)
    if known is not None:
        return known.id
    event = state.journal.add(text, ref_of(text, context.hasher), 0, EventState.NAMED)
    now = int(context.clock.now().timestamp())
    state.stores.owe(event, state.stores.ids(), now, first_read=first)
    return event


# --- late hints ---------------------------------------------------------------------------------


def _read_hints(context: FolderContext, connected: Connected) -> dict[str, list[str]]:
    """New hint files: their place → the event names in them."""
    read = context.state.stores.hint_files(connected.store_id)
    found: dict[str, list[str]] = {}
    for file in hint_files(connected.store):
        if file in read:
            continue
        with suppress(NotFoundError, CorruptError):
            text = connected.store.read_small(file, _MAX_HINT_FILE).decode("ascii", "replace")
            found[file] = [name for name in text.split("\n") if _parses(name)]
    return found


def hint_files(store: Store) -> Iterator[str]:
    """The places of all hints that a store has."""
    for connection in store.list(CONNECTIONS):
        # Another name is nobody's connection, and may be none that a store can be asked for.
        if not connection.is_directory or not is_id(connection.name):
            continue
        directory = ConnectionLayout(connection.name).directory
        for listed in store.list(directory):
            if parse_late(listed.name) is not None:
                yield f"{directory}/{listed.name}"


def _hinted(
    context: FolderContext, connected: Connected, hints: dict[str, list[str]]
) -> Iterator[str]:
    """Hinted names that stand in the store by now."""
    waiting = {name for names in hints.values() for name in names}
    waiting.update(context.state.stores.hints(connected.store_id))
    for name in waiting:
        if connected.store.size(context.layout.event(name)) is not None:
            yield name
