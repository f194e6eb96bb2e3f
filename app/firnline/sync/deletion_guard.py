"""The guard against mass deletions, over one pass (docs/design.md section 7, *Safety*).

What waits is an observation of each pass: gone here and not told (the table has the files), or
deleted by others and not applied (the paths stay dirty). So nothing has to be undone when the
program is killed, and a question whose cause is gone vanishes. Only the question, what it is about
and its answer are stored; an answer holds for exactly that, and until it was carried out.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from firnline.core.clock import format_time
from firnline.core.entry import Change, Entry
from firnline.core.event import NO_FLAGS, DeviceId, Kind, Op, parse_name
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.core.heads import by_name, by_ref, state_of
from firnline.core.reconcile import ABSENT, Write, reconcile
from firnline.folder.focus import Focus
from firnline.folder.scan import Scan
from firnline.state.file_index import FileRow
from firnline.state.questions import Question
from firnline.stores.errors import StoreError
from firnline.stores.identity import read_device
from firnline.sync.context import FolderContext
from firnline.sync.mass_deletion import (
    DELETE,
    ELSEWHERE,
    HERE,
    KEEP,
    LEAST,
    MASS_DELETION,
    Logs,
    deleted_by,
    details,
    hold,
    is_lost,
    is_mass_deletion,
    still_lately,
    without_replaced,
)
from firnline.sync.publisher import in_groups, publish_changes

_SLICE = 5_000


class DeletionGuard:
    """Of one pass. Says what has to wait, asks the user, and carries out the answers."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._here = _Side(context, HERE)
        self._elsewhere = _Side(context, ELSEWHERE)

    # --- gone here ----------------------------------------------------------------------------

    def count_before(self, gone: int, scan: Scan) -> None:
        """To be called before anything of a scan is written that finds so many files gone."""
        if scan.missing or (self.asks_here and self._here.concerns(scan)):
            self._here.count_before(gone)

    def would_ask(self, scan: Scan) -> bool:
        """True when a scan of a part of the folder finds so much gone that the user may have to be
        asked. Only the whole folder tells what of it was moved."""
        side, missing = self._here, set(scan.missing)
        if scan.focus is None or not side.is_large(missing):
            return False
        side.count_before(len(missing))
        files = self._context.state.files
        return side.may_be_new(missing, lambda top: _holds_file(files.below(top), missing))

    @property
    def asks_here(self) -> bool:
        """True while there is a question about what is gone here, be it answered."""
        return bool(self._here.questions)

    def kept(self, gone: Mapping[str, FileRow]) -> list[FileRow]:
        """Those of the gone files that the user wants back."""
        asked = self._here.answered(KEEP)
        return [row for path, row in gone.items() if path in asked]

    def hold_gone(self, gone: Mapping[str, FileRow], scan: Scan) -> set[str]:
        """The paths, directories with events of their own included, whose deletion is not written.

        `gone` are the files that are left when moves were taken out. What waits already and was
        not looked at by this scan is taken to be gone still.
        """
        state, side = self._context.state, self._here
        if not scan.complete or not (gone or side.concerns(scan)):
            return set()
        waiting = side.waiting(scan.focus)
        files = {p: row for p, row in waiting.items() if row.kind is not Kind.DIRECTORY}
        files.update(gone)
        missing = {*scan.missing, *files} if side.is_large(files) else set[str]()

        def survives(top: str) -> bool:
            return _holds_file(state.files.below(top), missing)

        held: dict[str, str] = {}
        if side.may_hold(files, survives):
            lost = without_replaced(self._deletions(files), (seen.path for seen in scan.changed))
            held = side.hold(lost, survives)
        side.let_go(gone.keys() - held.keys())
        directories = state.files.get_many(scan.gone_directories) if held else {}
        directories.update((p, row) for p, row in waiting.items() if row.kind is Kind.DIRECTORY)
        return side.ask(held, {path: row.base for path, row in directories.items()})

    def _deletions(self, gone: Mapping[str, FileRow]) -> dict[str, str]:
        """Those whose deletion is news to the log and leaves nothing at the path."""
        found: dict[str, str] = {}
        for group in in_groups(sorted(gone), _SLICE):
            logs = self._context.state.journal.entries_of(group)
            found.update(
                (path, gone[path].base)
                for path in group
                if _deletes(logs.get(path, []), gone[path].base)
            )
        return found

    def told(self) -> None:
        """All that a complete scan found was written: answers about it are carried out."""
        self._here.drop_answers(lambda path: False)

    # --- deleted elsewhere --------------------------------------------------------------------

    def hold_incoming(self, asked: Collection[str] = ()) -> set[str]:
        """Dirty paths, directories included, that are not to be applied. `asked`: those about which
        another guard asks or has asked."""
        state, side = self._context.state, self._elsewhere
        if not (side.questions or state.dirty.paths(limit=1)):
            return set()
        rows = state.files.get_many(p for p in state.dirty.with_deletions() if p not in asked)
        logs = self._logs_of(rows)
        leaving, lost = _leaving_and_lost(rows, logs)
        files = {p: row.base for p, row in rows.items() if row.kind is not Kind.DIRECTORY}
        side.count_before(len(files))

        def survives(top: str) -> bool:
            return _holds_file(state.files.below(top), leaving)

        held: dict[str, str] = {}
        lost_files = {path: base for path, base in files.items() if path in lost}
        if side.may_hold(lost_files, survives):
            arriving = (path for path in state.dirty.paths() if path not in leaving)
            held = side.hold(without_replaced(lost_files, arriving), survives)
        side.let_go(lost_files.keys() - held.keys())
        directories = {path: rows[path].base for path in lost - files.keys()} if held else {}
        return side.ask(held, directories, lambda: self._deleters(held, logs))

    def _deleters(self, held: Iterable[str], logs: Logs) -> list[str]:
        """What people call the devices that deleted these, whoever deleted most first."""
        events = [event for path in held if (event := deleted_by(path, logs)) is not None]
        counts = Counter(parse_name(event).device for event in events)
        return [self._name_of(device) for device, _ in counts.most_common()]

    def _name_of(self, device: DeviceId) -> str:
        for connected in self._context.stores:
            with suppress(StoreError):
                return read_device(connected.store, device).name
        return device

    def _logs_of(self, rows: Mapping[str, FileRow]) -> Logs:
        cache: dict[str, list[Entry]] = {}
        journal = self._context.state.journal
        for group in in_groups(list(rows), _SLICE):
            cache.update(journal.entries_of(group))

        def logs(path: str) -> Sequence[Entry]:
            if path not in cache:
                cache[path] = journal.entries(path)
            return cache[path]

        return logs

    def applied(self) -> None:
        """What was not held was applied as far as it can be now."""
        if any(question.answer for question in self._elsewhere.questions):
            dirty = set(self._context.state.dirty.paths())
            self._elsewhere.drop_answers(dirty.__contains__)

    # --- keep ---------------------------------------------------------------------------------

    def bring_back(self) -> int:
        """Undo, as one batch on top, the deletions that the user does not want; the number of
        events. To be called after a scan was published."""
        asked = {**self._here.answered(KEEP), **self._elsewhere.answered(KEEP)}
        if not asked:
            return 0
        state = self._context.state
        rows = state.files.get_many(asked)
        logs = state.journal.entries_of(asked)
        changes = [
            _undoing(logs[path], Ref(base))
            for path, base in sorted(asked.items())
            if path in rows and rows[path].base == base and path in logs
        ]
        wanted = [change for change in changes if change is not None]
        return len(publish_changes(self._context, wanted)) if wanted else 0


