"""Saves that slipped in while a file was being replaced become events on what they were made of.

The content is in the replaced inode that applying kept; the event names the old base as its
parent, so it stands beside what was applied, and rule 4 makes a conflict copy of one of the two.
"""

from firnline.core.entry import Change
from firnline.core.event import NO_FLAGS, Op, clamp_mtime
from firnline.core.hashing import Ref
from firnline.state.intents import Rescued
from firnline.sync.bodies import chunks_of
from firnline.sync.context import FolderContext
from firnline.sync.drafts import draft_single
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter


def publish_rescued(context: FolderContext, clock: EventClock, writer: EventWriter) -> int:
    """Write an event for each rescued save; returns how many."""
    rescued = context.state.intents.rescued()
    for item in rescued:
        _publish(context, clock, writer, item)
    return len(rescued)


def _publish(context: FolderContext, clock: EventClock, writer: EventWriter, item: Rescued) -> None:
    stat = context.root.kept_stat(item.kept)
    if stat is not None:
        body = b"".join(chunks_of(context.root.open_kept(item.kept)))
        change = Change(
            Op.PUT,
            item.path,
            None,
            Ref(item.base),
            context.hasher.data(body),
            len(body),
            clamp_mtime(stat.mtime_ns),
            "x" if stat.executable else NO_FLAGS,
        )
        draft = draft_single(change, clock.next(), context.device, body, context.hasher)
        writer.write([draft], lambda: context.state.journal.mark_dirty([item.path]))
    with context.state.transaction("rescued"):
        context.state.intents.drop_rescued(item.kept)
    context.root.drop_kept(item.kept)
