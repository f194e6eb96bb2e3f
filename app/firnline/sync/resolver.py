"""Carrying out the rules of conflicts and followed moves (docs/design.md section 3, rules 4 to 7).

`core.resolve` decides; here its questions are answered from the journal, its events are written,
and it is asked again until nothing is left to say.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from firnline.core.clock import ClockBeforeBuildError, format_time, parse_time, trusted_now
from firnline.core.entry import Entry
from firnline.core.event import Kind, Op
from firnline.core.hashing import Hasher
from firnline.core.heads import is_straight, state_of, unknown_parents
from firnline.core.paths import ancestors, parent_of
from firnline.core.resolve import Ruling, resolve, sources
from firnline.state.journal import EventState
from firnline.sync.bodies import Bodies, with_link_texts
from firnline.sync.context import FolderContext
from firnline.sync.drafts import Draft, draft_batch, draft_single
from firnline.sync.event_writer import EventWriter
from firnline.sync.pending import Pending

ORPHAN_AGE = timedelta(days=7)
"""After this a parent that never came is waited for no longer (rule 7)."""

_ROUNDS = 100
_GROUP = 1_000


class JournalLog:
    """`core.resolve.Log` over the journal: what counts is what has its body at hand."""

    def __init__(self, context: FolderContext, pending: Pending) -> None:
        self._context = context
        self._journal = context.state.journal
        self._cache: dict[str, list[Entry]] = {}
        self.pending = pending
        self.waited = False
        """Somebody asked for a path that waits, since this was last cleared."""
        self.undecided: dict[str, str] = {}
        """Paths where a rule will have something to say later, and what for it waits."""

    def load(self, paths: Iterable[str]) -> None:
        """Read the logs of many paths at once."""
        wanted = [path for path in paths if path not in self._cache]
        if wanted:
            found = self._journal.entries_of(wanted)
            self._cache.update((path, found.get(path, [])) for path in wanted)

    def forget(self, paths: Iterable[str]) -> None:
        """After events were written there."""
        for path in paths:
            self._cache.pop(path, None)

    def entries(self, path: str) -> Sequence[Entry]:
        return [entry for entry in self.all_entries(path) if self.pending.counts(entry)]

    def all_entries(self, path: str) -> Sequence[Entry]:
        if path not in self._cache:
            self._cache[path] = self._journal.entries(path)
        return self._cache[path]

    def has_children(self, path: str) -> bool:
        if not self._journal.has_entries_below(path):
            return False
        for below, entries in self._journal.logs(path):
            if below != path and state_of(entries).winner is not None:
                return True
        return False

    def waits(self, path: str) -> bool:
        missing = unknown_parents(self.all_entries(path))
        found = any(self._is_awaited(ref) for ref in missing)
        self.waited = self.waited or found
        return found

    def _is_awaited(self, ref: str) -> bool:
        known = self._journal.by_ref(ref)
        if known and all(row.state is not EventState.NAMED for row in known):
            return False
        now = self._context.clock.now()
        try:
            trusted_now(now, None)
        except ClockBeforeBuildError:
            return True
        with self._context.state.transaction("note missing parent"):
            since = self._journal.note_orphan(ref, format_time(now))
        return now - parse_time(since) < ORPHAN_AGE


class _Impatient:
    """The same log to somebody who waits for no parent."""

    def __init__(self, log: JournalLog) -> None:
        self.entries = log.entries
        self.has_children = log.has_children

    def waits(self, path: str) -> bool:
        return False


def resolve_all(
    context: FolderContext, writer: EventWriter, log: JournalLog, paths: Sequence[str]
) -> int:
    """Write what the rules ask for at `paths`, and at all paths that this touches.

    Returns the number of events written; `log` has forgotten what is no longer so.
    """
    written = 0
    pending: Iterable[str] = paths
    for _ in range(_ROUNDS):
        suspects = _suspects(context, log, pending)
        rulings = [r for path in sorted(suspects) for r in _rulings(context, log, path)]
        drafts = _unknown(context, [_draft(context, ruling) for ruling in rulings])
        if not drafts:
            break
        for start in range(0, len(drafts), _GROUP):
            _write(context, writer, drafts[start : start + _GROUP])
        written += len(drafts)
        pending = {entry.path for draft in drafts for entry in draft.entries}
        log.forget(pending)
    if log.undecided:
        with context.state.transaction("undecided paths"):
            context.state.dirty.mark(log.undecided)
    return written


def _suspects(context: FolderContext, log: JournalLog, paths: Iterable[str]) -> set[str]:
    """The paths at which a rule may have something to say, those above them included.

    Most paths have one straight line of events: no rule speaks of them unless a file is a
    directory as well.
    """
    log.load(paths)
    found: set[str] = set()
    files: list[str] = []
    directories: set[str] = set()
    for path in paths:
        entries = log.all_entries(path)
        if not is_straight(entries):
            found.add(path)
        elif entries and entries[-1].kind in (Kind.FILE, Kind.LINK):
            files.append(path)
        directory = parent_of(path)
        if directory not in directories:
            directories.add(directory)
            directories.update(ancestors(path))
    directories.discard("")
    found |= context.state.journal.with_entries_below(files)
    log.load(directories)
    found.update(path for path in directories if log.all_entries(path))
    origins = sources(paths, log.all_entries, log.load)
    found.update(path for path in origins if not is_straight(log.all_entries(path)))
    return found


def _rulings(context: FolderContext, log: JournalLog, path: str) -> list[Ruling]:
    """What the rules ask for at a path and can be done now; what cannot is noted as undecided."""
    log.waited = False
    log.undecided.pop(path, None)
    found = resolve(path, log)
    if log.waited and resolve(path, _Impatient(log)) != found:
        log.undecided[path] = "an event that others stand on has not come yet"
    possible: list[Ruling] = []
    can_be = True
    for ruling in found:
        # What goes with one that cannot be done waits with it.
        can_be = (can_be or not ruling.joined) and _has_body(context, log, ruling)
        if can_be:
            possible.append(ruling)
    if len(possible) < len(found):
        log.undecided[path] = "a content that is to be moved cannot be had from any store in reach"
    return possible


def _has_body(context: FolderContext, log: JournalLog, ruling: Ruling) -> bool:
    """What a rule moves must be there to be moved: else it waits for a store that has it."""
    for change in ruling.changes:
        if change.op in (Op.DEL, Op.RMD) or Bodies(context).is_at_hand(change.data_hash):
            continue
        source = change.source or change.path
        for entry in log.all_entries(source):
            if entry.puts and entry.data_hash == change.data_hash:
                log.pending.note(entry)
        return False
    return True


def _draft(context: FolderContext, ruling: Ruling) -> Draft:
    hasher: Hasher = context.hasher
    if len(ruling.changes) == 1:
        return draft_single(ruling.changes[0], ruling.time, ruling.device, b"", hasher)
    members = with_link_texts(context, ruling.changes)
    return draft_batch(members, ruling.time, ruling.device, hasher)


def _unknown(context: FolderContext, drafts: Iterable[Draft]) -> list[Draft]:
    """Those that nobody has written yet, each once."""
    found = {draft.name: draft for draft in drafts}
    journal = context.state.journal
    return [draft for name, draft in found.items() if journal.event(name) is None]


def _write(context: FolderContext, writer: EventWriter, drafts: Sequence[Draft]) -> None:
    paths = [entry.path for draft in drafts for entry in draft.entries]
    writer.write(drafts, lambda: context.state.dirty.mark(paths))
