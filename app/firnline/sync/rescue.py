"""Saves that slipped in while a file was being replaced become events on what they were made of.

The content is in the replaced inode that applying kept; the event names the old base as its
parent, so it stands beside what was applied, and rule 4 makes a conflict copy of one of the two.
"""

from firnline.core.entry import Change
from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind, Op, clamp_mtime
from firnline.core.hashing import DataHash, Ref
from firnline.core.reconcile import Finding, Write, reconcile
from firnline.folder.filesystem import Root
from firnline.folder.metadata import Stat
from firnline.state.intents import Rescued
from firnline.sync.bodies import chunks_of
from firnline.sync.context import FolderContext
from firnline.sync.drafts import draft_single
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter


def publish_rescued(context: FolderContext, clock: EventClock, writer: EventWriter) -> int:
    """Write an event for each rescued save that the log does not know; returns how many."""
    return sum(_publish(context, clock, writer, item) for item in context.state.intents.rescued())


def _publish(context: FolderContext, clock: EventClock, writer: EventWriter, item: Rescued) -> int:
    stat = context.root.kept_stat(item.kept)
    written = 0
    if stat is not None and stat.kind in (Kind.FILE, Kind.LINK):
        body = _read(context.root, item.kept, stat.kind)
        flags = EXECUTABLE if stat.executable else NO_FLAGS
        found = Finding(stat.kind, context.hasher.data(body), flags)
        written = _write(context, clock, writer, item, found, stat, body)
    with context.state.transaction("rescued"):
        context.state.intents.drop_rescued(item.kept)
    context.root.drop_kept(item.kept)
    return written


def _write(
    context: FolderContext,
    clock: EventClock,
    writer: EventWriter,
    item: Rescued,
    found: Finding,
    stat: Stat,
    body: bytes,
) -> int:
    """After a crash in the middle the log knows the save already, and nothing is written."""
    verdict = reconcile(found, Ref(item.base), context.state.journal.entries(item.path))
    if not isinstance(verdict, Write):
        return 0
    is_file = found.kind is Kind.FILE
    change = Change(
        Op.PUT if is_file else Op.LNK,
        item.path,
        None,
        verdict.parent,
        found.data_hash,
        len(body),
        clamp_mtime(stat.mtime_ns) if is_file else 0,
        found.flags,
    )
    closings = writer.closings(verdict.closes, clock)
    draft = draft_single(change, clock.next(), context.device, body, context.hasher)
    writer.write([*closings, draft], lambda: context.state.journal.mark_dirty([item.path]))
    return 1


def _read(root: Root, kept: str, kind: Kind) -> bytes:
    if kind is Kind.LINK:
        return root.kept_link(kept).encode()
    return b"".join(chunks_of(root.open_kept(kept)))


def hash_of_kept(context: FolderContext, kept: str, kind: Kind) -> DataHash:
    """The content's hash of a file or link that applying kept. Raises FolderError."""
    if kind is Kind.LINK:
        return context.hasher.data(context.root.kept_link(kept).encode())
    digest = context.hasher.running()
    for chunk in chunks_of(context.root.open_kept(kept)):
        digest.update(chunk)
    return digest.data_hash()
