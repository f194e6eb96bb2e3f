"""Intents before effects: what applying is about to do, and saves that slipped in meanwhile."""

from collections.abc import Iterable
from typing import NamedTuple

from firnline.core.event import Kind
from firnline.state.database import Database
from firnline.state.table_age import TableAge


class Intent(NamedTuple):
    """One change of the folder that was about to happen.

    action: `place`, `remove`, `move` (path → other), `movedir` (path → other), `rmdir` (a
    directory that applying may leave empty, and that has no event of its own).
    """

    action: str
    path: str
    other: str | None
    kind: Kind
    data_hash: str
    flags: str
    base: str
    """The event that the path will stand on."""


class Rescued(NamedTuple):
    """Content that a program saved while its file was being replaced."""

    kept: str
    path: str
    base: str


_COLUMNS = "action, path, other, kind, hash, flags, base"


class IntentTable:
    """Intents of one folder. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database, age: TableAge) -> None:
        self._sql = database.connection
        self._age = age

    def add(self, intents: Iterable[Intent]) -> None:
        self._age.grow()
        self._sql.executemany(f"INSERT INTO intents ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)", intents)

    def all(self) -> list[Intent]:
        """In the order in which they were to be carried out."""
        rows = self._sql.execute(f"SELECT {_COLUMNS} FROM intents ORDER BY id")
        return [Intent(a, p, o, Kind(k), *rest) for a, p, o, k, *rest in rows]

    def clear(self) -> None:
        self._sql.execute("DELETE FROM intents")

    def rescue(self, rescued: Rescued) -> None:
        self._sql.execute("INSERT OR REPLACE INTO rescued VALUES (?,?,?)", rescued)

    def rescued(self) -> list[Rescued]:
        return [Rescued(*row) for row in self._sql.execute("SELECT * FROM rescued ORDER BY kept")]

    def drop_rescued(self, kept: str) -> None:
        self._sql.execute("DELETE FROM rescued WHERE kept=?", (kept,))
