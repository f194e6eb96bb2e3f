"""The guard against bursts that look like encryption by malware, over one pass (docs/design.md
section 7, *Safety*); `core.burst` says what is one.

What is held stays dirty and is left out of rules and applying, so nothing has to be undone when the
program is killed. A question per device remembers, path by path, the held events and what stands
on them; its cause is looked at anew in each pass. What was decided is remembered by its last event,
so that it is not asked about again.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from firnline.core.burst import (
    LEAST,
    SPAN,
    Replaced,
    before_burst,
    burst,
    device_in,
    held_heads,
    held_refs,
    looks_encrypted,
    replaced,
    sample,
)
from firnline.core.clock import format_time, parse_time
from firnline.core.entry import Change, Entry
from firnline.core.event import NO_FLAGS, DeviceId, Kind, Op
from firnline.core.hashing import EMPTY_HASH
from firnline.core.heads import by_ref, heads_of
from firnline.state.device_changes import Incoming
from firnline.state.questions import Question
from firnline.stores.errors import StoreError
from firnline.stores.identity import read_device
from firnline.sync.bodies import Bodies, ContentMissingError
from firnline.sync.context import FolderContext
from firnline.sync.publisher import in_groups, publish_changes

BURST = "held-back burst"
"""The kind of question; its subject is the device."""
APPLY, UNDO = "apply", "undo"
"""Its choices."""

_SLICE = 5_000
_MOST_READ = 4 * 2**20
_EXAMPLES = 5
_AGAIN = 25
"""So many files more are replaced before contents that were no noise are looked at again."""

Refs = dict[str, set[str]]
"""Path → refs of events."""


class BurstGuard:
    """Of one pass. Says what has to wait, asks the user, and carries out the answers."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._state = context.state
        self._questions = [q for q in self._state.questions.all() if q.kind == BURST]
        self.decided: set[str] = set()
        """Paths about which the user has said something: no other guard asks again."""

    def hold(self) -> set[str]:
        """Dirty paths that are neither to be resolved nor applied. Asks about what is new."""
        self.decided = set()
        if not (self._questions or self._state.dirty.paths(limit=1)):
            return set()
        incoming = {
            found.device: found
            for found in self._state.device_changes.incoming()
            if found.device != self._context.device
        }
        devices = {DeviceId(question.subject) for question in self._questions}
        held: set[str] = set()
        for device in sorted(devices | incoming.keys()):
            held |= self._hold(device, incoming.get(device))
        return held

    def may_hold_fresh(self) -> bool:
        """True when what came to paths that do not rest may have to wait."""
        asked = {question.subject for question in self._questions}
        for found in self._state.device_changes.incoming(fresh=True):
            if found.device == self._context.device:
                continue
            span = _span_of((), found)
            if found.device in asked or self._new_in_burst(found.device, found, (), span):
                return True
        return False

    def _hold(self, device: DeviceId, incoming: Incoming | None) -> set[str]:
        questions = [q for q in self._questions if q.subject == device]
        roots = self._known(questions)
        span = _span_of(questions, incoming)
        if incoming is not None:
            for one in self._new_in_burst(device, incoming, questions, span):
                for entry in one.entries:
                    roots.setdefault(entry.path, set()).add(entry.ref)
                    span = _widened(span, entry.event)
        if not roots:
            return set()
        logs, held = self._descent(roots)
        heads = self._heads(logs, held)
        waiting = self._ask(device, questions, heads, held, span)
        undone = self._shown(questions, UNDO)
        self.decided |= self._shown(questions, APPLY).keys() | undone.keys()
        return waiting | {
            path
            for path, found in heads.items()
            if any(head.ref in undone.get(path, ()) for head in found)
        }

    # --- what is held -------------------------------------------------------------------------

    def _known(self, questions: Iterable[Question]) -> Refs:
        """What questions were asked about, answered or not."""
        found: Refs = {}
        for question in questions:
            for path, refs in self._state.questions.asked(question.id).items():
                found.setdefault(path, set()).update(refs.split())
        return found

    def _shown(self, questions: Iterable[Question], answer: str) -> Refs:
        return self._known(question for question in questions if question.answer == answer)

    def _new_in_burst(
        self,
        device: DeviceId,
        incoming: Incoming,
        questions: Sequence[Question],
        span: tuple[str, str],
    ) -> list[Replaced]:
        """What a device replaced and has to wait, if there are the signs of a burst."""
        changes = self._state.device_changes
        low = max(_moved(incoming.first, -SPAN), self._state.fact(_fact(device)) or "")
        high = _moved(incoming.last, SPAN)
        known = any(question.is_open for question in questions)
        closing = changes.closing(device, low, high)
        if not known and len(closing) < LEAST:
            return []
        logs = self._logs({entry.path for entry in closing})

        def before(entry: Entry) -> Entry | None:
            return by_ref(logs.get(entry.path, [])).get(entry.closes)

        entries = closing
        if any(entry.kind is Kind.NOTHING for entry in closing):
            # Only what stands beside something that is gone can have come in its place.
            entries = closing + changes.fresh(device, low, high)
        found = burst(replaced(entries, before).values(), span if known else ())
        if known or not found:
            return found
        return found if self._is_encryption(device, found) else []

    def _is_encryption(self, device: DeviceId, found: Sequence[Replaced]) -> bool:
        """Reads a sample, unless it was looked at when there were hardly fewer files."""
        seen = self._context.bursts_cleared
        if 0 <= len(found) - seen.get(device, -_AGAIN) < _AGAIN:
            return False
        bodies = Bodies(self._context)
        contents: list[tuple[bytes, bytes]] = []
        for one in sample(found, _MOST_READ):
            self._context.check_cancelled()
            with suppress(ContentMissingError):
                old = bodies.read(one.old.data_hash, _MOST_READ)
                contents.append((old, bodies.read(one.new.data_hash, _MOST_READ)))
        verdict = looks_encrypted(contents)
        if verdict is False:
            seen[device] = len(found)
        return verdict is True

    def _logs(self, paths: Iterable[str]) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for group in in_groups(sorted(paths), _SLICE):
            found.update(self._state.journal.entries_of(group))
        return found

    def _descent(self, roots: Refs) -> tuple[dict[str, list[Entry]], Refs]:
        """The logs of all held paths, and the held events of each: what stands on them too, also
        where it was moved to."""
        logs: dict[str, list[Entry]] = {}
        held: Refs = {}
        fresh = roots
        while fresh:
            logs.update(self._logs(fresh))
            reached: Refs = {}
            for path, refs in fresh.items():
                held[path] = held_refs(logs.get(path, []), refs | held.get(path, set()))
                for entry in logs.get(path, []):
                    if entry.other and not entry.puts and entry.ref in held[path]:
                        reached.setdefault(entry.other, set()).add(entry.ref)
            fresh = {p: refs for p, refs in reached.items() if not refs <= held.get(p, set())}
        return logs, held

    def _heads(self, logs: Mapping[str, list[Entry]], held: Refs) -> dict[str, list[Entry]]:
        found = {}
        for path, refs in held.items():
            heads = held_heads(logs.get(path, []), refs, self._is_own)
            if heads:
                found[path] = heads
        return found

    def _is_own(self, entry: Entry) -> bool:
        return device_in(entry.event) == self._context.device

    # --- the question -------------------------------------------------------------------------

    def _ask(
        self,
        device: DeviceId,
        questions: Sequence[Question],
        heads: Mapping[str, Sequence[Entry]],
        held: Refs,
        span: tuple[str, str],
    ) -> set[str]:
        """Make the stored question what waits now; returns its paths."""
        answered = self._known(question for question in questions if question.answer)
        asked = {
            path: " ".join(sorted(held[path]))
            for path, found in heads.items()
            if any(head.ref not in answered.get(path, ()) for head in found)
        }
        table = self._state.questions
        current = next((q for q in questions if q.is_open), None)
        if current is None and not asked:
            return set()
        if current is None or table.asked(current.id) != asked:
            now = format_time(self._context.clock.now())
            facts = {
                "device": self._name_of(device) if asked else "",
                "device_id": device,
                "files": len(asked),
                "examples": sorted(asked)[:_EXAMPLES],
                "first": span[0],
                "last": span[1],
            }
            with self._state.transaction("ask about burst"):
                if asked:
                    table.ask(BURST, device, now, facts, asked)
                else:
                    table.withdraw(BURST, device)
            self._questions = [q for q in table.all() if q.kind == BURST]
        return set(asked)

    def _name_of(self, device: DeviceId) -> str:
        for connected in self._context.stores:
            with suppress(StoreError):
                return read_device(connected.store, device).name
        return device

    # --- answers ------------------------------------------------------------------------------

    def undo(self) -> int:
        """Put back, as one batch, what the user does not want; the number of events. To be called
        after a scan was published."""
        changes: list[Change] = []
        for question in self._questions:
            if question.answer == UNDO:
                found = self._undoing(question)
                changes += found
                if not found:
                    self._drop(question)
        return len(publish_changes(self._context, changes)) if changes else 0

    def _undoing(self, question: Question) -> list[Change]:
        """What undoes the heads that the user was shown; of several at a path one at a time, since
        a batch touches each path once."""
        shown = self._known([question])
        logs = self._logs(shown)
        found = []
        for path, refs in sorted(shown.items()):
            log = logs.get(path, [])
            held = held_refs(log, refs)
            heads = [head for head in held_heads(log, held, self._is_own) if head.ref in refs]
            if heads:
                names = {head.ref for head in held_heads(log, held, self._is_own)}
                # Also a deletion: what somebody deleted meanwhile must not come back.
                beside = any(head.ref not in names for head in heads_of(log))
                old = None if beside else before_burst(heads[-1], log, held)
                found.append(_undoing(heads[-1], old))
        return found

    def applied(self) -> None:
        """What was not held was applied as far as it can be now."""
        answered = [question for question in self._questions if question.answer == APPLY]
        if not answered:
            return
        dirty = set(self._state.dirty.paths())
        for question in answered:
            if dirty.isdisjoint(self._state.questions.asked(question.id)):
                self._drop(question)

    def _drop(self, question: Question) -> None:
        """Its answer was carried out."""
        fact, last = _fact(question.subject), str(question.details["last"])
        with self._state.transaction("burst decided"):
            self._state.questions.drop(question.id)
            self._state.set_fact(fact, max(last, self._state.fact(fact) or ""))
        self._questions = [q for q in self._questions if q.id != question.id]


