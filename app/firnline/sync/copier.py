"""The copier of a single pass: every store in reach gets every event that it lacks.

Parents go before children, per path; what an event names without carrying it is brought first
(docs/design.md section 4). One event or store that fails never stops the others. What this device
cannot read itself it does not pass on: it could not say what belongs to it.
"""

from collections.abc import Iterable, Iterator, Sequence

from firnline.core.hashing import NO_PARENT
from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import CorruptError, NotFoundError, StoreError, UnavailableError
from firnline.sync.behind import room_makers
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.event_writer import drop_store, store_failed
from firnline.sync.filling import Filling, NoSourceError, TargetError
from firnline.sync.verify_stream import note_lost_at_home

_UNREAD = (EventState.NAMED, EventState.REFUSED, EventState.OPEN)


class Copier:
    """Copies what stores lack; `problems` says what could not be had."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self.copied = 0
        self.problems: list[Problem] = []
        self.without_source: dict[str, EventRow] = {}
        """By name, what could not be had for some store."""

    def run(self) -> None:
        """Fill every store in reach, and the home store with what it keeps: everything, or what
        no store is known to have."""
        self.fill(list(self._context.stores))
        self.fill_home()

    def fill_home(self) -> None:
        """Only the home store, with what it keeps."""
        context, stores = self._context, self._context.state.stores
        self._fill(context.home, stores.not_held() if context.keep_all else stores.nowhere())

    def fill(self, targets: Iterable[Connected]) -> None:
        """Only these stores."""
        for connected in targets:
            self._fill(connected, self._context.state.stores.lacking(connected.store_id))

    def bring_chosen(self, target: Connected, chosen: Sequence[tuple[int, str]]) -> None:
        """Only these events; and where the store is full, all that has no body."""
        self._fill(target, chosen)

    def _fill(self, target: Connected, lacking: Sequence[tuple[int, str]]) -> None:
        if not lacking:
            return
        context = self._context
        context.progress.begin(f"copying to {target.name}", len(lacking), "events")
        if target.name not in context.full:
            self._bring_all(target, lacking)
        if target.name in context.full:
            self._bring_all(target, without_bodies(context, target))
        context.progress.end()

    def _bring_all(self, target: Connected, lacking: Sequence[tuple[int, str]]) -> None:
        context = self._context
        filling = Filling(context, target)
        late: set[int] = set()
        try:
            for row in parents_first(context, lacking):
                context.check_cancelled()
                if row.state not in _UNREAD and not self._bring_in_order(filling, row, late):
                    late.add(row.id)
                context.progress.advance(1)
            filling.flush()
        except TargetError as failure:
            self._failed(filling, failure.error)
        self.copied += filling.copied

    def _bring_in_order(self, filling: Filling, row: EventRow, late: set[int]) -> bool:
        """False when it has to wait for a store that is away: itself, or one of those in `late`
        that deleted a file where it needs a directory (`behind.room_makers`)."""
        if late:
            entries = self._context.state.journal.entries_of_event(row.id)
            if not late.isdisjoint(room_makers(self._context, entries)):
                return False
        self.bring(filling, row)
        if row.name not in self.without_source:
            return True
        # Where nobody has its bodies any more it was sent as far as it goes, and nothing waits.
        stores = self._context.state.stores
        return stores.is_doubtful(filling.target.store_id, row.id)

    def bring(self, filling: Filling, row: EventRow) -> None:
        """One event, from the first source that has it whole. Raises TargetError."""
        filling.prepare(row)
        if filling.stands_already(row):
            return
        for source in self._sources(filling.target, row):
            begun = self._context.clock.monotonic()
            try:
                filling.take(row, source)
            except StoreError as error:
                self._source_failed(source, row, error)
                continue
            self._context.note_speed(source, row.size, self._context.clock.monotonic() - begun)
            return
        try:
            filling.make_again(row)
        except NoSourceError as error:
            self.without_source[row.name] = row
            # What nobody could read either is told as pending.
            if row.state is not EventState.BODILESS:
                message = f"{row.name}: {error}"
                self.problems.append(Problem("", "no source", message, filling.target.name))

    def _sources(self, target: Connected, row: EventRow) -> Iterator[Connected]:
        stores = self._context.state.stores
        if stores.holds(row.id) and target is not self._context.home:
            yield self._context.home
        for source in self._context.sources:
            if source is not target and not stores.lacks(source.store_id, row.id):
                yield source

    def _source_failed(self, source: Connected, row: EventRow, error: StoreError) -> None:
        """Another source may do; a store that does not have the event is known to lack it."""
        if isinstance(error, UnavailableError):
            drop_store(self._context, source, error)
        elif isinstance(error, (NotFoundError, CorruptError)):
            if source is self._context.home:
                note_lost_at_home(self._context, row.id)
                return
            with self._context.state.transaction("event lost"):
                wrong = isinstance(error, CorruptError)
                self._context.state.stores.lost(source.store_id, row.id, wrong=wrong)

    def _failed(self, filling: Filling, error: StoreError) -> None:
        target, state = filling.target, self._context.state
        if target is self._context.home:
            message = f"history is not kept on this computer: {error}"
            self.problems.append(Problem("", "home store", message, target.name))
            return
        store_failed(self._context, target, error)
        with state.transaction("failed write"):
            for row in filling.at_risk:
                state.stores.lost(target.store_id, row.id, wrong=True)


def without_bodies(context: FolderContext, target: Connected) -> list[tuple[int, str]]:
    """What a full store may still take, though it lacks more: deletions, moves and the like, of
    what it has (`RELIABILITY` calls it read-only for bodies)."""
    journal, stores = context.state.journal, context.state.stores
    lacking = stores.lacking(target.store_id)
    skipped: set[int] = set()
    found: list[tuple[int, str]] = []
    for row in parents_first(context, lacking):
        entries = journal.entries_of_event(row.id)
        refs = {entry.parent for entry in entries} - {NO_PARENT}
        parents = {parent.id for ref in refs for parent in journal.by_ref(ref)}
        if parents & skipped or any(entry.offset is not None for entry in entries):
            skipped.add(row.id)
        else:
            found.append((row.id, row.name))
    return found


def parents_first(context: FolderContext, lacking: Sequence[tuple[int, str]]) -> Iterator[EventRow]:
    """The events by name, but none before a parent that is lacking as well.

    Names nearly always give this order already: only a clock that was set back breaks it. A ring
    (somebody forged one) is opened somewhere.
    """
    journal = context.state.journal
    waiting = dict(lacking)
    for start, _ in lacking:
        stack, entered = [start], set[int]()
        while stack:
            event = stack[-1]
            if event not in waiting:
                stack.pop()
                continue
            ahead = [] if event in entered else _lacking_parents(context, event, waiting)
            entered.add(event)
            ahead = [parent for parent in ahead if parent not in entered]
            if ahead:
                stack.extend(ahead)
                continue
            stack.pop()
            del waiting[event]
            yield journal.by_id(event)


def _lacking_parents(context: FolderContext, event: int, waiting: dict[int, str]) -> list[int]:
    journal = context.state.journal
    refs = {entry.parent for entry in journal.entries_of_event(event)} - {NO_PARENT}
    return [row.id for ref in refs for row in journal.by_ref(ref) if row.id in waiting]
