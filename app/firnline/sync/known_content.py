"""Does the log have a content already, so that naming its hash is enough?"""

from firnline.core.entry import Entry
from firnline.core.event import Kind
from firnline.core.hashing import EMPTY_HASH, DataHash
from firnline.folder.scan import Seen
from firnline.state.file_index import FileRow
from firnline.state.journal import EventState
from firnline.sync.context import FolderContext
from firnline.sync.event_writer import EventWriter


def is_everywhere(context: FolderContext, writer: EventWriter, data_hash: DataHash) -> bool:
    """True when every store in reach, and the home store where it has to, has this content.

    An event whose own content cannot be had (a delta, a damaged body) does not bring it; an empty
    content is not worth naming.
    """
    if data_hash == EMPTY_HASH:
        return False
    journal, stores = context.state.journal, context.state.stores
    for event, *_ in journal.carriers(data_hash):
        if writer.needs_home and not stores.holds(event):
            continue
        if journal.by_id(event).state is EventState.BODILESS:
            continue
        if not any(stores.lacks(s.store_id, event) for s in context.stores):
            return True
    return False


def may_be_known(context: FolderContext, seen: Seen, row: FileRow | None, log: list[Entry]) -> bool:
    """True when a large file is worth hashing before it is sent: the log has one of its size.

    A file that was changed in place usually keeps its size, so its own row is no reason.
    """
    size = seen.stat.size
    if row is None and any(e.kind is Kind.FILE and e.size == size for e in log):
        return True
    if row is not None and row.kind is Kind.FILE:
        return False
    return context.state.journal.has_body_of_size(size)