def _fact(device: str) -> str:
    return f"burst decided {device}"


def _moved(event: str, seconds: float) -> str:
    return format_time(parse_time(event[:20]) + timedelta(seconds=seconds))


def _span_of(questions: Iterable[Question], incoming: Incoming | None) -> tuple[str, str]:
    """The first and the last event that questions are about."""
    ends = [(str(q.details["first"]), str(q.details["last"])) for q in questions]
    if not ends:
        return ("", "") if incoming is None else (incoming.last, incoming.first)
    return min(first for first, _ in ends), max(last for _, last in ends)


def _widened(span: tuple[str, str], event: str) -> tuple[str, str]:
    return min(span[0], event), max(span[1], event)


def _undoing(head: Entry, old: Entry | None) -> Change:
    """What brings back `old` on top of `head`; None: nothing stood there."""
    path, parent = head.path, head.ref
    if old is None or not old.puts:
        return Change(Op.DEL, path, None, parent, EMPTY_HASH, 0, 0, NO_FLAGS)
    if old.kind is Kind.DIRECTORY:
        return Change(Op.MKD, path, None, parent, EMPTY_HASH, 0, 0, NO_FLAGS)
    if old.kind is Kind.LINK:
        return Change(Op.LNK, path, None, parent, old.data_hash, old.size, 0, NO_FLAGS)
    return Change(Op.PUT, path, None, parent, old.data_hash, old.size, old.mtime, old.flags)
