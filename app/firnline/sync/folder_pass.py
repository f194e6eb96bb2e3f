"""One pass over one folder: both directions, until nothing is left to do.

    settle what an unclean end left
    pull      new names from every store in reach, then their paths
    scan      the folder; its differences become events
    resolve   conflicts, followed moves
    apply     what the log wants
    copy      to every store what it lacks; drop from the home store what is safe elsewhere

The order of scan and pull does not matter for safety (an event names what its file came from, not
what is newest), but pulling first books what is equal instead of writing it again.
"""

import json
from collections.abc import Iterator
from contextlib import suppress

from firnline.core.clock import ClockBeforeBuildError
from firnline.folder.errors import FolderError
from firnline.folder.ignore import IGNORE_FILE, Ignore
from firnline.folder.scan import Scan, scan
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState
from firnline.state.questions import Question
from firnline.stores.errors import DeniedError, StoreError, UnavailableError
from firnline.sync.applier import Applier
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.copier import Copier
from firnline.sync.deletion_guard import DeletionGuard
from firnline.sync.differences import Differences
from firnline.sync.directory_moves import apply_directory_move
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter
from firnline.sync.home_release import release_home
from firnline.sync.listing import list_home
from firnline.sync.local_names import LocalNames
from firnline.sync.lost_events import LostEvents
from firnline.sync.named_at_home import keep_named
from firnline.sync.pending import Pending
from firnline.sync.puller import pull
from firnline.sync.rescue import publish_rescued
from firnline.sync.resolver import JournalLog, resolve_all
from firnline.sync.scrub import read_back
from firnline.sync.settle import settle

_SLICE = 100_000
"""Dirty paths that are looked at together; a directory's move is one rename within a slice."""
_ROUNDS = 20
"""More rounds than any honest pass needs; programs that save without pause end here."""

_BEGUN = "begun"
"""The fact that a pass came to its end with this table."""
_FULL = "store full"
"""The kind of problem that is kept until the next pass, which tries it first."""


class PassReport:
    """What a pass did. `complete` is False when something is left to do."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notices: list[Problem] = []
        """What is good to know, and leaves nothing undone."""
        self.written = 0
        """Events of this device."""
        self.applied = 0
        """Paths brought in line with the log."""
        self.copied = 0
        """Event files brought from store to store."""
        self.questions: list[Question] = []
        """What waits for the user's decision."""
        self.complete = True


def run_pass(context: FolderContext) -> PassReport:
    """Sync one folder once. Faults of one file or store end up among the problems.

    Raises CancelledError, DatabaseError, FolderError for the folder as a whole, and
    NowhereToWriteError.
    """
    report = PassReport()
    names = LocalNames(context)
    settle(context)
    list_home(context)
    ignore = Ignore.load(context.root)
    _notice_ignore(context, ignore)
    reached, is_new = list(context.stores), _is_new(context)
    lasting = pull(context).problems + [
        Problem(IGNORE_FILE, "ignore pattern", text) for text in ignore.problems
    ]
    report.copied += _try_full_stores(context)
    names.recall()
    rounds = _Rounds(context, ignore, report)
    unread = _unread(context, reached) if is_new else []
    if unread:
        report.problems += unread
        report.complete = False
    else:
        _run(rounds, report)
        _note_begun(context)
    report.problems += [*context.found, *lasting]
    for problem in names.tidy(complete=report.complete):
        (report.notices if problem.is_notice else report.problems).append(problem)
    report.problems += read_back(context)
    _copy(context, report, rounds.clock)
    _report(context, report, rounds.clock)
    return report


def _is_new(context: FolderContext) -> bool:
    """True when this device knows of none of its files where they came from."""
    return context.state.files.is_empty()


def _unread(context: FolderContext, reached: list[Connected]) -> list[Problem]:
    """The stores that a device without its table has to read before it tells anything:
    those that went meanwhile, and may be back soon. All, where none can be reached, and the folder
    was synced before: what others changed and deleted since would look as if it were new here."""
    gone = {u.store_id for u in context.unreached if isinstance(u.why, UnavailableError)}
    broke_off = [connected.name for connected in reached if connected.store_id in gone]
    if broke_off or reached or context.state.fact(_BEGUN) is not None:
        return [_first_reading(store, "it went while it was read") for store in broke_off]
    away = [u.name for u in context.unreached] if context.root.was_synced else []
    return [_first_reading(store, "it has to be in reach to be read") for store in away]


