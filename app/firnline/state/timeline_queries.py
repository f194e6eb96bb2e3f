"""Reading the log in time: what `history` asks of the journal's tables. Nothing is written here.

Everything is streamed. SQLite walks the events by name and looks up what each did, so a log of
any length costs the memory of its largest batch.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from firnline.core.entry import Entry
from firnline.core.event import EventText, Kind, Op
from firnline.state.database import Database
from firnline.state.journal import EventState


class LoggedChange(NamedTuple):
    """One change as the log has it, at its target, and where it is."""

    entry: Entry
    parent: EventText | None
    """The whole name of PARENT; None for no parent, and for one that this device never saw."""
    held: bool
    """Its event file stands in the home store."""
    lacking: frozenset[str]
    """STOREHASHes of the folder's stores that are not known to have it."""


class Span(NamedTuple):
    """Which changes to read."""

    path: str
    """This path and all below it; '' for the whole folder."""
    low: str
    """Event names from this one on (a DATETIME is a prefix of its names)."""
    high: str
    """Event names before this one."""
    devices: Sequence[str] | None
    """DEVICEs, None for all."""
    op: Op | None
    """What the change does; `bat` for all that is in a batch."""
    limit: int
    """At most so many; -1 for all."""


_COUNTS = f"e.state IN ({EventState.KNOWN:d}, {EventState.OPEN:d}, {EventState.BODILESS:d})"
_OPS = {str(op): op for op in Op}
_KINDS = {str(kind): kind for kind in Kind}
_AWAY = "r.op='mov' AND r.kind='-'"
"""The source side of a move: shown as the move itself, once."""
_COLUMNS = (
    "n.path, e.name, e.ref, n.op, n.kind, n.hash, n.flags, n.parent, n.other, n.size, n.mtime,"
    ' n."offset", (SELECT max(p.name) FROM events p WHERE p.ref=n.parent),'
    " EXISTS (SELECT 1 FROM held h WHERE h.event=e.id),"
    " (SELECT group_concat(s.store) FROM stores s"
    " CROSS JOIN lacking l ON l.store=s.store AND l.event=e.id)"
)
_INSIDE = "({0}=:path OR ({0}>:below AND {0}<:end))"
_PATH_FIRST = "entries r CROSS JOIN events e ON e.id=r.event"
"""The log of a single path is one range read, sorted afterwards."""
_EVENTS_FIRST = "events e CROSS JOIN entries r ON r.event=e.id"
"""All else comes by walking the events, in their order."""
_TARGET = f"n ON n.event=r.event AND n.path=CASE WHEN {_AWAY} THEN r.other ELSE r.path END"


class TimelineQueries:
    """The tables of one folder, read for its history."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def attached(self) -> frozenset[str]:
        """STOREHASHes of the stores that belong to the folder."""
        return frozenset(s for (s,) in self._sql.execute("SELECT store FROM stores"))

    def changes(self, span: Span) -> Iterator[LoggedChange]:
        """Newest first; the members of a batch one by one, by path."""
        single = span.path != "" and not self._has_below(span.path)
        conditions, values = _conditions(span, single=single)
        rows = self._sql.execute(
            f"SELECT {_COLUMNS} FROM {_PATH_FIRST if single else _EVENTS_FIRST}"
            f" JOIN entries {_TARGET} WHERE {_COUNTS} AND {' AND '.join(conditions)}"
            " ORDER BY e.name DESC, r.path LIMIT :limit",
            values,
        )
        for row in rows:
            yield _logged(row)

    def _has_below(self, path: str) -> bool:
        row = self._sql.execute(
            "SELECT 1 FROM entries WHERE path>? AND path<? LIMIT 1", (path + "/", path + "0")
        ).fetchone()
        return row is not None

    def files_above_others(self, under: str) -> frozenset[str]:
        """Paths of `under` and below that were a file once and have a log below them.

        Candidates for rule 6 (docs/design.md section 3); nearly always none.
        """
        where, values = "", tuple[str, ...]()
        if under:
            where = " AND (r.path=? OR (r.path>? AND r.path<?))"
            values = (under, under + "/", under + "0")
        rows = self._sql.execute(
            f"SELECT DISTINCT r.path FROM entries r WHERE r.kind IN ('f','l'){where}"
            " AND EXISTS (SELECT 1 FROM entries c"
            " WHERE c.path>r.path||'/' AND c.path<r.path||'0')",
            values,
        )
        return frozenset(path for (path,) in rows)


def _conditions(span: Span, *, single: bool) -> tuple[list[str], dict[str, object]]:
    values: dict[str, object] = {"low": span.low, "high": span.high, "limit": span.limit}
    conditions = ["e.name>=:low", "e.name<:high"]
    if single:
        conditions.append("r.path=:path")
        values["path"] = span.path
    elif span.path:
        values |= {"path": span.path, "below": span.path + "/", "end": span.path + "0"}
        conditions += ["r.path>=:path", "r.path<:end", _INSIDE.format("r.path")]
        conditions.append(f"NOT ({_AWAY} AND {_INSIDE.format('r.other')})")
    else:
        conditions.append(f"NOT ({_AWAY})")
    if span.devices is not None:
        marks = [f":device{number}" for number in range(len(span.devices))]
        conditions.append(f"substr(e.name, -20, 8) IN ({', '.join(marks)})")
        values |= {f"device{number}": device for number, device in enumerate(span.devices)}
    if span.op is not None:
        conditions.append("(n.op=:op OR substr(e.name, 55, 3)=:op)")
        values["op"] = str(span.op)
    return conditions, values


def _logged(row: tuple[object, ...]) -> LoggedChange:
    path, name, ref, op, kind, *rest, parent, held, lacking = row
    entry = Entry(path, name, ref, _OPS[op], _KINDS[kind], *rest)  # type: ignore[arg-type,index]
    stores = frozenset(str(lacking).split(",")) if lacking is not None else frozenset()
    return LoggedChange(entry, EventText(str(parent)) if parent else None, bool(held), stores)
