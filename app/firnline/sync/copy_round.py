"""The copier beside the passes: one store is brought a part of what it lacks, round by round.

Which part is decided by `core.replication` from the tables alone, so that it goes on after a
restart where it was. A round may run on a thread of its own, with tables and folder opened for it.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from firnline.core.backoff import LONGEST, Backoff
from firnline.core.event import parse_name
from firnline.core.replication import GRACE_TIME, LARGE, Bounds, Choice, Owed, choose, ready_at
from firnline.state.store_table import NEVER, OwedRow
from firnline.sync.context import Connected, FolderContext, Problem, Unreached
from firnline.sync.copier import Copier
from firnline.sync.pass_report import FULL

FULL_AGAIN = 5.0
"""Seconds after which a store that was full is tried again; doubling while it still is."""
_NO_SIZE = 2**63 - 1
"""More than any file has; the largest number that SQLite knows."""


class Way(NamedTuple):
    """What a round may do."""

    large: bool
    """It brings large events, and no others."""
    leads: bool
    """This device's connection leads the store."""
    bounds: Bounds = Bounds()
    grace: float = GRACE_TIME
    """Seconds that the events of others are left to them."""
    was_full: int = 0
    """Rounds in a row at whose end the store was full."""


class Round(NamedTuple):
    """How a round went."""

    copied: int = 0
    more: bool = False
    """Another round can follow at once."""
    due: float | None = None
    """When there may be something to do without any news, in seconds since 1970."""
    rest: bool = False
    """Not before `due`, whatever is heard meanwhile."""
    is_full: bool = False
    """The store was full."""
    problems: tuple[Problem, ...] = ()
    unreached: tuple[Unreached, ...] = ()
    """Stores that failed, the target or a source."""


def copy_round(
    context: FolderContext, target: Connected, way: Way, random: Callable[[int], bytes]
) -> Round:
    """Bring what may go now, as far as the bounds allow.

    A store that was never listed, or is not the one that the tables know, gets nothing.
    Raises CancelledError and DatabaseError.
    """
    row = context.state.stores.get(target.store_id)
    if row is None or row.listed == NEVER or row.generation != target.generation:
        return Round()
    now = context.clock.now().timestamp()
    choice, names = _choose(context, target, way, now)
    if not choice.start:
        return Round(due=choice.due)
    lost_before = len(context.unreached)
    copier = Copier(context)
    copier.bring_chosen(target, [(event, names[event]) for event in choice.start])
    problems, due, more = list(copier.problems), choice.due, choice.more
    full = context.full.get(target.name)
    if full is not None:
        # Its events did nothing wrong: the store as a whole is left alone for a while.
        problems.append(Problem("", FULL, full.detail, target.name))
        due, more = now + _full_again(way.was_full), False
    elif target in context.stores:
        again = _book_failures(context, target, choice.start, random)
        due = min(filter(None, (due, again)), default=None)
    else:
        more = False
    unreached = tuple(context.unreached[lost_before:])
    is_full = full is not None
    return Round(copier.copied, more, due, is_full, is_full, tuple(problems), unreached)


def _full_again(was_full: int) -> float:
    """Seconds; more doublings than these change nothing."""
    return min(FULL_AGAIN * 2.0 ** min(was_full, 16), LONGEST)


def _choose(
    context: FolderContext, target: Connected, way: Way, now: float
) -> tuple[Choice, dict[int, str]]:
    """What to start, and the names of what was looked at."""
    stores, store = context.state.stores, target.store_id
    window: dict[int, Owed] = {}
    enough = way.bounds.events + 1
    ready = 0
    # What is of the other size is not even looked at: it may be a whole log.
    for row in stores.owed(store, sizes=range(LARGE, _NO_SIZE) if way.large else range(LARGE)):
        owed = window[row.event] = _owed(context, row)
        ready += ready_at(owed, now, leads=way.leads, grace=way.grace) <= now
        if ready >= enough:
            break
    parents: dict[int, set[int]] = {}
    asked: set[int] = set(window)
    while asked:
        found = stores.lacking_parents(store, asked)
        parents |= found
        asked = set().union(*found.values()) - window.keys()
        window |= {row.event: _owed(context, row) for row in stores.owed(store, asked)}
        asked &= window.keys()
    choice = choose(
        window.values(),
        parents,
        now=now,
        leads=way.leads,
        large=way.large,
        bounds=way.bounds,
        grace=way.grace,
    )
    more = choice.more or (ready >= enough and bool(choice.start))
    return choice._replace(more=more), {owed.event: owed.name for owed in window.values()}


def _owed(context: FolderContext, row: OwedRow) -> Owed:
    own = parse_name(row.name).device == context.device
    return Owed(
        row.event, row.name, row.size, own, row.since, row.first_read, row.tries, row.not_before
    )


def _book_failures(
    context: FolderContext,
    target: Connected,
    started: Iterable[int],
    random: Callable[[int], bytes],
) -> float | None:
    """What still is not there is tried again later, each by itself; the first of these times."""
    stores = context.state.stores
    left = list(stores.owed(target.store_id, started))
    if not left:
        return None
    now = context.clock.now().timestamp()
    times: list[float] = []
    with context.state.transaction("failed copies"):
        for row in left:
            again = int(now + Backoff(row.tries + 1).delay(random)) + 1
            stores.failed(target.store_id, row.event, again)
            times.append(again)
    return min(times)


def forgive_failures(context: FolderContext) -> None:
    """A store came (back): what failed for want of a source may be tried at once."""
    with context.state.transaction("forgive failures"):
        context.state.stores.forgive()