def _first_reading(store: str, why: str) -> Problem:
    """A device without its table first reads every store in reach in full (docs/design.md section
    7): of what it does not know it would say that it is new."""
    message = f"{why} for the first time; nothing is told or changed before"
    return Problem("", "first reading", message, store)


def _note_begun(context: FolderContext) -> None:
    """This table, and the folder itself, know from now on that the folder was synced here."""
    if context.state.fact(_BEGUN) is None:
        with suppress(FolderError):
            context.root.note_synced()
            with context.state.transaction("begun"):
                context.state.set_fact(_BEGUN, "")


def _run(rounds: "_Rounds", report: PassReport) -> None:
    try:
        rounds.run()
    except ClockBeforeBuildError as error:
        report.problems.append(Problem("", "clock", str(error)))


class _Rounds:
    """Scan, publish, resolve and apply, until a round has nothing left to do."""

    def __init__(self, context: FolderContext, ignore: Ignore, report: PassReport) -> None:
        self.clock = EventClock(context)
        self._context = context
        self._ignore = ignore
        self._report = report
        self._writer = EventWriter(context)
        self._pending = Pending(context)
        self._guard = DeletionGuard(context)
        self._unsettled: dict[str, str] = {}

    def run(self) -> None:
        for _ in range(_ROUNDS):
            if not self._round():
                return
        self._report.complete = False

    def _round(self) -> bool:
        """True when another round is worth it."""
        self._report.problems.clear()
        before = self._unsettled
        written = self._publish()
        self._pending.ask_again()
        resolved, applied = self._apply()
        written += resolved
        self._report.written += written
        self._report.applied += applied
        if self._unsettled and (written or applied or self._unsettled != before):
            return True
        for path, why in self._unsettled.items():
            self._report.problems.append(Problem(path, "not applied", why))
        # A rule's event may concern a path that this round has passed already.
        if written and self._context.state.journal.dirty(limit=1):
            return True
        return bool(written or applied) and pull(self._context).understood > 0

    def _publish(self) -> int:
        """What the folder has that the log has not; the number of events."""
        context, report = self._context, self._report
        found = _scan(context, self._ignore, report)
        differences = Differences(context, self.clock, self._writer, self._guard)
        written = publish_rescued(context, self.clock, self._writer) + differences.publish(found)
        report.problems += differences.problems
        written += self._guard.bring_back()
        if found.complete:
            self._guard.told()
        return written

    def _apply(self) -> tuple[int, int]:
        """What the log has that the folder has not; the numbers of events and of paths."""
        context, report = self._context, self._report
        written = applied = 0
        self._unsettled = {}
        applied += apply_directory_move(context, self._ignore, self._pending)
        after = ""
        held = self._guard.hold_incoming()
        while dirty := context.state.journal.dirty(after, _SLICE):
            log = JournalLog(context, self._pending)
            written += resolve_all(context, self._writer, log, dirty)
            # With what the rules wrote: a loser's file becomes its copy by a rename.
            dirty = context.state.journal.dirty(after, _SLICE)
            after = dirty[-1]
            report.problems += [Problem(p, "waiting", why) for p, why in log.undecided.items()]
            applier = Applier(context, self._ignore, log)
            applier.apply([path for path in dirty if path not in held] if held else dirty)
            report.problems += applier.problems
            applied += applier.applied
            self._unsettled |= applier.unsettled
        self._guard.applied()
        return written, applied


def _scan(context: FolderContext, ignore: Ignore, report: PassReport) -> Scan:
    state = context.state
    mounts: list[str] = json.loads(state.fact("mounts") or "[]")
    found = scan(
        context.root,
        state.files.known(),
        ignore,
        clock=context.clock,
        dirs=state.files.directories(),
        cancelled=context.cancelled,
        mounts=mounts,
    )
    if found.mounts != mounts:
        with state.transaction("mounts"):
            state.set_fact("mounts", json.dumps(found.mounts))
    report.problems += [Problem(s.path, s.kind, s.message) for s in found.skipped]
    report.complete = found.complete
    return found


