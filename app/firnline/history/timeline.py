"""The timeline: what happened in a folder, newest first (`firnline log`).

It is the log itself, one line for each change; of a batch, one for each member. Lines are streamed:
a log of any length is never in memory as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from firnline.core.event import EventText, Op
from firnline.core.resolve import device_of
from firnline.history.moments import PRESENT, Moment, format_time_of
from firnline.history.names import Names, settle_path
from firnline.state.timeline_queries import LoggedChange, Span, TimelineQueries
from firnline.sync.context import HOME, FolderContext

THERE, ABSENT = 2, 0
"""Status of an event in a store (docs/design.md section 4)."""


class UnknownDeviceError(LookupError):
    """No device of this folder has that name or id. The message is fit to be shown."""

    def __init__(self, device: str, known: Iterable[str]) -> None:
        super().__init__(
            f"no device is called {device!r}; known are {', '.join(sorted(known)) or 'none'}"
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes to show."""

    path: str = ""
    """A path, or a directory and all below it; '' for the whole folder."""
    since: Moment | None = None
    until: Moment | None = None
    """Both inclusive."""
    device: str | None = None
    """Name or id."""
    op: Op | None = None
    """`bat` stands for all changes inside batches."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One change."""

    folder: str
    event: EventText
    device: str
    op: Op
    path: str
    source: str | None
    size: int
    hash: str
    parent: EventText | None
    stores: Mapping[str, int]
    """Store name → 2 where the event stands, 0 where it is not known to."""

    @property
    def time(self) -> str:
        return format_time_of(self.event)

    @property
    def device_id(self) -> str:
        return device_of(self.event)

    @property
    def batch(self) -> EventText | None:
        """The event's own name when the change is a member of a batch."""
        return self.event if self.event[54:57] == Op.BAT else None

    def to_json(self) -> dict[str, object]:
        return {
            "event": self.event,
            "time": self.time,
            "device": self.device,
            "device_id": self.device_id,
            "op": str(self.op),
            "path": self.path,
            "source": self.source,
            "size": self.size,
            "hash": self.hash,
            "parent": self.parent,
            "batch": self.batch,
            "frozen": False,
            "stores": dict(self.stores),
            "folder": self.folder,
        }


def log(context: FolderContext, names: Names, wanted: Wanted | None = None) -> Iterator[LogLine]:
    """The changes that are `wanted`, newest first.

    Of a path, a move away from it belongs to them. Raises UnknownDeviceError at once.
    """
    wanted = wanted or Wanted()
    span = Span(
        settle_path(wanted.path),
        wanted.since or "",
        _after(wanted.until or PRESENT),
        None if wanted.device is None else _devices(wanted.device, names),
        wanted.op,
        -1 if wanted.limit is None else wanted.limit,
    )
    queries = TimelineQueries(context.state.database)
    stores = {store: name for store, name in names.stores.items() if store in queries.attached()}
    changes = queries.changes(span)
    return (_line(context.name, change, names, stores) for change in changes)


def merged_log(
    contexts: Iterable[FolderContext], names: Mapping[str, Names], wanted: Wanted | None = None
) -> Iterator[LogLine]:
    """The logs of several folders as one, newest first; `names` by folder id.

    A device that only some of the folders know is no error here.
    """
    wanted = wanted or Wanted()
    logs = []
    unknown: UnknownDeviceError | None = None
    for context in contexts:
        try:
            logs.append(log(context, names[context.folder_id], wanted))
        except UnknownDeviceError as error:
            unknown = error
    if unknown is not None and not logs:
        raise unknown
    merged = merge(*logs, key=lambda line: line.event, reverse=True)
    return islice(merged, wanted.limit)


def _after(moment: Moment) -> str:
    """The first text after all event names up to `moment`: '`' sorts right after '_'."""
    return moment + ("`" if len(moment) == len(PRESENT) else "\0")


def _devices(wanted: str, names: Names) -> Sequence[str]:
    found = [device for device, name in names.devices.items() if wanted in (device, name)]
    if not found:
        raise UnknownDeviceError(wanted, names.devices.values())
    return found


def _line(folder: str, change: LoggedChange, names: Names, stores: Mapping[str, str]) -> LogLine:
    entry = change.entry
    status = {HOME: THERE if change.held else ABSENT}
    for store, name in stores.items():
        status[name] = ABSENT if store in change.lacking else THERE
    return LogLine(
        folder=folder,
        event=entry.event,
        device=names.device(device_of(entry.event)),
        op=entry.op,
        path=entry.path,
        source=entry.other if entry.puts else None,
        size=entry.size,
        hash=entry.data_hash,
        parent=change.parent,
        stores=status,
    )
