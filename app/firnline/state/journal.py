"""The event journal: every event of a folder that this device knows, and its entries.

`entries` of a path stand side by side, so the log of one path is one range read; a pass asks for
many paths at once through a join.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from firnline.core.clock import DateTime
from firnline.core.entry import Entry
from firnline.core.event import EventText, Kind, Op
from firnline.core.hashing import DataHash, Ref
from firnline.state.database import Database


class EventState(IntEnum):
    """How far an event is known. Stored; never renumber."""

    NAMED = 0
    """Its name was seen; its paths could not be read yet."""
    KNOWN = 1
    OPEN = 2
    """Being written by this device: whether it stands in a store is not confirmed."""
    REFUSED = 3
    """Its paths or manifest break the format. Shown, never applied."""
    BODILESS = 4
    """Its content cannot be had at present (*pending*, docs/design.md section 2)."""


class EventRow(NamedTuple):
    id: int
    name: EventText
    ref: Ref
    size: int
    state: EventState
    why: str


_EVENT = "id, name, ref, size, state, why"
ENTRY = (
    "n.path, e.name, e.ref, n.op, n.kind, n.hash, n.flags, n.parent, n.other, n.size, n.mtime,"
    ' n."offset"'
)
COUNTS = f"e.state IN ({EventState.KNOWN:d}, {EventState.OPEN:d}, {EventState.BODILESS:d})"
_OPS = {str(op): op for op in Op}
_KINDS = {str(kind): kind for kind in Kind}


# SQLite takes plain strings quickly and members of an enumeration slowly.
_OP_TEXT = {op: str(op.value) for op in Op}
_KIND_TEXT = {kind: str(kind.value) for kind in Kind}


def entry_of_row(row: tuple[Any, ...]) -> Entry:
    """A row of `ENTRY`. Entries are made by the ten thousand, so without keyword arguments."""
    return Entry._make((*row[:3], _OPS[row[3]], _KINDS[row[4]], *row[5:]))


class Journal:
    """Events and entries. All writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    # --- events -------------------------------------------------------------------------------

    def add(self, name: EventText, ref: Ref, size: int, state: EventState) -> int:
        """The row id of a new event; of the one there is, unchanged, when it is known."""
        self._sql.execute(
            "INSERT OR IGNORE INTO events (name, ref, size, state) VALUES (?, ?, ?, ?)",
            (name, ref, size, state),
        )
        return int(self._sql.execute("SELECT id FROM events WHERE name=?", (name,)).fetchone()[0])

    def event(self, name: str) -> EventRow | None:
        row = self._sql.execute(f"SELECT {_EVENT} FROM events WHERE name=?", (name,)).fetchone()
        return None if row is None else event_row(row)

    def by_id(self, event: int) -> EventRow:
        return event_row(
            self._sql.execute(f"SELECT {_EVENT} FROM events WHERE id=?", (event,)).fetchone()
        )

    def by_ref(self, ref: str) -> list[EventRow]:
        """Events whose hash begins with `ref` (10 characters: more than one only if forged)."""
        return [
            event_row(row)
            for row in self._sql.execute(f"SELECT {_EVENT} FROM events WHERE ref=?", (ref,))
        ]

    def in_state(self, *states: EventState, limit: int = -1) -> list[EventRow]:
        """Unfinished events, by name; the first `limit`, all when it is negative."""
        marks = ",".join("?" * len(states))
        return [
            event_row(row)
            for row in self._sql.execute(
                f"SELECT {_EVENT} FROM events WHERE state IN ({marks}) AND state != 1"
                " ORDER BY name LIMIT ?",
                (*states, limit),
            )
        ]

    def count_in(self, *states: EventState) -> int:
        """How many unfinished events are in these states."""
        marks = ",".join("?" * len(states))
        row = self._sql.execute(
            f"SELECT count(*) FROM events WHERE state IN ({marks}) AND state != 1", states
        ).fetchone()
        return int(row[0])

    def set_state(self, event: int, state: EventState, why: str = "") -> None:
        self._sql.execute("UPDATE events SET state=?, why=? WHERE id=?", (state, why, event))

    def set_size(self, event: int, size: int) -> None:
        self._sql.execute("UPDATE events SET size=? WHERE id=?", (size, event))

    def forget(self, event: int) -> None:
        """Remove an event that never was (it was being written and stands nowhere)."""
        for table, column in (
            ("entries", "event"), ("lacking", "event"), ("held", "event"),
            ("dirty_events", "event"), ("events", "id"),
        ):  # fmt: skip
            self._sql.execute(f"DELETE FROM {table} WHERE {column}=?", (event,))

    def known_names(self, low: str, high: str) -> set[str]:
        """The names from `low` on and before `high`."""
        rows = self._sql.execute("SELECT name FROM events WHERE name>=? AND name<?", (low, high))
        return {name for (name,) in rows}

    def known_sizes(self, low: str, high: str) -> dict[str, int]:
        """The same, with the sizes of their files; only what this device can read."""
        rows = self._sql.execute(
            "SELECT name, size FROM events WHERE name>=? AND name<? AND state=?",
            (low, high, EventState.KNOWN),
        )
        return dict(rows)

    def count(self) -> int:
        return int(self._sql.execute("SELECT count(*) FROM events").fetchone()[0])

    def latest(self, limit: DateTime) -> DateTime | None:
        """The largest DATETIME that is at most `limit` (docs/design.md section 2, the clock)."""
        row = self._sql.execute(
            "SELECT max(name) FROM events WHERE name<?", (limit + "`",)
        ).fetchone()
        return None if row[0] is None else DateTime(row[0][:20])

    def is_empty(self) -> bool:
        return self._sql.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None

    # --- entries ------------------------------------------------------------------------------

    def add_entries(self, event: int, entries: Sequence[Entry]) -> None:
        """Note what an event does. Whatever looks like a conflict copy is remembered as one."""
        self._sql.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [(e[0], event, _OP_TEXT[e[3]], _KIND_TEXT[e[4]], *e[5:]) for e in sorted(entries)],
        )
        copies = [(e.path,) for e in entries if e.op is Op.MOV and " (conflict " in e.path]
        if copies:
            self._sql.executemany("INSERT OR IGNORE INTO conflict_copies VALUES (?)", copies)

    def mend_sizes(self, entries: Iterable[Entry]) -> None:
        """Sizes of contents that earlier read moves and copies name, now that they are known."""
        if not self.has_unsized():
            return
        self._sql.executemany(
            "UPDATE entries SET size=? WHERE hash=?"
            " AND size = 0 AND op IN ('mov', 'cpy') AND kind != '-'",
            ((e.size, e.data_hash) for e in entries if e.size),
        )

    def has_unsized(self) -> bool:
        """True when a move or copy was read before the event whose content it names."""
        unsized = "SELECT 1 FROM entries WHERE size = 0 AND op IN ('mov', 'cpy') AND kind != '-'"
        return self._sql.execute(f"{unsized} LIMIT 1").fetchone() is not None

    def mend_size(self, entry: Entry, size: int) -> None:
        """A store told a wrong size of a content. What a batch's manifest says of it stays."""
        if _OPS[entry.event[54:57]] is Op.BAT:
            return
        self._sql.execute(
            "UPDATE entries SET size=? WHERE path=? AND event=(SELECT id FROM events WHERE name=?)",
            (size, entry.path, entry.event),
        )
        if entry.offset is not None:
            self._sql.execute("UPDATE events SET size=? WHERE name=?", (size, entry.event))

    def mend_file_size(self, row: EventRow, size: int) -> None:
        """An event's file was read and found right. Of a batch it may be the manifest alone."""
        op = _OPS[row.name[54:57]]
        self.set_size(row.id, max(size, row.size) if op is Op.BAT else size)
        if op in (Op.PUT, Op.LNK):
            self._sql.execute("UPDATE entries SET size=? WHERE event=?", (size, row.id))

    def entries(self, path: str) -> list[Entry]:
        """The log of one path, in the order of event names."""
        rows = self._sql.execute(
            f"SELECT {ENTRY} FROM entries n JOIN events e ON e.id=n.event"
            f" WHERE n.path=? AND {COUNTS} ORDER BY e.name",
            (path,),
        )
        return [entry_of_row(row) for row in rows]

    def size_at(self, path: str, data_hash: DataHash, parent: Ref) -> int:
        """The size of a content in the log of a path, 0 when it is not there.

        It is looked for at `parent` first, where moves have it: the log may be long.
        """
        rows = (
            f"SELECT n.size FROM {{}} WHERE n.path=? AND n.hash=? AND n.kind IN ('f', 'l')"
            f" AND {COUNTS}{{}} LIMIT 1"
        )
        named = rows.format("events e CROSS JOIN entries n ON n.event=e.id", " AND e.ref=?")
        found = self._sql.execute(named, (path, data_hash, parent)).fetchone()
        if found is None:
            anywhere = rows.format("entries n CROSS JOIN events e ON e.id=n.event", "")
            found = self._sql.execute(anywhere, (path, data_hash)).fetchone()
        return 0 if found is None else int(found[0])

    def entries_of(self, paths: Iterable[str]) -> dict[str, list[Entry]]:
        """The logs of many paths in one query; paths without one are left out."""
        if self.is_empty():
            return {}
        rows = self._sql.execute(
            f"SELECT {ENTRY} FROM json_each(?) w CROSS JOIN entries n ON n.path=w.value"
            f" JOIN events e ON e.id=n.event WHERE {COUNTS}",
            (json.dumps(list(paths)),),
        )
        found: dict[str, list[Entry]] = {}
        for row in rows:
            entry = entry_of_row(row)
            found.setdefault(entry[0], []).append(entry)
        return found

    def entries_of_event(self, event: int) -> list[Entry]:
        """All that one event does, by path; the source side of a `mov` is among it."""
        rows = self._sql.execute(
            f"SELECT {ENTRY} FROM entries n JOIN events e ON e.id=n.event"
            " WHERE n.event=? ORDER BY n.path",
            (event,),
        )
        return [entry_of_row(row) for row in rows]

    def logs(self, under: str = "") -> Iterator[tuple[str, list[Entry]]]:
        """Path by path, in byte order, the logs of `under` and all paths below it."""
        where, values = _below(under)
        rows = self._sql.execute(
            f"SELECT {ENTRY} FROM entries n JOIN events e ON e.id=n.event"
            f" WHERE {COUNTS}{where} ORDER BY n.path, e.name",
            values,
        )
        for path, group in groupby(rows, key=itemgetter(0)):
            yield path, [entry_of_row(row) for row in group]

    def has_entries_below(self, path: str) -> bool:
        row = self._sql.execute(
            "SELECT 1 FROM entries WHERE path>? AND path<? LIMIT 1", (path + "/", path + "0")
        ).fetchone()
        return row is not None

    def with_entries_below(self, paths: Sequence[str]) -> set[str]:
        """Those of `paths` that some event treats as a directory."""
        rows = self._sql.execute(
            "SELECT w.value FROM json_each(?) w WHERE EXISTS (SELECT 1 FROM entries n"
            " WHERE n.path > w.value || '/' AND n.path < w.value || '0')",
            (json.dumps(paths),),
        )
        return {path for (path,) in rows}

    def carriers(self, data_hash: str) -> list[tuple[int, EventText, Op, int, int]]:
        """Events that bring a content: id, name, the event's own op, offset and size.

        The offset counts from the first body of a batch.
        """
        rows = self._sql.execute(
            'SELECT e.id, e.name, n."offset", n.size FROM entries n JOIN events e ON e.id=n.event'
            ' WHERE n.hash=? AND n."offset" IS NOT NULL ORDER BY e.name',
            (data_hash,),
        )
        return [(i, name, _OPS[name[54:57]], offset, size) for i, name, offset, size in rows]

    def named_contents(self) -> list[DataHash]:
        """Contents that some event names and does not bring."""
        rows = self._sql.execute(
            'SELECT DISTINCT hash FROM entries WHERE "offset" IS NULL AND kind IN (?, ?)',
            (_KIND_TEXT[Kind.FILE], _KIND_TEXT[Kind.LINK]),
        )
        return [DataHash(data_hash) for (data_hash,) in rows]

    def has_body_of_size(self, size: int) -> bool:
        """True when some event brings a content of exactly `size` bytes."""
        row = self._sql.execute(
            'SELECT 1 FROM entries WHERE size=? AND "offset" IS NOT NULL LIMIT 1', (size,)
        ).fetchone()
        return row is not None

    def naming(self, data_hash: str) -> list[int]:
        """Events that name a content and do not bring it."""
        rows = self._sql.execute(
            'SELECT DISTINCT event FROM entries WHERE hash=? AND "offset" IS NULL',
            (data_hash,),
        )
        return [event for (event,) in rows]

    def paths(self) -> Iterator[str]:
        """All paths that some event speaks of, in byte order."""
        return (path for (path,) in self._sql.execute("SELECT DISTINCT path FROM entries"))

    def paths_of(self, data_hash: DataHash) -> list[str]:
        """Paths that some event brought this content to, with a body."""
        rows = self._sql.execute(
            'SELECT DISTINCT path FROM entries WHERE hash=? AND "offset" IS NOT NULL', (data_hash,)
        )
        return [path for (path,) in rows]

    # --- parents that are missing -------------------------------------------------------------

    def note_orphan(self, ref: str, now: DateTime) -> DateTime:
        """Since when a parent is missing; from `now` on when that is news."""
        self._sql.execute("INSERT OR IGNORE INTO orphans VALUES (?, ?)", (ref, now))
        row = self._sql.execute("SELECT since FROM orphans WHERE ref=?", (ref,)).fetchone()
        return DateTime(row[0])

    # --- conflicts ----------------------------------------------------------------------------

    def conflict_copies(self) -> list[str]:
        """Paths that a conflict may have moved a loser to."""
        rows = self._sql.execute("SELECT path FROM conflict_copies ORDER BY path")
        return [path for (path,) in rows]


def event_row(row: tuple[int, str, str, int, int, str]) -> EventRow:
    """Of the columns in their order."""
    return EventRow(row[0], EventText(row[1]), Ref(row[2]), row[3], EventState(row[4]), row[5])


def _below(path: str) -> tuple[str, tuple[str, ...]]:
    if not path:
        return "", ()
    return " AND (n.path=? OR (n.path>? AND n.path<?))", (path, path + "/", path + "0")
