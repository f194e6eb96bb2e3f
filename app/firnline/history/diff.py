"""What differs between two moments: `firnline diff`.

Of one file, a unified diff of its text; of a directory, which paths were added, removed, changed or
moved. Both sides come from the log: edits in the local folder that no pass has taken in yet are not
part of it.
"""

from datetime import timedelta

from firnline.core.clock import format_time
from firnline.core.entry import Entry
from firnline.core.event import Kind
from firnline.core.heads import by_name, state_of
from firnline.core.replay import until
from firnline.history.ancestry import Ancestry
from firnline.history.browse import NotThereError, entry_at, has_below
from firnline.history.moments import PRESENT, Moment, instant_of
from firnline.history.names import settle_path
from firnline.history.text_diff import TextDiff, text_diff
from firnline.history.tree_diff import TreeDiff, tree_diff
from firnline.sync.context import FolderContext

_A_DAY = timedelta(days=1)


def diff(
    context: FolderContext, path: str = "", start: Moment | None = None, end: Moment = PRESENT
) -> TextDiff | TreeDiff:
    """What differs at `path` between `start` and `end`.

    Where `start` is None: of a file, the last version with other content that the one at `end`
    came from; of a directory, a day before `end`. Raises NotThereError when nothing stands there
    at either moment, and ContentMissingError where a text is in no place in reach.
    """
    path = settle_path(path)
    files = _files(context, path, start, end) if path else None
    if files is not None:
        return text_diff(context, path, *files)
    first = start or _day_before(context, end)
    if path and not any(_is_directory(context, path, moment) for moment in (first, end)):
        raise NotThereError(context.name, path, end)
    return tree_diff(context, path, first, end)


def _day_before(context: FolderContext, end: Moment) -> Moment:
    base = context.clock.now() if end == PRESENT else instant_of(end)
    return format_time(base - _A_DAY)


def _is_directory(context: FolderContext, path: str, moment: Moment) -> bool:
    entry = entry_at(context, path, moment)
    if entry is not None:
        return entry.kind is Kind.DIRECTORY
    return has_below(context, moment, path)


def _files(
    context: FolderContext, path: str, start: Moment | None, end: Moment
) -> tuple[Entry | None, Entry | None] | None:
    """Both versions of a file; None where a side is a directory, or neither is anything."""
    moments = (end,) if start is None else (start, end)
    if any(_is_directory(context, path, moment) for moment in moments):
        return None
    after = entry_at(context, path, end)
    if start is None:
        before = _version_before(context, path, after, end)
    else:
        before = entry_at(context, path, start)
    return None if before is None and after is None else (before, after)


def _version_before(
    context: FolderContext, path: str, after: Entry | None, end: Moment
) -> Entry | None:
    """The last version with other content, by ancestry and across moves."""
    last = after or _deletion(context, path, end)
    if last is None:
        return None
    above = Ancestry(context.state.journal).above(last)
    before = next((entry for entry in above if entry.content[:2] != last.content[:2]), None)
    return before if before is not None and before.kind in (Kind.FILE, Kind.LINK) else None


def _deletion(context: FolderContext, path: str, end: Moment) -> Entry | None:
    """The newest deletion of a path where nothing stands."""
    keep = until(end)
    entries = [entry for entry in context.state.journal.entries(path) if keep(entry)]
    return max(state_of(entries).heads, key=by_name, default=None)
