"""A tiny model of devices that share a log: no files, no stores, only the rules.

Each `Observer` has a folder (path → what stands there), a table (path → what it last applied) and
the events that have reached it. What its user does goes through `core.reconcile`, what it sees of
others' conflicts through `core.resolve`, as docs/design.md sections 2, 3 and 7 ask. A `World`
carries events between them one by one, in any order, and keeps a ledger of what was written and
of who replaced what, so that a lost content can be told from a replaced one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from tests.unit.core.builders import START, Event, KnownEvents, batch, named, of_ruling, single

from firnline.core.clock import DateTime, next_time
from firnline.core.entry import Change, Entry
from firnline.core.event import DeviceId, EventText, Kind, Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, DataHash, Ref
from firnline.core.heads import by_name, state_of
from firnline.core.paths import ancestors, check_path
from firnline.core.reconcile import ABSENT, Book, Finding, Write, reconcile
from firnline.core.replay import fold
from firnline.core.resolve import Ruling, resolve, sources, time_of

MOST_RULINGS = 150
"""More than any schedule here can need; whoever writes more will never come to rest."""


class Row(NamedTuple):
    """What the table knows of a path: the event that the folder's content came from."""

    base: Ref
    finding: Finding


class Found(NamedTuple):
    """A path that a scan has to write an event for."""

    path: str
    finding: Finding
    row: Row | None
    verdict: Write


