"""Events of this device that turned out to stand nowhere, and of which nobody has the content.

An open event whose store could not be asked was taken for one (`sync.open_events`), and later
events may name it. When it was in none of the stores after all, and its content is gone, this
device is the only one that will ever know it. Others would wait for it, and take the version that
it replaced for one that nobody has replaced. So that one is closed, by an event that they do get
(docs/design.md section 3, *Twins*); and when every store was asked, the lost event never was.
"""

from collections.abc import Iterable
from contextlib import suppress

from firnline.core.clock import ClockBeforeBuildError
from firnline.core.entry import Entry
from firnline.core.event import Op, parse_name
from firnline.core.heads import heads_of
from firnline.state.journal import EventRow
from firnline.sync.context import FolderContext
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter, NowhereToWriteError
from firnline.sync.open_events import note_unconfirmed, unconfirmed


class LostEvents:
    """What a pass does about events that the copier could find nowhere."""

    def __init__(self, context: FolderContext, clock: EventClock) -> None:
        self._context = context
        self._clock = clock
        self._writer = EventWriter(context)
        self.written = 0
        """Events that close what a lost one replaced."""
        self.forgotten: set[str] = set()
        """Names of those that never were."""

    def settle(self, rows: Iterable[EventRow]) -> None:
        """`rows`: events without a source."""
        state = self._context.state
        doubted = unconfirmed(state)
        for row in rows:
            has_body = parse_name(row.name).op in (Op.PUT, Op.LNK)
            if row.name in doubted and has_body and state.stores.is_nowhere(row.id):
                with suppress(ClockBeforeBuildError, NowhereToWriteError):
                    self._settle(row)

    def _settle(self, row: EventRow) -> None:
        state = self._context.state
        (lost,) = state.journal.entries_of_event(row.id)
        log = state.journal.entries(lost.path)
        closings = self._writer.closings(_hidden_by(lost, log), self._clock)
        self._writer.write(closings, lambda: state.dirty.mark([lost.path]))
        self.written += len(closings)
        here = state.files.get(lost.path)
        if self._context.unreached or (here is not None and here.base == row.ref):
            return
        with state.transaction("event that never was"):
            state.journal.forget(row.id)
            note_unconfirmed(state, unconfirmed(state) - {row.name})
            state.dirty.mark([lost.path])
        self.forgotten.add(row.name)


def _hidden_by(lost: Entry, log: list[Entry]) -> list[Entry]:
    """Putting heads that only the lost event closes; none while nothing stands on it."""
    if all(entry.closes != lost.ref for entry in log):
        return []
    rest = [entry for entry in log if entry.ref != lost.ref]
    known = {head.event for head in heads_of(log)}
    return [head for head in heads_of(rest) if head.puts and head.event not in known]
