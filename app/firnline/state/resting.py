"""Dirty paths that wait for the user, and about which nothing is new since a pass looked at them.

They are as dirty as before. But a pass that looks only at what is new need not go through them,
however many they are: what comes to such a path, an event or a booking, makes it fresh again.
"""

from collections.abc import Collection

from firnline.state.database import Database


class Resting:
    """A table beside `dirty`; a path that stands in both is fresh. All writes happen inside the
    caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def any(self) -> bool:
        return self._sql.execute("SELECT 1 FROM resting LIMIT 1").fetchone() is not None

    def is_exactly(self, paths: Collection[str]) -> bool:
        """True when these rest, no others, and nothing is new about any of them."""
        found = {path for (path,) in self._sql.execute("SELECT path FROM resting")}
        if found != set(paths):
            return False
        return (
            self._sql.execute(
                "SELECT 1 FROM dirty d CROSS JOIN resting r ON r.path=d.path LIMIT 1"
            ).fetchone()
            is None
        )

    def put(self, paths: Collection[str]) -> None:
        """These dirty paths rest from now on; whatever else rested is fresh."""
        self._sql.execute("INSERT OR IGNORE INTO dirty SELECT path FROM resting")
        self._sql.execute("DELETE FROM resting")
        self._sql.executemany("INSERT INTO resting VALUES (?)", [(path,) for path in paths])
        self._sql.execute("DELETE FROM dirty WHERE path IN (SELECT path FROM resting)")

    def fresh(self, after: str = "", limit: int = -1) -> list[str]:
        """The other dirty paths, in byte order, those after `after`."""
        rows = self._sql.execute(
            "SELECT path FROM dirty WHERE path>? ORDER BY path LIMIT ?", (after, limit)
        )
        return [path for (path,) in rows]

    def has_fresh_deletions(self) -> bool:
        """Whether something stands at a fresh path that some event deletes."""
        row = self._sql.execute(
            "SELECT 1 FROM dirty d CROSS JOIN files f ON f.path=d.path WHERE f.kind!='-' AND EXISTS"
            " (SELECT 1 FROM entries n WHERE n.path=d.path AND n.kind='-') LIMIT 1"
        ).fetchone()
        return row is not None