class Observer(KnownEvents):
    """One device: its folder, its table, and the part of the log that has reached it."""

    def __init__(self, world: "World", device: DeviceId, skew: float) -> None:
        super().__init__()
        self.world = world
        self.device = device
        self.skew = skew
        self.folder: dict[str, Finding] = {}
        self.table: dict[str, Row] = {}
        self.unresolved: set[str] = set()
        """Paths whose log has changed since the rules were asked."""
        self.renamed: dict[str, str] = {}
        """Target → source of what the user renamed since the last scan."""

    # What the user does.

    def free(self, path: str) -> bool:
        """Whether a file may be put at `path`: nothing below it, no file above it."""
        return self.reachable(path) and not any(p.startswith(f"{path}/") for p in self.folder)

    def reachable(self, path: str) -> bool:
        above = [self.folder.get(directory) for directory in ancestors(path)]
        return all(found is None or found.kind is Kind.DIRECTORY for found in above)

    def save(self, path: str, finding: Finding) -> None:
        if self.free(path):
            self.folder[path] = finding
            self.renamed.pop(path, None)

    def remove(self, path: str) -> None:
        if path in self.folder and not any(p.startswith(f"{path}/") for p in self.folder):
            del self.folder[path]

    def rename(self, source: str, target: str) -> None:
        found = self.folder.get(source)
        if found is None or found.kind is Kind.DIRECTORY or source == target:
            return
        del self.folder[source]
        if self.free(target):
            self.folder[target] = found
            self.renamed[target] = self.renamed.pop(source, source)
        else:
            self.folder[source] = found

    # What the device does.

    def now(self) -> DateTime:
        moment = START + timedelta(seconds=self.world.seconds + self.skew)
        return next_time(moment, (time_of(text) for text in self.known))

    def publish(self, event: Event) -> None:
        self.receive(event)
        self.world.take(event)

    def scan(self, *, in_batch: bool) -> bool:
        """Books or publishes every difference between folder and table; True when it wrote."""
        found = [f for path in sorted({*self.table, *self.folder}) if (f := self._look(path))]
        for one in found:
            for head in one.verdict.closes:
                closing = Change(Op.DEL, head.path, None, head.ref, EMPTY_HASH, 0, 0, "-")
                self.publish(single(self.now(), self.device, closing))
        changes = self._changes(found)
        self.renamed.clear()
        if in_batch and len(changes) > 1:
            self._written(batch(self.now(), self.device, map(_as_member, changes)))
        else:
            for change in changes:
                self._written(named(self.now(), self.device, [change]))
        return bool(found)

    def _look(self, path: str) -> Found | None:
        finding, row = self.folder.get(path, ABSENT), self.table.get(path)
        if row is None and finding == ABSENT:
            return None
        if row is not None and row.finding.content == finding.content:
            return None
        self.world.replaced(row)
        verdict = reconcile(finding, row and row.base, self.entries(path))
        match verdict:
            case Book(entry):
                self.table[path] = Row(entry.ref, finding)
                return None
            case Write():
                self.world.wrote(self, path, finding, row)
                return Found(path, finding, row, verdict)

    def _changes(self, found: list[Found]) -> list[Change]:
        gone = {f.path: f for f in found if f.finding == ABSENT}
        changes: list[Change] = []
        moved: set[str] = set()
        for one in found:
            if one.finding == ABSENT:
                continue
            origin = gone.get(self.renamed.get(one.path, ""))
            if origin is not None and origin.path in moved:
                origin = None
            change = self._arrival(one, origin)
            if origin is not None and change.op is Op.MOV:
                moved.add(origin.path)
            changes.append(change)
        changes += [_removal(one) for path, one in gone.items() if path not in moved]
        return changes

    def _arrival(self, one: Found, origin: Found | None) -> Change:
        finding, path, parent = one.finding, one.path, one.verdict.parent
        op = {Kind.FILE: Op.PUT, Kind.LINK: Op.LNK, Kind.DIRECTORY: Op.MKD}[finding.kind]
        source: str | None = None
        flags = finding.flags if op is Op.PUT else "-"
        if origin is not None and origin.row is not None:
            was = origin.row.finding
            source = origin.path if op is Op.PUT else None
            same = (was.kind, was.data_hash) == (finding.kind, finding.data_hash)
            if same and not state_of(self.entries(path)).putting:
                op, source, parent = Op.MOV, origin.path, origin.verdict.parent
                flags = "l" if finding.kind is Kind.LINK else flags
        elif op is Op.PUT and one.row is not None and self._only_flags(one):
            op, source = Op.CPY, path
        return Change(op, path, source, parent, finding.data_hash, 1, self.world.mtime(op), flags)

    def _only_flags(self, one: Found) -> bool:
        shown = self.tree().get(one.path)
        same = shown is not None and shown.data_hash == one.finding.data_hash
        return same and shown is not None and shown.kind is Kind.FILE

    def _written(self, event: Event) -> None:
        self.publish(event)
        for entry in event.entries:
            self.table[entry.path] = Row(event.ref, self.folder.get(entry.path, ABSENT))

    def apply(self, path: str) -> None:
        """Makes the folder show what the log says at `path`, unless the user changed it."""
        finding, row = self.folder.get(path, ABSENT), self.table.get(path)
        if finding.content != (row.finding if row else ABSENT).content:
            return
        state = state_of(self.entries(path))
        if state.winner is None:
            if state.heads:
                self.folder.pop(path, None)
                self.table[path] = Row(max(state.heads, key=by_name).ref, ABSENT)
            return
        shown = self.tree().get(path)
        if shown is None or not self._fits(shown):
            return
        flags = shown.flags if shown.kind is Kind.FILE else "-"
        self.folder[path] = Finding(shown.kind, shown.data_hash, flags)
        self.table[path] = Row(shown.ref, self.folder[path])

    def _fits(self, shown: Entry) -> bool:
        directory = shown.kind is Kind.DIRECTORY
        return self.reachable(shown.path) if directory else self.free(shown.path)

    def apply_all(self) -> None:
        for _ in range(2):
            for path in sorted(self.paths):
                self.apply(path)

    def receive(self, event: Event) -> None:
        if event.text not in self.known:
            super().receive(event)
            self.unresolved |= {entry.path for entry in event.entries}

    def resolve(self, *, backwards: bool = False) -> int:
        """Writes what the rules ask for until they ask for nothing; how many events that were.

        Asked are only the paths whose log has changed, those above them, and those that content
        was moved here from.
        """
        written = 0
        while self.unresolved:
            paths = set(self.unresolved)
            for path in self.unresolved:
                paths.update(ancestors(path), sources([path], self.entries))
            self.unresolved.clear()
            for path in sorted(paths, reverse=backwards):
                rulings = resolve(path, self)
                for ruling in rulings:
                    self.world.ruled(self, ruling)
                for ruling in rulings:
                    self.publish(of_ruling(ruling))
                written += len(rulings)
            assert written < MOST_RULINGS, "the rules never come to rest"
        return written


def _as_member(change: Change) -> Change:
    """A batch has no `cpy`: content that the log has is a `put` without offset."""
    return change._replace(op=Op.PUT, source=None) if change.op is Op.CPY else change


