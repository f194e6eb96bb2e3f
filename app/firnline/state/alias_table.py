"""Aliases: local names of path parts that this device's file system cannot hold as they are."""

from firnline.state.database import Database


class AliasTable:
    """Pairs of local name and name, of one folder. Writes happen inside the caller's
    transaction."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def pairs(self) -> list[tuple[str, str]]:
        return self._sql.execute("SELECT local, name FROM aliases").fetchall()

    def add(self, local: str, name: str) -> None:
        self._sql.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (local, name))

    def clear(self) -> None:
        self._sql.execute("DELETE FROM aliases")

    def is_real(self, local: str) -> bool:
        """True when some known file or directory is really called so."""
        like = local.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        found = self._sql.execute(
            "SELECT 1 FROM files WHERE kind!='-' AND '/'||path||'/' LIKE ? ESCAPE '\\' LIMIT 1",
            (f"%/{like}/%",),
        ).fetchone()
        return found is not None

    def real_names(self) -> set[str]:
        """Every part of every path of the log."""
        rows = self._sql.execute("SELECT DISTINCT path FROM entries")
        return {part for (path,) in rows for part in path.split("/")}

    def first_event(self, path: str) -> str:
        """The smallest event name on `path` or below it; '' where the log has none."""
        (found,) = self._sql.execute(
            "SELECT min(e.name) FROM entries n JOIN events e ON e.id=n.event"
            " WHERE n.path=? OR (n.path>? AND n.path<?)",
            (path, path + "/", path + "0"),
        ).fetchone()
        return found or ""
