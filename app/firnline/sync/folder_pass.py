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

from contextlib import suppress

from firnline.core.clock import ClockBeforeBuildError
from firnline.folder.errors import FolderError
from firnline.folder.ignore import IGNORE_FILE, Ignore
from firnline.state.folder_state import BEGUN
from firnline.stores.errors import StoreError, UnavailableError
from firnline.sync.applier import Applier
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.copier import Copier
from firnline.sync.deletion_guard import DeletionGuard
from firnline.sync.differences import Differences
from firnline.sync.directory_moves import apply_directory_move
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter
from firnline.sync.holding import Holding
from firnline.sync.home_release import release_home
from firnline.sync.listing import list_home
from firnline.sync.local_names import LocalNames
from firnline.sync.lost_events import LostEvents
from firnline.sync.named_at_home import keep_named
from firnline.sync.older_table import begin_age
from firnline.sync.pass_report import (
    CLOCK,
    FULL,
    HOME_STORE,
    NO_SOURCE,
    PassReport,
    finish,
    keep_earlier,
    last_problems,
)
from firnline.sync.pending import Pending
from firnline.sync.puller import pull
from firnline.sync.quick_pull import pull_news
from firnline.sync.rescue import publish_rescued
from firnline.sync.resolver import JournalLog, resolve_all
from firnline.sync.scanning import Scanner
from firnline.sync.scope import MOST_HINTS, WHOLE, Scope
from firnline.sync.scrub import read_back
from firnline.sync.settle import settle

__all__ = ["PassReport", "last_problems", "run_pass"]

_SLICE = 100_000
"""Dirty paths that are looked at together; a directory's move is one rename within a slice."""
_ROUNDS = 20
"""More rounds than any honest pass needs; programs that save without pause end here."""


def run_pass(context: FolderContext, scope: Scope = WHOLE) -> PassReport:
    """Sync one folder once. Faults of one file or store end up among the problems.

    May be called again and again with one context; `scope` says what is to be looked at. No
    directory of the folder is held open afterwards.

    Raises CancelledError, DatabaseError, FolderError for the folder as a whole,
    NowhereToWriteError, and what `FolderContext.require_here` raises.
    """
    context.require_here()
    context.slow.clear()
    try:
        begin_age(context)
        return _pass(context, scope)
    finally:
        context.root.forget()


def _pass(context: FolderContext, scope: Scope) -> PassReport:
    report = PassReport()
    names = LocalNames(context)
    settle(context)
    list_home(context)
    ignore = Ignore.load(context.root)
    scope = _widened(context, scope, ignore, names)
    if scope.is_whole:
        context.full.clear()
    _notice_ignore(context, ignore)
    earlier = [] if scope.is_whole else last_problems(context.state)
    reached, is_new = list(context.stores), _is_new(context)
    lasting = pull_news(context, scope.news).problems + [
        Problem(IGNORE_FILE, "ignore pattern", text) for text in ignore.problems
    ]
    if scope.copy:
        report.copied += _try_full_stores(context)
    names.recall()
    scanner = Scanner(context, ignore, names, scope.paths)
    rounds = _Rounds(context, scope, ignore, scanner, report)
    unread = _unread(context, reached) if is_new else []
    if unread:
        report.problems += unread
        report.complete = False
    else:
        _run(rounds, report)
        _note_begun(context)
    if scope.is_whole:
        lasting, context.found = [*context.found, *lasting], []
    for problem in [*lasting, *names.tidy(complete=report.complete and scanner.whole)]:
        (report.notices if problem.is_notice else report.problems).append(problem)
    if scope.is_whole:
        report.problems += read_back(context)
    _copy(context, report, rounds.clock, to_stores=scope.copy)
    if rounds.clock.passed_over:
        message = "this computer's clock is more than a day off; the store's time is used"
        report.problems.append(Problem("", CLOCK, message))
    again = [HOME_STORE]
    if scope.copy or context.copying is not None:
        again.append(NO_SOURCE)
    if report.written:
        again.append(CLOCK)
    keep_earlier(report, earlier, lambda p: rounds.looked_at(p.path) or names.told_again(p), again)
    finish(context, report)
    return report


def _widened(context: FolderContext, scope: Scope, ignore: Ignore, names: LocalNames) -> Scope:
    """The scope, or a wider one where a part is not enough to tell: before the first whole pass,
    on another disk, when other paths are ignored, and when an answer is to be carried out."""
    state = context.state
    if scope.is_whole or state.files.is_empty():
        return WHOLE._replace(copy=scope.copy)
    if scope.paths is None:
        return scope
    everything = (
        "" in scope.paths
        or names.elsewhere
        or len(scope.paths) > MOST_HINTS
        or state.fact("ignore") != ignore.fingerprint
        or any(question.answer for question in state.questions.all())
    )
    return scope._replace(paths=None) if everything else scope


def _is_new(context: FolderContext) -> bool:
    """True when this device knows of none of its files where they came from."""
    return context.state.files.is_empty()


