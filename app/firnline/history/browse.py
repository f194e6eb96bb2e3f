"""The folder as it is, or was: `firnline ls` and `firnline cat`.

The state at a moment is docs/design.md section 3 applied to the events named up to it (section 8).
It comes from the log alone: what stands in the local folder and was not taken in by a pass yet is
not part of it. Late events may change what a moment in the past looks like.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

from firnline.core.entry import Entry
from firnline.core.event import EventText, Kind
from firnline.core.heads import state_of
from firnline.core.paths import ancestors
from firnline.core.replay import until
from firnline.history.moments import PRESENT, Moment, format_milliseconds, format_time_of
from firnline.history.names import settle_path
from firnline.state.timeline_queries import TimelineQueries
from firnline.sync.bodies import open_content
from firnline.sync.context import FolderContext

_WORDS = {Kind.FILE: "file", Kind.LINK: "link", Kind.DIRECTORY: "dir"}


class NotThereError(LookupError):
    """Nothing stands at a path at a moment. The message is fit to be shown."""

    def __init__(self, folder: str, path: str, moment: Moment) -> None:
        when = "now" if moment == PRESENT else f"at {format_time_of(moment)}"
        super().__init__(f"{folder}:{path} does not exist {when}")


class NotAFileError(LookupError):
    """A directory was asked for its content. The message is fit to be shown."""

    def __init__(self, folder: str, path: str) -> None:
        super().__init__(f"{folder}:{path} is a directory")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a listing."""

    path: str
    kind: Kind
    size: int
    mtime: str
    """Links and directories have none of their own in the log: the time of `event`."""
    hash: str | None
    """None for directories."""
    event: EventText
    """What made it so. A directory that exists through its files only: the newest below it."""

    def to_json(self) -> dict[str, object]:
        return {
            "path": self.path,
            "kind": _WORDS[self.kind],
            "size": self.size,
            "mtime": self.mtime,
            "hash": self.hash,
            "event": self.event,
        }


def tree_at(context: FolderContext, moment: Moment = PRESENT, under: str = "") -> Iterator[Entry]:
    """What the tree shows at `under` and below it, by path, streamed.

    Equal to `core.replay.fold` of the entries up to `moment`: directories stand here only where
    a `mkd` made them, and a file that is a directory as well is left out (rule 6).
    """
    candidates = TimelineQueries(context.state.database).files_above_others(under)
    for entry in _winners(context, moment, under):
        hidden = entry.path in candidates and entry.kind is not Kind.DIRECTORY
        if not hidden or not has_below(context, moment, entry.path):
            yield entry


def entry_at(context: FolderContext, path: str, moment: Moment = PRESENT) -> Entry | None:
    """What the tree shows at one path; None for nothing, and for a directory without a `mkd`."""
    keep = until(moment)
    winner = state_of([e for e in context.state.journal.entries(path) if keep(e)]).winner
    if winner is None or winner.kind is Kind.DIRECTORY:
        return winner
    return None if has_below(context, moment, path) else winner


def ls(
    context: FolderContext,
    directory: str = "",
    moment: Moment = PRESENT,
    *,
    recursive: bool = False,
) -> Iterator[Item]:
    """What a directory holds, by path; of a file, the file itself.

    Directories that exist through their files are among it. Raises NotThereError at once.
    """
    directory = settle_path(directory)
    shown = entry_at(context, directory, moment) if directory else None
    if shown is not None and shown.kind is not Kind.DIRECTORY:
        return iter([_item(shown)])
    if shown is None and directory and not has_below(context, moment, directory):
        raise NotThereError(context.name, directory, moment)
    return _below(context, directory, moment, recursive=recursive)


def cat(context: FolderContext, path: str, moment: Moment = PRESENT) -> Iterator[bytes]:
    """The content of a file, in pieces, checked by its hash; of a link, its target's text.

    Raises NotThereError and NotAFileError at once, and ContentMissingError where no place in reach
    has the content.
    """
    path = settle_path(path)
    entry = entry_at(context, path, moment) if path else None
    if entry is not None and entry.kind is not Kind.DIRECTORY:
        return open_content(context, entry.data_hash, entry.size)
    if entry is not None or not path or has_below(context, moment, path):
        raise NotAFileError(context.name, path)
    raise NotThereError(context.name, path, moment)


def _winners(context: FolderContext, moment: Moment, under: str) -> Iterator[Entry]:
    keep = until(moment)
    for _, entries in context.state.journal.logs(under):
        winner = state_of([entry for entry in entries if keep(entry)]).winner
        if winner is not None:
            yield winner


def has_below(context: FolderContext, moment: Moment, path: str) -> bool:
    """True when the tree shows something below `path`: it is a directory then."""
    return any(entry.path != path for entry in _winners(context, moment, path))


def newest_below(context: FolderContext, path: str, moment: Moment = PRESENT) -> EventText | None:
    """The newest event that the tree shows below a directory."""
    events = (e.event for e in tree_at(context, moment, path) if e.path != path)
    return max(events, default=None)


def _below(
    context: FolderContext, directory: str, moment: Moment, *, recursive: bool
) -> Iterator[Item]:
    start = len(directory) + 1 if directory else 0
    implied: dict[str, EventText] = {}
    explicit: set[str] = set()
    level: list[Entry] = []
    for entry in tree_at(context, moment, directory):
        if entry.path == directory:
            continue
        for above in _parents(entry.path, start, recursive=recursive):
            implied[above] = max(implied.get(above, entry.event), entry.event)
        if entry.kind is Kind.DIRECTORY:
            explicit.add(entry.path)
        if not recursive and "/" not in entry.path[start:]:
            level.append(entry)
    entries = tree_at(context, moment, directory) if recursive else iter(level)
    directories = [_implied(path, implied[path]) for path in sorted(implied.keys() - explicit)]
    items = (_item(entry) for entry in entries if entry.path != directory)
    yield from merge(items, directories, key=lambda item: item.path)


def _parents(path: str, start: int, *, recursive: bool) -> list[str]:
    """The directories above `path` that a listing shows; it begins at `start`."""
    if recursive:
        return [above for above in ancestors(path) if len(above) >= start]
    end = path.find("/", start)
    return [] if end < 0 else [path[:end]]


def _item(entry: Entry) -> Item:
    directory = entry.kind is Kind.DIRECTORY
    timed = entry.kind is Kind.FILE
    return Item(
        entry.path,
        entry.kind,
        0 if directory else entry.size,
        format_milliseconds(entry.mtime) if timed else format_time_of(entry.event),
        None if directory else entry.data_hash,
        entry.event,
    )


def _implied(path: str, event: EventText) -> Item:
    return Item(path, Kind.DIRECTORY, 0, format_time_of(event), None, event)
