"""How far a folder's table is: a number that grows with each pass that changes what it knows.

The folder has the number too, written after the table's was committed. So it is never ahead of the
table by a kill or a power cut: where it is, the table is older than the folder, as one that was
brought back from a backup (docs/design.md section 7, *A device without its table*).
"""

from collections.abc import Callable

from firnline.state.database import Database

_FACT = "age"


def _nowhere(age: int) -> None:
    """Nobody else is told."""


class TableAge:
    """The age of one folder's table; it grows at most once from one `begin` to the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._least = 0
        self._grown = False
        self._tell: Callable[[int], None] = _nowhere

    @property
    def value(self) -> int:
        """0 for a table that never changed."""
        row = self._database.connection.execute(
            "SELECT value FROM facts WHERE name=?", (_FACT,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def begin(self, least: int, tell: Callable[[int], None]) -> None:
        """A pass begins. The next age is greater than `least`; it is told as soon as it is
        committed, which is before anything happens that the transaction announces."""
        self._least, self._tell, self._grown = least, tell, False

    def grow(self) -> None:
        """What the table knows of the folder changes, in the caller's transaction."""
        if not self._grown and self._database.after_commit is None:
            self.set(max(self.value, self._least) + 1)
            self._database.after_commit = self._committed

    def set(self, age: int) -> None:
        """In the caller's transaction."""
        self._database.connection.execute(
            "INSERT OR REPLACE INTO facts VALUES (?, ?)", (_FACT, str(age))
        )

    def _committed(self) -> None:
        self._grown = True
        self._tell(self.value)