def _unread(context: FolderContext, reached: list[Connected]) -> list[Problem]:
    """The stores that a device without its table has to read before it tells anything:
    those that went meanwhile, and may be back soon. All, where none can be reached, and the folder
    was synced before: what others changed and deleted since would look as if it were new here."""
    gone = {u.store_id for u in context.unreached if isinstance(u.why, UnavailableError)}
    broke_off = [connected.name for connected in reached if connected.store_id in gone]
    if broke_off or reached or context.state.fact(BEGUN) is not None:
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
    if context.state.fact(BEGUN) is None:
        with suppress(FolderError):
            context.root.note_synced()
            context.root.note_age(context.state.age.value)
            with context.state.transaction("begun"):
                context.state.set_fact(BEGUN, "")


def _run(rounds: "_Rounds", report: PassReport) -> None:
    try:
        rounds.run()
    except ClockBeforeBuildError as error:
        report.problems.append(Problem("", CLOCK, str(error)))


class _Rounds:
    """Scan, publish, resolve and apply, until a round has nothing left to do."""

    def __init__(
        self,
        context: FolderContext,
        scope: Scope,
        ignore: Ignore,
        scanner: Scanner,
        report: PassReport,
    ) -> None:
        self.clock = EventClock(context)
        self._context = context
        self._lists = scope.news is None
        self._ignore = ignore
        self._scanner = scanner
        self._report = report
        self._writer = EventWriter(context)
        self._pending = Pending(context, asks=scope.learns)
        self._guard = DeletionGuard(context)
        self._holding = Holding(context, self._guard)
        self._unsettled: dict[str, str] = {}
        self._dirty: set[str] = set()

    def looked_at(self, path: str) -> bool:
        """True for paths whose problems, if there are any, were told by this pass."""
        return path in self._dirty or self._scanner.looked_at(path)

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
        if written and self._context.state.resting.fresh(limit=1):
            return True
        if not self._lists or not (written or applied):
            return False
        return pull(self._context).understood > 0

    def _publish(self) -> int:
        """What the folder has that the log has not; the number of events."""
        context, report = self._context, self._report
        found = self._scanner.scan(self._unsettled)
        written = publish_rescued(context, self.clock, self._writer)
        if found is None:
            return written
        if self._guard.would_ask(found):
            found = self._scanner.scan_all()
        report.problems += [Problem(s.path, s.kind, s.message) for s in found.skipped]
        report.complete = found.complete
        differences = Differences(context, self.clock, self._writer, self._guard)
        written += differences.publish(found)
        report.problems += differences.problems
        if self._scanner.whole:
            written += self._holding.take_back()
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
        held = self._holding.hold(self._scanner.places)
        state = context.state
        dirty_paths = state.dirty.paths if held.all_dirty else state.resting.fresh
        undecided: set[str] = set()
        while dirty := dirty_paths(after, _SLICE):
            log = JournalLog(context, self._pending)
            written += resolve_all(
                context, self._writer, log, [p for p in dirty if p not in held.unruled]
            )
            # With what the rules wrote: a loser's file becomes its copy by a rename.
            dirty = dirty_paths(after, _SLICE)
            after = dirty[-1]
            self._dirty.update(dirty)
            report.problems += [Problem(p, "waiting", why) for p, why in log.undecided.items()]
            undecided.update(log.undecided)
            applier = Applier(context, self._ignore, log)
            waiting = held.waiting
            applier.apply([path for path in dirty if path not in waiting] if waiting else dirty)
            report.problems += applier.problems
            applied += applier.applied
            self._unsettled |= applier.unsettled
        if held.all_dirty and not written:
            self._holding.let_rest(held.waiting - undecided)
        self._holding.applied()
        return written, applied


def _notice_ignore(context: FolderContext, ignore: Ignore) -> None:
    """Other patterns: what is hidden no longer has to be looked at again (section 7)."""
    state = context.state
    if state.fact("ignore") == ignore.fingerprint:
        return
    with state.transaction("ignore patterns"):
        if state.fact("ignore") is not None:
            state.dirty.mark_unbooked()
        state.set_fact("ignore", ignore.fingerprint)


def _try_full_stores(context: FolderContext) -> int:
    """Whether a store that was full still is has to be known before anything new is written:
    children do not go there before their parents. Returns the number of events copied."""
    if context.full or FULL not in (context.state.fact("problems") or ""):
        return 0
    full = {problem.store for problem in last_problems(context.state) if problem.kind == FULL}
    copier = Copier(context)
    copier.fill([connected for connected in context.stores if connected.name in full])
    return copier.copied


def _copy(
    context: FolderContext, report: PassReport, clock: EventClock, *, to_stores: bool
) -> None:
    """Otherwise somebody else looks after the stores, and lets go what the home store kept."""
    copier, lost = Copier(context), LostEvents(context, clock)
    if to_stores:
        copier.run()
    else:
        copier.fill_home()
    lost.settle(copier.without_source.values())
    report.copied += copier.copied
    report.written += lost.written
    forgotten = lost.forgotten
    report.problems += [p for p in copier.problems if p.message.split(":")[0] not in forgotten]
    try:
        keep_named(context)
        if to_stores:
            release_home(context)
    except StoreError as error:
        report.problems.append(Problem("", HOME_STORE, str(error), context.home.name))
