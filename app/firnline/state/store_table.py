"""What this device knows of each store of a folder: what it lacks, what was listed when.

`lacking` is the hashtrack of docs/design.md section 4, turned round: a row for each event and
store with status 0. What every store has leaves no row, so nothing grows with the log.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from firnline.core.clock import DateTime
from firnline.core.hashing import EMPTY_HASH
from firnline.state.database import Database
from firnline.state.journal import EventRow, EventState, event_row

NEVER = DateTime("0" * 20)
_NOT_COPIED = "0, 2, 3"
"""States of events that are not passed on (`journal.EventState`): not read yet, refused, or still
being written."""


class StoreRow(NamedTuple):
    store: str
    generation: str
    listed: DateTime
    """Begin of the last complete listing, by the store's clock."""
    listed_all: DateTime
    """Begin of the last listing of all days."""
    junk: int
    """Names in `events/` that are no event names, as far as they were seen since the last full
    listing."""


class OwedRow(NamedTuple):
    """An event that a store lacks and may get; see `core.replication.Owed`."""

    event: int
    name: str
    size: int
    since: float
    first_read: bool
    tries: int
    not_before: float


class StoreTable:
    """Stores by their STOREHASH. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    # --- the stores themselves ----------------------------------------------------------------

    def get(self, store: str) -> StoreRow | None:
        row = self._sql.execute(
            "SELECT store, generation, listed, listed_all, junk FROM stores WHERE store=?",
            (store,),
        ).fetchone()
        return None if row is None else StoreRow(*row)

    def put(self, row: StoreRow) -> None:
        self._sql.execute("INSERT OR REPLACE INTO stores VALUES (?,?,?,?,?)", row)

    def ids(self) -> list[str]:
        return [s for (s,) in self._sql.execute("SELECT store FROM stores ORDER BY store")]

    def attach(self, store: str, generation: str, since: int = 0) -> None:
        """A store joins the folder, or was filled again, at this time (seconds since 1970): it is
        taken to lack everything until it was listed."""
        self.put(StoreRow(store, generation, NEVER, NEVER, 0))
        for table in ("hints", "hint_files"):
            self._sql.execute(f"DELETE FROM {table} WHERE store=?", (store,))
        self._sql.execute(
            "INSERT OR IGNORE INTO lacking (store, event, since, first_read)"
            " SELECT ?, id, ?, 1 FROM events",
            (store, since),
        )

    def list_anew(self) -> None:
        """The next listing of each store is one of all days."""
        self._sql.execute("UPDATE stores SET listed=?, listed_all=?", (NEVER, NEVER))

    def detach(self, store: str) -> None:
        for table in ("stores", "lacking", "hints", "hint_files"):
            self._sql.execute(f"DELETE FROM {table} WHERE store=?", (store,))

    # --- who lacks what -----------------------------------------------------------------------

    def owe(
        self, event: int, stores: Iterable[str], since: int = 0, *, first_read: bool = False
    ) -> None:
        """A new event: these stores are not known to have it. `since`, `first_read`: see
        `core.replication.Owed`."""
        self._sql.executemany(
            "INSERT OR IGNORE INTO lacking (store, event, since, first_read) VALUES (?, ?, ?, ?)",
            ((s, event, since, int(first_read)) for s in stores),
        )

    def has(self, store: str, events: Iterable[int]) -> None:
        """Status 2: the events stand in the store."""
        self._sql.executemany(
            "DELETE FROM lacking WHERE store=? AND event=?", ((store, e) for e in events)
        )

    def lost(self, store: str, event: int, *, wrong: bool = False) -> None:
        """Status 0: the event was looked up in the store and is not there.

        `wrong`: a file stands there, and it is not the whole event; it lacks the event until
        somebody writes it again (`has`), whatever listings say.
        """
        self._sql.execute(
            "INSERT INTO lacking (store, event, wrong) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET wrong=max(wrong, excluded.wrong)",
            (store, event, int(wrong)),
        )

    def lacks(self, store: str, event: int) -> bool:
        row = self._sql.execute(
            "SELECT 1 FROM lacking WHERE store=? AND event=?", (store, event)
        ).fetchone()
        return row is not None

    def lacks_name(self, store: str, event: int) -> bool:
        """True when nothing is known to stand in the store under the event's name; where a wrong
        file does, it may have some of what is wanted."""
        row = self._sql.execute(
            "SELECT 1 FROM lacking WHERE store=? AND event=? AND NOT wrong", (store, event)
        ).fetchone()
        return row is not None

    def is_doubtful(self, store: str, event: int) -> bool:
        """True when something else, or only a part, may stand there under the event's name."""
        row = self._sql.execute(
            "SELECT 1 FROM lacking WHERE store=? AND event=? AND wrong", (store, event)
        ).fetchone()
        return row is not None

    def lacking(self, store: str) -> list[tuple[int, str]]:
        """What a store lacks, by event name: parents come before children nearly always."""
        return list(
            self._sql.execute(
                "SELECT e.id, e.name FROM lacking l JOIN events e ON e.id=l.event"
                " WHERE l.store=? ORDER BY e.name",
                (store,),
            )
        )

    def owed(
        self, store: str, only: Iterable[int] | None = None, *, sizes: range | None = None
    ) -> Iterator[OwedRow]:
        """What a store lacks and this device could read, by name; `only`: of these events;
        `sizes`: of so many bytes."""
        some = "" if only is None else " AND l.event IN (SELECT value FROM json_each(?))"
        with_some: tuple[str | int, ...] = () if only is None else (json.dumps(list(only)),)
        if sizes is not None:
            some += " AND e.size>=? AND e.size<?"
            with_some += (sizes.start, sizes.stop)
        rows = self._sql.execute(
            "SELECT e.id, e.name, e.size, l.since, l.first_read, l.tries, l.not_before"
            " FROM lacking l JOIN events e ON e.id=l.event"
            f" WHERE l.store=? AND e.state NOT IN ({_NOT_COPIED}){some} ORDER BY e.name",
            (store, *with_some),
        )
        for event, name, size, since, first_read, tries, not_before in rows:
            yield OwedRow(event, name, size, since, bool(first_read), tries, not_before)

    def lacking_parents(self, store: str, events: Iterable[int]) -> dict[int, set[int]]:
        """Of events, the parents that the store lacks as well; those with none are left out."""
        rows = self._sql.execute(
            "SELECT DISTINCT n.event, p.id FROM json_each(?) j"
            " CROSS JOIN entries n ON n.event=j.value CROSS JOIN events p ON p.ref=n.parent"
            " CROSS JOIN lacking l ON l.store=? AND l.event=p.id WHERE p.id!=n.event"
            f" AND p.state NOT IN ({_NOT_COPIED})",
            (json.dumps(list(events)), store),
        )
        found: dict[int, set[int]] = {}
        for event, parent in rows:
            found.setdefault(event, set()).add(parent)
        return found

    def failed(self, store: str, event: int, not_before: int) -> None:
        """It could not be brought; when to try again, in seconds since 1970."""
        self._sql.execute(
            "UPDATE lacking SET tries=tries+1, not_before=? WHERE store=? AND event=?",
            (not_before, store, event),
        )

    def forgive(self) -> None:
        """What failed may be tried at once: another store may have what was missed."""
        self._sql.execute("UPDATE lacking SET not_before=0 WHERE not_before!=0")

    def newest(self, store: str) -> str | None:
        """The largest name of an event that the store has."""
        row = self._sql.execute(
            "SELECT name FROM events e WHERE NOT EXISTS"
            " (SELECT 1 FROM lacking l WHERE l.store=? AND l.event=e.id)"
            " ORDER BY name DESC LIMIT 1",
            (store,),
        ).fetchone()
        return None if row is None else str(row[0])

    def standing(self, store: str, before: str, device: str | None, limit: int) -> list[EventRow]:
        """The newest events that the store has and this device can read, from below the name
        `before` on; from the newest on when that is ''. `device`: only what that one wrote."""
        rows = self._sql.execute(
            "SELECT e.id, e.name, e.ref, e.size, e.state, e.why FROM events e WHERE e.name < ?"
            " AND e.state=? AND (? IS NULL OR e.name LIKE '%-' || ? || '-%') AND NOT EXISTS"
            " (SELECT 1 FROM lacking l WHERE l.store=? AND l.event=e.id)"
            " ORDER BY e.name DESC LIMIT ?",
            (before or "~", EventState.KNOWN, device, device, store, limit),
        )
        return [event_row(row) for row in rows]

    def absent(self, store: str) -> dict[str, int]:
        """Events that a store lacks and whose name was not seen there: name → id."""
        rows = self._sql.execute(
            "SELECT e.name, e.id FROM lacking l JOIN events e ON e.id=l.event"
            " WHERE l.store=? AND NOT l.wrong",
            (store,),
        )
        return dict(rows)

    def lacking_count(self, store: str) -> int:
        return int(
            self._sql.execute("SELECT count(*) FROM lacking WHERE store=?", (store,)).fetchone()[0]
        )

    # --- the home store -----------------------------------------------------------------------

    def hold(self, event: int, *, whole: bool) -> None:
        """The event file stands in the home store. `whole`: until every store has it."""
        self._sql.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (event, int(whole)))

    def release(self, event: int) -> None:
        self._sql.execute("DELETE FROM held WHERE event=?", (event,))

    def holds(self, event: int) -> bool:
        row = self._sql.execute("SELECT 1 FROM held WHERE event=?", (event,)).fetchone()
        return row is not None

    def release_all(self) -> None:
        """The home store is another one now, or gone."""
        self._sql.execute("DELETE FROM held")

    def held(self) -> list[tuple[int, str, bool]]:
        """Events in the home store, by name: id, name, and whether all stores have to have it."""
        rows = self._sql.execute(
            "SELECT e.id, e.name, h.whole FROM held h CROSS JOIN events e ON e.id=h.event"
            " ORDER BY e.name"
        )
        return [(event, name, bool(whole)) for event, name, whole in rows]

    def named_at_risk(self, stores: Sequence[str]) -> list[tuple[int, str, str]]:
        """What held events name and do not bring: event, hash, path; only contents that no event
        brings which two of these stores have."""
        return list(
            self._sql.execute(
                "SELECT h.event, n.hash, n.path FROM held h CROSS JOIN entries n ON n.event=h.event"
                " WHERE n.\"offset\" IS NULL AND n.kind IN ('f','l') AND n.hash!=?"
                ' AND NOT EXISTS (SELECT 1 FROM entries c WHERE c.hash=n.hash AND c."offset"'
                " IS NOT NULL AND ? - (SELECT count(*) FROM lacking l WHERE l.event=c.event"
                " AND l.store IN (SELECT value FROM json_each(?))) >= 2)",
                (EMPTY_HASH, len(stores), json.dumps(list(stores))),
            )
        )

    def named_by_held(self) -> set[str]:
        """Contents that held events name and do not bring."""
        rows = self._sql.execute(
            "SELECT n.hash FROM held h CROSS JOIN entries n ON n.event=h.event"
            " WHERE n.\"offset\" IS NULL AND n.kind IN ('f','l')"
        )
        return {data_hash for (data_hash,) in rows}

    def not_held(self) -> list[tuple[int, str]]:
        """Events that the home store has no file of, by name."""
        return list(
            self._sql.execute(
                "SELECT id, name FROM events WHERE id NOT IN (SELECT event FROM held) ORDER BY name"
            )
        )

    def nowhere(self) -> list[tuple[int, str]]:
        """Events that neither the home store nor any other is known to have, by name."""
        return list(
            self._sql.execute(
                "SELECT e.id, e.name FROM lacking l JOIN events e ON e.id=l.event"
                " WHERE e.id NOT IN (SELECT event FROM held)"
                " GROUP BY e.id HAVING count(*) = (SELECT count(*) FROM stores) ORDER BY e.name"
            )
        )

    def is_nowhere(self, event: int) -> bool:
        """True when the home store has no file of it, and in no other one does anything stand under
        its name."""
        row = self._sql.execute(
            "SELECT count(*) = (SELECT count(*) FROM stores) FROM lacking"
            " WHERE event=? AND NOT wrong",
            (event,),
        ).fetchone()
        return bool(row[0]) and not self.holds(event)

    # --- late hints ---------------------------------------------------------------------------

    def hint_files(self, store: str) -> set[str]:
        """Hint files of the store that were read."""
        rows = self._sql.execute("SELECT name FROM hint_files WHERE store=?", (store,))
        return {name for (name,) in rows}

    def add_hints(self, store: str, file: str, names: Iterable[str]) -> None:
        """A hint file was read; its names are looked for until they are found."""
        self._sql.execute("INSERT OR IGNORE INTO hint_files VALUES (?, ?)", (store, file))
        self._sql.executemany(
            "INSERT OR IGNORE INTO hints VALUES (?, ?)", ((store, name) for name in names)
        )

    def hints(self, store: str) -> list[str]:
        rows = self._sql.execute("SELECT name FROM hints WHERE store=? ORDER BY name", (store,))
        return [name for (name,) in rows]

    def drop_hints(self, store: str, names: Iterable[str]) -> None:
        self._sql.executemany(
            "DELETE FROM hints WHERE store=? AND name=?", ((store, name) for name in names)
        )