def _notice_ignore(context: FolderContext, ignore: Ignore) -> None:
    """Other patterns: what is hidden no longer has to be looked at again (section 7)."""
    state = context.state
    if state.fact("ignore") == ignore.fingerprint:
        return
    with state.transaction("ignore patterns"):
        if state.fact("ignore") is not None:
            state.journal.mark_unbooked_dirty()
        state.set_fact("ignore", ignore.fingerprint)


def _try_full_stores(context: FolderContext) -> int:
    """Whether a store that was full still is has to be known before anything new is written:
    children do not go there before their parents. Returns the number of events copied."""
    if _FULL not in (context.state.fact("problems") or ""):
        return 0
    full = {problem.store for problem in last_problems(context.state) if problem.kind == _FULL}
    copier = Copier(context)
    copier.fill([connected for connected in context.stores if connected.name in full])
    return copier.copied


def _copy(context: FolderContext, report: PassReport, clock: EventClock) -> None:
    copier, lost = Copier(context), LostEvents(context, clock)
    copier.run()
    lost.settle(copier.without_source.values())
    report.copied += copier.copied
    report.written += lost.written
    forgotten = lost.forgotten
    report.problems += [p for p in copier.problems if p.message.split(":")[0] not in forgotten]
    try:
        keep_named(context)
        release_home(context)
    except StoreError as error:
        report.problems.append(Problem("", "home store", str(error), context.home.name))


def _report(context: FolderContext, report: PassReport, clock: EventClock) -> None:
    """What is left: refused and pending events, unreached stores. Kept for `status`."""
    state = context.state
    report.problems += _left_alone(context)
    if clock.passed_over:
        message = "this computer's clock is more than a day off; the store's time is used"
        report.problems.append(Problem("", "clock", message))
    for name, error in context.full.items():
        report.problems.append(Problem("", _FULL, error.detail, name))
    report.notices += context.set_aside
    report.questions = state.questions.open()
    if report.questions or context.unreached or context.full:
        report.complete = False
    if state.journal.dirty_count() or state.intents.rescued():
        report.complete = False
    told = report.problems + report.notices + _refusals(context)
    text = json.dumps([list(problem) for problem in map(_fields, told)])
    if state.fact("problems") != text and not (text == "[]" and state.fact("problems") is None):
        with state.transaction("problems"):
            state.set_fact("problems", text)


def _left_alone(context: FolderContext) -> Iterator[Problem]:
    """Events that are refused or wait. Whoever can write into a store can make a million of them,
    so beyond the first ones they are only counted."""
    journal = context.state.journal
    for state, kind in _LEFT_ALONE.items():
        rows = journal.in_state(state, limit=_MOST_TOLD)
        for row in rows:
            yield Problem("", kind, f"{row.name}: {row.why}", _holder(context, row.id))
        more = journal.count_in(state) - len(rows)
        if more:
            yield Problem("", kind, f"{more} more events like these")


_LEFT_ALONE = {
    EventState.NAMED: "pending event",
    EventState.REFUSED: "refused event",
    EventState.BODILESS: "pending event",
}
_MOST_TOLD = 100


def _holder(context: FolderContext, event: int) -> str:
    """The name of a store that has the event; '' when none in reach has it."""
    lacks = context.state.stores.lacks
    having = (c.name for c in context.stores if not lacks(c.store_id, event))
    return next(having, "")


def _refusals(context: FolderContext) -> list[Problem]:
    """Stores that can be read and not written: at a look they seem well, so `status` is told."""
    return [
        Problem("", "store refuses", unreached.why.detail, unreached.name)
        for unreached in context.unreached
        if isinstance(unreached.why, DeniedError)
    ]


def _fields(problem: Problem) -> tuple[str, str, str, str]:
    return (problem.path, problem.kind, problem.message, problem.store)


def last_problems(context_state: FolderState) -> list[Problem]:
    """The problems of the last pass, and its notices."""
    text = context_state.fact("problems")
    return [] if text is None else [Problem(*fields) for fields in json.loads(text)]