def _removal(one: Found) -> Change:
    was = one.row.finding.kind if one.row else Kind.FILE
    op = Op.RMD if was is Kind.DIRECTORY else Op.DEL
    return Change(op, one.path, None, one.verdict.parent, EMPTY_HASH, 0, 0, "-")


class Deletion(NamedTuple):
    """A path that a user deleted, and the events that had brought what was deleted there."""

    path: str
    events: frozenset[EventText]


class World:
    """All devices, all events, and the ledger of contents."""

    def __init__(self, skews: Sequence[float]) -> None:
        self.seconds = 0.0
        self.events: dict[EventText, Event] = {}
        self.observers = [
            Observer(self, DeviceId(letter * 8), skew)
            for letter, skew in zip("abcdefgh", skews, strict=False)
        ]
        self.contents: set[tuple[Kind, DataHash]] = set()
        self.superseded: set[tuple[Kind, DataHash]] = set()
        self.deletions: list[Deletion] = []

    def mtime(self, op: Op) -> int:
        return int(self.seconds * 1000) if op in (Op.PUT, Op.CPY, Op.MOV) else 0

    def take(self, event: Event) -> None:
        old = self.events.setdefault(event.text, event)
        assert old == event, "one name for two events"

    def wrote(self, who: Observer, path: str, finding: Finding, row: Row | None) -> None:
        if finding.kind in (Kind.FILE, Kind.LINK):
            self.contents.add((finding.kind, finding.data_hash))
        if finding == ABSENT and row is not None:
            entries = who.entries(path)
            events = {e.event for e in entries if e.content == row.finding.content}
            self.deletions.append(Deletion(path, frozenset(events)))

    def replaced(self, row: Row | None) -> None:
        """Somebody who saw what `row` says has put something else in its place."""
        if row is not None and row.finding.kind in (Kind.FILE, Kind.LINK):
            self.superseded.add((row.finding.kind, row.finding.data_hash))

    def ruled(self, who: Observer, ruling: Ruling) -> None:
        """What every event of a rule has to keep to, where it is asked for."""
        assert of_ruling(ruling).text not in who.known, "a rule asks for what is there"
        for change in ruling.changes:
            check_path(change.path)
            if change.op is Op.MOV:
                assert change.source is not None
                assert not state_of(who.entries(change.path)).putting, "a move onto something"
            if change.op is not Op.PUT or change.parent != NO_PARENT:
                on = change.source if change.op is Op.MOV else change.path
                heads = state_of(who.entries(on or "")).heads
                assert change.parent in {head.ref for head in heads}, "no head of its path"

    # The end of every schedule.

    def exchange(self) -> None:
        for observer in self.observers:
            for text in sorted(self.events):
                observer.receive(self.events[text])

    def settle(self) -> int:
        """Everybody scans, gets everything, resolves and applies, until nothing new is written.

        Returns the number of rounds that wrote something.
        """
        for observer in self.observers:
            observer.scan(in_batch=False)
        for rounds in range(12):
            self.exchange()
            before = len(self.events)
            for number, observer in enumerate(self.observers):
                observer.resolve(backwards=number % 2 == 1)
            for observer in self.observers:
                observer.apply_all()
                observer.scan(in_batch=True)
            if len(self.events) == before:
                return rounds
        raise AssertionError("the devices never come to rest")

    def check(self) -> None:
        """Converged, at rest, nothing lost, nothing brought back."""
        tree = self.observers[0].tree()
        for observer in self.observers:
            assert observer.known.keys() == self.events.keys()
            assert not any(resolve(path, observer) for path in observer.paths), "left undone"
            assert observer.tree() == tree, "two trees from one log"
            shown = {path: entry.content for path, entry in tree.items()}
            assert {p: f.content for p, f in observer.folder.items()} == shown
        assert fold(self._shuffled()) == tree, "the order of events matters"
        live = {(entry.kind, entry.data_hash) for entry in tree.values()}
        lost = self.contents - live - self.superseded
        assert not lost, f"content that nobody replaced is gone: {lost}"
        for deletion in self.deletions:
            back = tree.get(deletion.path)
            assert back is None or back.event not in deletion.events, "a deletion was undone"

    def _shuffled(self) -> list[Entry]:
        texts = sorted(self.events, key=lambda text: text[::-1])
        doubled = [*texts, *texts[::-2]]
        return [entry for text in doubled for entry in self.events[text].entries]
