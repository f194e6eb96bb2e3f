"""Events for the tests of the core: named by the rules of docs/design.md sections 2 and 11.

Bodies are never needed here: a content is a short text, and only its hash counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from firnline.core.batch import write_manifest
from firnline.core.clock import DateTime, format_time
from firnline.core.entry import Change, Entry, entries_of_batch, entries_of_event
from firnline.core.event import DeviceId, EventName, EventText, Op, ref_of
from firnline.core.hashing import (
    NO_PARENT,
    PLAIN,
    DataHash,
    EventHash,
    Hasher,
    PlainHasher,
    Ref,
)
from firnline.core.heads import state_of, unknown_parents
from firnline.core.paths import common_directory
from firnline.core.replay import Tree, fold
from firnline.core.resolve import Ruling

START = datetime(2026, 11, 22, 8, 26, tzinfo=UTC)
A, B, C = DeviceId("aaaaaaaa"), DeviceId("bbbbbbbb"), DeviceId("cccccccc")


class Event(NamedTuple):
    """One file in a store, as far as the rules can see it."""

    text: EventText
    ref: Ref
    entries: tuple[Entry, ...]


class WeakHasher(PlainHasher):
    """Event hashes so short that names collide and rings close, as if somebody had forged them."""

    def event(self, name: str) -> EventHash:
        return EventHash(super().event(name)[0] * 32)


WEAK = WeakHasher()


def at(seconds: float) -> DateTime:
    """The DATETIME `seconds` after `START`."""
    return format_time(START + timedelta(seconds=seconds))


def change(
    op: Op,
    path: str,
    content: str = "",
    parent: Ref = NO_PARENT,
    *,
    source: str | None = None,
    flags: str = "-",
    mtime: int = 0,
    offset: int | None = None,
) -> Change:
    """One operation whose content is `content`."""
    data_hash = PLAIN.data(content.encode())
    return Change(op, path, source, parent, data_hash, len(content), mtime, flags, offset)


def named(
    time: DateTime, device: DeviceId, changes: Sequence[Change], hasher: Hasher = PLAIN
) -> Event:
    """The event that makes these changes: of one a single event, of several a batch."""
    if len(changes) == 1:
        return single(time, device, changes[0], hasher)
    return batch(time, device, changes, hasher)


def single(time: DateTime, device: DeviceId, change: Change, hasher: Hasher = PLAIN) -> Event:
    source = change.source if change.op in (Op.MOV, Op.CPY) else None
    name = EventName(
        time,
        change.data_hash,
        change.op,
        PLAIN.path(change.path),
        None if source is None else PLAIN.path(source),
        change.parent,
        device,
        change.mtime,
        change.flags,
    )
    ref = ref_of(name.text, hasher)
    entries = entries_of_event(name, name.text, ref, change.path, source, change.size)
    return Event(name.text, ref, tuple(entries))


def batch(
    time: DateTime, device: DeviceId, changes: Iterable[Change], hasher: Hasher = PLAIN
) -> Event:
    ordered = sorted(changes, key=lambda change: change.path)
    top = PLAIN.path(common_directory([change.path for change in ordered]))
    data_hash = PLAIN.data(write_manifest(ordered))
    name = EventName(time, data_hash, Op.BAT, top, None, NO_PARENT, device, 0, "-")
    ref = ref_of(name.text, hasher)
    return Event(name.text, ref, tuple(entries_of_batch(ordered, name.text, ref)))


def of_ruling(ruling: Ruling) -> Event:
    """The event that a rule asked for."""
    return named(ruling.time, ruling.device, ruling.changes)


def put(
    path: str,
    content: str,
    parent: Ref = NO_PARENT,
    *,
    seconds: float = 0,
    device: DeviceId = A,
    flags: str = "-",
    mtime: int = 0,
) -> Event:
    made = change(Op.PUT, path, content, parent, flags=flags, mtime=mtime)
    return single(at(seconds), device, made)


def delete(path: str, parent: Ref, *, seconds: float = 0, device: DeviceId = A) -> Event:
    return single(at(seconds), device, change(Op.DEL, path, "", parent))


def move(
    source: str,
    path: str,
    content: str,
    parent: Ref,
    *,
    seconds: float = 0,
    device: DeviceId = A,
    flags: str = "-",
) -> Event:
    made = change(Op.MOV, path, content, parent, source=source, flags=flags)
    return single(at(seconds), device, made)


def copy(
    source: str,
    path: str,
    content: str,
    parent: Ref = NO_PARENT,
    *,
    seconds: float = 0,
    device: DeviceId = A,
    flags: str = "-",
) -> Event:
    made = change(Op.CPY, path, content, parent, source=source, flags=flags)
    return single(at(seconds), device, made)


def mkdir(path: str, parent: Ref = NO_PARENT, *, seconds: float = 0, device: DeviceId = A) -> Event:
    return single(at(seconds), device, change(Op.MKD, path, "", parent))


def rmdir(path: str, parent: Ref, *, seconds: float = 0, device: DeviceId = A) -> Event:
    return single(at(seconds), device, change(Op.RMD, path, "", parent))


def link(
    path: str, target: str, parent: Ref = NO_PARENT, *, seconds: float = 0, device: DeviceId = A
) -> Event:
    return single(at(seconds), device, change(Op.LNK, path, target, parent))


class KnownEvents:
    """A log in memory, as `core.resolve.Log` asks for it: what has been received is at hand."""

    def __init__(self, *events: Event) -> None:
        self.known: dict[EventText, Event] = {}
        self.paths: dict[str, list[Entry]] = defaultdict(list)
        self.impatient = False
        """True once a missing parent has been missing for 7 days."""
        for event in events:
            self.receive(event)

    def receive(self, event: Event) -> None:
        if event.text not in self.known:
            self.known[event.text] = event
            for entry in event.entries:
                self.paths[entry.path].append(entry)

    def entries(self, path: str) -> Sequence[Entry]:
        return self.paths.get(path, [])

    def has_children(self, path: str) -> bool:
        return any(
            other.startswith(f"{path}/") and state_of(entries).winner is not None
            for other, entries in self.paths.items()
        )

    def waits(self, path: str) -> bool:
        return not self.impatient and bool(unknown_parents(self.entries(path)))

    def tree(self) -> Tree:
        return fold(entry for entries in self.paths.values() for entry in entries)


def on(path: str, *events: Event) -> list[Entry]:
    """What these events do to one path."""
    return [entry for event in events for entry in event.entries if entry.path == path]


def data_hash(content: str) -> DataHash:
    return PLAIN.data(content.encode())
