"""Paths whose folder and log may differ, which a pass is to look at.

A batch may have very many: it is noted as one row until its paths are asked for one by one. Paths
that wait for the user rest in a table of their own (`resting.py`); the view `all_dirty` has both.
"""

from collections.abc import Iterable

from firnline.state.database import Database


class DirtyPaths:
    """All writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def mark(self, paths: Iterable[str]) -> None:
        self._sql.executemany("INSERT OR IGNORE INTO dirty VALUES (?)", ((p,) for p in paths))

    def mark_unbooked(self) -> None:
        """All paths of the log that this device has no row for."""
        self._sql.execute(
            "INSERT OR IGNORE INTO dirty"
            " SELECT DISTINCT path FROM entries WHERE path NOT IN (SELECT path FROM files)"
        )

    def mark_event(self, event: int) -> None:
        """All paths of a batch; as one row, since there may be many."""
        self._sql.execute("INSERT OR IGNORE INTO dirty_events VALUES (?)", (event,))

    def events(self) -> list[int]:
        """Batches whose paths are to be looked at and were not spread out yet."""
        return [event for (event,) in self._sql.execute("SELECT event FROM dirty_events")]

    def only_event(self) -> int | None:
        """The batch that has all paths that are to be looked at."""
        events = self.events()
        if len(events) != 1 or self._sql.execute("SELECT 1 FROM all_dirty LIMIT 1").fetchone():
            return None
        return events[0]

    def clear_event(self, event: int) -> None:
        """All of a batch's paths are in order."""
        self._sql.execute("DELETE FROM dirty_events WHERE event=?", (event,))

    def spread_events(self) -> None:
        """Path by path, from now on."""
        self._sql.execute(
            "INSERT OR IGNORE INTO dirty"
            " SELECT n.path FROM dirty_events d CROSS JOIN entries n ON n.event=d.event"
        )
        self._sql.execute("DELETE FROM dirty_events")

    def clear(self, paths: Iterable[str]) -> None:
        done = [(path,) for path in paths]
        self._sql.executemany("DELETE FROM dirty WHERE path=?", done)
        if self._sql.execute("SELECT 1 FROM resting LIMIT 1").fetchone() is not None:
            self._sql.executemany("DELETE FROM resting WHERE path=?", done)

    def any(self) -> bool:
        """True when there is any path to be looked at, spread out or not."""
        row = self._sql.execute(
            "SELECT EXISTS (SELECT 1 FROM all_dirty) OR EXISTS (SELECT 1 FROM dirty_events)"
        ).fetchone()
        return bool(row[0])

    def paths(self, after: str = "", limit: int = -1) -> list[str]:
        """Paths to be looked at, in byte order, those after `after`.

        Dirty events have to be spread before.
        """
        assert not self.events()
        rows = self._sql.execute(
            "SELECT path FROM all_dirty WHERE path>? ORDER BY path LIMIT ?", (after, limit)
        )
        return [path for (path,) in rows]

    def with_deletions(self) -> list[str]:
        """Dirty paths where something stands here and that some event deletes, in byte order."""
        rows = self._sql.execute(
            "SELECT d.path FROM all_dirty d JOIN files f ON f.path=d.path"
            " WHERE f.kind!='-' AND EXISTS"
            " (SELECT 1 FROM entries n WHERE n.path=d.path AND n.kind='-') ORDER BY d.path"
        )
        return [path for (path,) in rows]

    def count(self) -> int:
        """Paths to be looked at; those of dirty events are counted once for each."""
        row = self._sql.execute(
            "SELECT (SELECT count(*) FROM all_dirty) + (SELECT count(*) FROM dirty_events d"
            " CROSS JOIN entries n ON n.event=d.event)"
        ).fetchone()
        return int(row[0])