class _Side:
    """One side's question, its answers, and what this pass did on that side."""

    def __init__(self, context: FolderContext, subject: str) -> None:
        self._context = context
        self._table = context.state.questions
        self._subject = subject
        self._before = 0
        self._counted = False
        self._done: set[str] = set()
        """Files that this pass let go on this side without an answer."""
        self.questions: list[Question] = self._table.of(MASS_DELETION, subject)

    @cached_property
    def _lately(self) -> dict[str, float]:
        """Those that passes just before it let go."""
        context = self._context
        now = context.clock.monotonic()
        found = still_lately(context.deleted_lately.get(self._subject, {}), now)
        context.deleted_lately[self._subject] = dict(found)
        return found

    def count_before(self, gone: int) -> None:
        """Count the folder's files, once, as soon as it may matter. What the user gave up is none
        of them any more."""
        known = len(self._done) + len(self._lately)
        if not self._counted and (gone + known >= LEAST or self.questions):
            self._counted = True
            present = self._context.state.files.totals()[0]
            self._before = present + known - len(self.answered(DELETE))

    def is_large(self, gone: Collection[str]) -> bool:
        """False where so few files are no mass deletion, whatever else the folder has."""
        return len(gone) + len(self._lately) >= LEAST

    def concerns(self, scan: Scan) -> bool:
        """False when a scan that finds nothing gone says nothing of what waits either."""
        current = next((q for q in self.questions if q.is_open), None)
        if scan.focus is None or current is None:
            return True
        emptied = scan.empty_directories or scan.gone_directories
        return bool(emptied) or self._table.is_about(current.id, scan.focus.heads)

    def waiting(self, focus: Focus | None) -> dict[str, FileRow]:
        """The rows of what the open question is about and was not looked at."""
        current = next((q for q in self.questions if q.is_open), None)
        if focus is None or current is None:
            return {}
        asked = self._table.asked(current.id)
        rows = self._context.state.files.get_many(p for p in asked if not focus.covers(p))
        return {
            path: row
            for path, row in rows.items()
            if row.base == asked[path] and row.kind is not Kind.NOTHING
        }

    def answered(self, choice: str) -> dict[str, str]:
        """The paths of all questions that were answered so, each with what it stood on."""
        found: dict[str, str] = {}
        for question in self.questions:
            if question.answer == choice:
                found.update(self._table.asked(question.id))
        return found

    def may_hold(self, candidates: Collection[str], survives: Callable[[str], bool]) -> bool:
        """False when nothing of these can have to wait, whichever of them are deletions."""
        if self._context.delete_unasked:
            return False
        return any(q.is_open for q in self.questions) or self.may_be_new(candidates, survives)

    def may_be_new(self, candidates: Collection[str], survives: Callable[[str], bool]) -> bool:
        """True when these would be asked about, were there no question yet."""
        return not self._context.delete_unasked and is_mass_deletion(
            candidates,
            before=self._before,
            done=len(self._done),
            lately=self._lately.keys() - set(candidates),
            survives=survives,
        )

    def hold(self, lost: Mapping[str, str], survives: Callable[[str], bool]) -> dict[str, str]:
        """Those that wait: neither answered nor let go already."""
        allowed = self.answered(DELETE)
        rest = {
            p: base for p, base in lost.items() if allowed.get(p) != base and p not in self._done
        }
        return hold(
            rest,
            self.answered(""),
            before=self._before,
            done=len(self._done),
            lately=self._lately.keys() - rest.keys(),
            survives=survives,
        )

    def let_go(self, paths: Iterable[str]) -> None:
        """What did not have to wait."""
        self._done.update(paths)
        self._done -= self.answered(DELETE).keys()
        if not self._context.delete_unasked:
            now = self._context.clock.monotonic()
            lately = self._context.deleted_lately.setdefault(self._subject, {})
            lately.update(dict.fromkeys(self._done, now))

    def ask(
        self,
        files: Mapping[str, str],
        directories: Mapping[str, str],
        devices: Callable[[], Sequence[str]] = tuple,
    ) -> set[str]:
        """Make the stored question what is held now; returns the held paths. `devices`: who deleted
        them, asked for only when there is something new to ask."""
        asked = {**files, **directories}
        current = next((q for q in self.questions if q.is_open), None)
        if not files:
            if current is not None:
                with self._context.state.transaction("withdraw question"):
                    self._table.withdraw(MASS_DELETION, self._subject)
        elif current is None or self._table.asked(current.id) != asked:
            now = format_time(self._context.clock.now())
            facts = details(self._subject, files, self._before, devices())
            with self._context.state.transaction("ask"):
                self._table.ask(MASS_DELETION, self._subject, now, facts, asked)
        else:
            return set(asked)
        self.questions = self._table.of(MASS_DELETION, self._subject)
        return set(asked)

    def drop_answers(self, is_left: Callable[[str], bool]) -> None:
        """Forget answers where they were carried out: at all paths that `is_left` denies."""
        answered = [question for question in self.questions if question.answer]
        if not answered:
            return
        with self._context.state.transaction("answer carried out"):
            for question in answered:
                asked = self._table.asked(question.id)
                done = [path for path in asked if not is_left(path)]
                if len(done) == len(asked):
                    self._table.drop(question.id)
                else:
                    self._table.forget_asked(question.id, done)
        self.questions = self._table.of(MASS_DELETION, self._subject)


