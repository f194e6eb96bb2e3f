"""Events for the tests of the core: named by the rules of docs/design.md sections 2 and 11.

Bodies are never needed here: a content is a short text, and only its hash counts.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from firnline.core.batch import write_manifest
from firnline.core.clock import DateTime, format_time
from firnline.core.entry import Change, Entry, entries_of_batch, entries_of_event
from firnline.core.event import DeviceId, EventName, EventText, Op, ref_of
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, DataHash, Ref
from firnline.core.paths import common_directory
from firnline.core.resolve import Ruling

START = datetime(2026, 11, 22, 8, 26, tzinfo=UTC)
A, B, C = DeviceId("aaaaaaaa"), DeviceId("bbbbbbbb"), DeviceId("cccccccc")


class Event(NamedTuple):
    """One file in a store, as far as the rules can see it."""

    text: EventText
    entries: tuple[Entry, ...]

    @property
    def ref(self) -> Ref:
        return ref_of(self.text)

    @property
    def device(self) -> DeviceId:
        return DeviceId(self.text[-20:-12])


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


def named(time: DateTime, device: DeviceId, changes: Sequence[Change]) -> Event:
    """The event that makes these changes: of one a single event, of several a batch."""
    return single(time, device, changes[0]) if len(changes) == 1 else batch(time, device, changes)


def single(time: DateTime, device: DeviceId, change: Change) -> Event:
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
    entries = entries_of_event(name, name.text, ref_of(name.text), change.path, source, change.size)
    return Event(name.text, tuple(entries))


def batch(time: DateTime, device: DeviceId, changes: Iterable[Change]) -> Event:
    ordered = sorted(changes, key=lambda change: change.path)
    top = common_directory([change.path for change in ordered])
    data_hash = PLAIN.data(write_manifest(ordered))
    name = EventName(
        time, data_hash, Op.BAT, PLAIN.path(top), None, NO_PARENT, device, 0, "-"
    )
    return Event(name.text, tuple(entries_of_batch(ordered, name.text, ref_of(name.text))))


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


def on(path: str, *events: Event) -> list[Entry]:
    """What these events do to one path."""
    return [entry for event in events for entry in event.entries if entry.path == path]


def data_hash(content: str) -> DataHash:
    return PLAIN.data(content.encode()) if content else EMPTY_HASH
