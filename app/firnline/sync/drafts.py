"""Events about to be written: from changes to a name, entries and a body.

Pure but for the hasher. A draft is either one change, or a batch of several; what makes a batch's
bytes is decided here and nowhere else, so an event that was lost on the way can be made again,
byte for byte, from its entries.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from firnline.core.batch import with_header, write_manifest
from firnline.core.clock import DateTime
from firnline.core.entry import (
    Change,
    Entry,
    entries_of_batch,
    entries_of_event,
)
from firnline.core.event import NO_FLAGS, DeviceId, EventName, EventText, Kind, Op, ref_of
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, Hasher, Ref
from firnline.core.paths import common_directory


class Draft(NamedTuple):
    """An event with all that writing it takes."""

    name: EventText
    ref: Ref
    entries: list[Entry]
    size: int
    """Bytes of the event file."""
    body: Sequence[bytes]
    """The event file in pieces."""
    index_paths: tuple[str, ...]
    """Paths whose `eventsindex` entry has to stand in the store before the event does."""
    moved: tuple[str, str] | None = None
    """Of a whole directory that was moved, source and target: its entries follow from the rows of
    the file index, and none are listed."""


def draft_single(
    change: Change, time: DateTime, device: DeviceId, body: bytes, hasher: Hasher
) -> Draft:
    """One change as an event of its own. `body` is empty for operations without one.

    Its name has no room for a hint where content came from, so that is left out.
    """
    if change.op not in (Op.MOV, Op.CPY):
        change = change._replace(source=None)
    event = name_single(change, time, device, hasher)
    text = event.text
    ref = ref_of(text, hasher)
    entries = entries_of_event(event, text, ref, change.path, change.source, change.size)
    paths = (change.path,) if change.source is None else (change.path, change.source)
    return Draft(text, ref, entries, len(body), (body,), paths)


def name_single(change: Change, time: DateTime, device: DeviceId, hasher: Hasher) -> EventName:
    """The name of one change's event."""
    has_source = change.op in (Op.MOV, Op.CPY)
    timed = change.op in (Op.PUT, Op.PAT, Op.CPY, Op.MOV)
    return EventName(
        time,
        change.data_hash,
        change.op,
        hasher.path(change.path),
        hasher.path(change.source) if has_source and change.source is not None else None,
        change.parent,
        device,
        change.mtime if timed else 0,
        change.flags,
    )


def draft_batch(
    members: Iterable[tuple[Change, bytes | None]],
    time: DateTime,
    device: DeviceId,
    hasher: Hasher,
) -> Draft:
    """Several changes as one event; a member with a body of its own brings it along."""
    changes, bodies = _laid_out(members)
    head = write_manifest(changes)
    text = _name_batch(head, [change.path for change in changes], time, device, hasher)
    ref = ref_of(text, hasher)
    entries = entries_of_batch(changes, text, ref)
    size = len(head) + sum(map(len, bodies))
    return Draft(text, ref, entries, size, (head, *bodies), ())


def draft_moved_directory(
    place: tuple[str, str],
    ends: tuple[str, str],
    manifest: bytes,
    time: DateTime,
    device: DeviceId,
    hasher: Hasher,
) -> Draft:
    """The move of all files below a directory as one event: the batch of their `mov` members.

    `place`: source and target; `ends`: the smallest and the largest path at the target.
    """
    head = with_header(manifest)
    text = _name_batch(head, [*ends], time, device, hasher)
    return Draft(text, ref_of(text, hasher), [], len(head), (head,), (), place)


def _name_batch(
    head: bytes, paths: list[str], time: DateTime, device: DeviceId, hasher: Hasher
) -> EventText:
    """`paths` hold the smallest and the largest of all members' paths."""
    directory = common_directory(paths)
    return EventName(
        time,
        hasher.data(head),
        Op.BAT,
        hasher.path(directory),
        None,
        NO_PARENT,
        device,
        0,
        NO_FLAGS,
    ).text


def _laid_out(
    members: Iterable[tuple[Change, bytes | None]],
) -> tuple[list[Change], list[bytes]]:
    """The members in the order of their paths, each body at its offset."""
    changes: list[Change] = []
    bodies: list[bytes] = []
    offset = 0
    for change, body in sorted(members, key=lambda member: member[0].path):
        if body is None:
            changes.append(change)
            continue
        changes.append(Change(*change[:-1], offset))
        bodies.append(body)
        offset += len(body)
    return changes, bodies


def changes_of(entries: Iterable[Entry]) -> list[Change]:
    """The members that a batch's entries were made of, in the order of the manifest."""
    return [
        Change(
            entry.op,
            entry.path,
            None if entry.op is Op.DEL else entry.other,
            entry.parent,
            entry.data_hash,
            entry.size,
            entry.mtime,
            entry.flags,
            entry.offset,
        )
        for entry in sorted(entries, key=lambda entry: entry.path)
        if not (entry.op is Op.MOV and entry.kind is Kind.NOTHING)
    ]


def indexed_paths(name: EventText, entries: Iterable[Entry]) -> set[str]:
    """The paths in a single event's name, which `eventsindex` has to have; a batch has none."""
    if Op(name[54:57]) is Op.BAT:
        return set()
    return {path for entry in entries for path in (entry.path, entry.other) if path is not None}


def closing(entry: Entry) -> Change:
    """The `del` that closes a head before something is written on its path."""
    return Change(Op.DEL, entry.path, None, entry.ref, EMPTY_HASH, 0, 0, NO_FLAGS)