def _leaving_and_lost(rows: Iterable[str], logs: Logs) -> tuple[set[str], set[str]]:
    """The paths that the log wants empty, and those of them whose file went nowhere else."""
    leaving = {path for path in rows if state_of(logs(path)).winner is None}
    return leaving, {path for path in leaving if is_lost(path, logs)}


def _holds_file(rows: Iterable[FileRow], gone: Collection[str]) -> bool:
    return any(row.kind is not Kind.DIRECTORY and row.path not in gone for row in rows)


def _deletes(entries: Sequence[Entry], base: Ref) -> bool:
    """True when a file that is gone makes an event after which the log has nothing there."""
    if not isinstance(reconcile(ABSENT, base, entries), Write):
        return False
    own = by_ref(entries).get(base)
    putting = state_of(entries).putting
    return own is not None and all(head.content == own.content for head in putting)


def _undoing(entries: Sequence[Entry], base: Ref) -> Change | None:
    """What brings back `base` on top of its deletion; None where the path exists."""
    state, old = state_of(entries), by_ref(entries).get(base)
    if state.winner is not None or old is None or not old.puts:
        return None
    parent = max(state.heads, key=by_name).ref
    if old.kind is Kind.DIRECTORY:
        return Change(Op.MKD, old.path, None, parent, EMPTY_HASH, 0, 0, NO_FLAGS)
    if old.kind is Kind.LINK:
        return Change(Op.LNK, old.path, None, parent, old.data_hash, old.size, 0, NO_FLAGS)
    return Change(Op.PUT, old.path, None, parent, old.data_hash, old.size, old.mtime, old.flags)
