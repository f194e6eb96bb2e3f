"""Reading back a part of what each store has, once a week: what is wrong there is sent again.

A listing tells names and sizes. A file of the right size with wrong bytes is found only by who
reads it, and where that is somebody else, those who could write it right would never know: one that
broke off in the middle of a write and then lost its table, a disk that forgot. So after each
listing of all days the newest events that were not read back yet are read, a bounded number; after
the oldest it begins with the newest again. A device without its table reads only what it wrote
itself: of that it may have known that it was to be looked at. `verify` reads all.
"""

from itertools import accumulate

from firnline.core.clock import DateTime
from firnline.state.journal import EventRow
from firnline.state.store_table import NEVER
from firnline.stores.errors import StoreError, UnavailableError
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.drafts import indexed_paths
from firnline.sync.event_writer import drop_store, missing_index
from firnline.sync.verify_stream import Standing, look

MOST_EVENTS = 2_000
MOST_BYTES = 64 * 2**20
"""For one store in a week. What is larger by itself is left to `verify`."""
_FACT = "read back "


def read_back(context: FolderContext) -> list[Problem]:
    """Note which events a store has not got as they should be; tells of each such store."""
    problems: list[Problem] = []
    for connected in list(context.stores):
        row = context.state.stores.get(connected.store_id)
        done, _, reached = (context.state.fact(_FACT + connected.store_id) or "").partition(" ")
        if row is None or row.listed_all in (NEVER, done):
            continue
        try:
            problems += _read_back(context, connected, row.listed_all, reached, first=not done)
        except UnavailableError as error:
            drop_store(context, connected, error)
    return problems


def _read_back(
    context: FolderContext, connected: Connected, listed: DateTime, reached: str, *, first: bool
) -> list[Problem]:
    """`reached`: the name that was read last, ''  when the newest is to be the first."""
    stores = context.state.stores
    device = context.device if first else None
    rows = stores.standing(connected.store_id, reached, device, MOST_EVENTS)
    chosen = _within(rows, MOST_BYTES)
    context.progress.begin(f"checking {connected.name}", len(chosen), "files")
    wrong = []
    for row in chosen:
        context.check_cancelled()
        if not _is_right(context, connected, row):
            wrong.append(row)
        context.progress.advance(1)
    context.progress.end()
    to_the_end = len(chosen) == len(rows) < MOST_EVENTS
    last = "" if first or to_the_end or not chosen else chosen[-1].name
    with context.state.transaction("read back"):
        for row in wrong:
            stores.lost(connected.store_id, row.id, wrong=True)
        context.state.set_fact(_FACT + connected.store_id, f"{listed} {last}")
    if not wrong:
        return []
    message = f"{len(wrong):,} of its events were damaged; they are sent again"
    return [Problem("", "suspect store", message, connected.name)]


def _within(rows: list[EventRow], most: int) -> list[EventRow]:
    """The first ones that have no more bytes than `most` together; what is larger by itself does
    not count."""
    sizes = accumulate(row.size if row.size <= MOST_BYTES else 0 for row in rows)
    return [row for row, size in zip(rows, sizes, strict=True) if size <= most]


def _is_right(context: FolderContext, connected: Connected, row: EventRow) -> bool:
    """The event, and the paths in its name. Raises UnavailableError; what cannot be read for
    another reason is not known to be wrong."""
    try:
        entries = context.state.journal.entries_of_event(row.id)
        if missing_index(context, connected, indexed_paths(row.name, entries)):
            return False
        if row.size > MOST_BYTES:
            return True
        return look(context, connected, row) is Standing.WHOLE
    except UnavailableError:
        raise
    except StoreError:
        return True
