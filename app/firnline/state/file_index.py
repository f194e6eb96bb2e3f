"""The file index: what this device last had at each path, and from which event it came.

The base of a path is what the next event on it names as PARENT. Rows of deleted paths stay, since
a path that comes back has to name its deletion (docs/design.md section 2, *PARENT*).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from firnline.core.event import Kind
from firnline.core.hashing import DataHash, Ref
from firnline.state.database import Database
from firnline.state.table_age import TableAge


class FileRow(NamedTuple):
    """One path. `size`, `mtime_ns` and `inode` are the local file's, 0 where there is none."""

    path: str
    kind: Kind
    size: int
    mtime_ns: int
    inode: int
    data_hash: DataHash
    flags: str
    base: Ref
    local: str | None = None
    """The local path, where it is written otherwise (NFD)."""
    straight: bool = False
    """`base` was the only head of the path's log, without a twin, when this row was written. Holds
    as long as the path is not dirty."""


_COLUMNS = "path, kind, size, mtime_ns, inode, hash, flags, base, local, straight"
# CROSS JOIN keeps SQLite to the order of the tables. '0' follows '/' in the order of bytes.
_AT_AND_BELOW = (
    "SELECT f.* FROM json_each(:paths) w CROSS JOIN files f ON f.path=w.value"
    " UNION ALL SELECT f.* FROM json_each(:paths) w"
    " CROSS JOIN files f ON f.path > w.value || '/' AND f.path < w.value || '0'"
)
_KINDS = {str(kind): kind for kind in Kind}
_KIND_TEXT = {kind: str(kind.value) for kind in Kind}


def _row(row: tuple[Any, ...]) -> FileRow:
    return FileRow._make((row[0], _KINDS[row[1]], *row[2:]))


class FileIndex:
    """The table of one folder on this device. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database, age: TableAge) -> None:
        self._sql = database.connection
        self._age = age

    def known(self) -> Iterator[tuple[str, str, int, int, int, str]]:
        """Files and links that are here, in byte order: path, kind, size, mtime_ns, inode, flags.

        Plain tuples: a scan reads all of them.
        """
        return self._sql.execute(
            "SELECT path, kind, size, mtime_ns, inode, flags FROM files"
            " WHERE kind IN ('f','l') ORDER BY path"
        )

    def known_below(self, heads: Iterable[str]) -> list[tuple[str, str, int, int, int, str]]:
        """The same at these paths and below them; none of them stands below another."""
        rows = self._sql.execute(
            f"SELECT path, kind, size, mtime_ns, inode, flags FROM ({_AT_AND_BELOW})"
            " WHERE kind IN ('f','l') ORDER BY path",
            {"paths": json.dumps(list(heads))},
        )
        return rows.fetchall()

    def directories_below(self, heads: Iterable[str]) -> set[str]:
        """Directories at these paths and below them that stand here by an event of their own."""
        rows = self._sql.execute(
            f"SELECT path FROM ({_AT_AND_BELOW}) WHERE kind='d'",
            {"paths": json.dumps(list(heads))},
        )
        return {path for (path,) in rows}

    def directories(self) -> set[str]:
        """Directories that stand here by an event of their own."""
        rows = self._sql.execute("SELECT path FROM files WHERE kind='d'")
        return {path for (path,) in rows}

    def get(self, path: str) -> FileRow | None:
        row = self._sql.execute(f"SELECT {_COLUMNS} FROM files WHERE path=?", (path,)).fetchone()
        return None if row is None else _row(row)

    def get_many(self, paths: Iterable[str]) -> dict[str, FileRow]:
        """The rows of many paths; those without one are left out."""
        if self.is_empty():
            return {}
        rows = self._sql.execute(
            f"SELECT f.{_COLUMNS.replace(', ', ', f.')} FROM json_each(?) a"
            " CROSS JOIN files f ON f.path=a.value",
            (json.dumps(list(paths)),),
        )
        return {row[0]: _row(row) for row in rows}

    def put_many(self, rows: Iterable[FileRow]) -> None:
        self._age.grow()
        self._sql.executemany(
            "INSERT OR REPLACE INTO files VALUES (?,?,?,?,?,?,?,?,?,?)",
            [(row[0], _KIND_TEXT[row[1]], *row[2:]) for row in rows],
        )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop rows altogether: as if this device had never had the paths."""
        self._age.grow()
        self._sql.executemany("DELETE FROM files WHERE path=?", ((p,) for p in paths))

    def below(self, directory: str) -> Iterator[FileRow]:
        """Rows of present files, links and directories below `directory`, in byte order."""
        rows = self._sql.execute(
            f"SELECT {_COLUMNS} FROM files WHERE path>? AND path<? AND kind!='-' ORDER BY path",
            (directory + "/", directory + "0"),
        )
        for row in rows:
            yield _row(row)

    def count_below(self, directory: str) -> int:
        """How many files, links and explicit directories stand below `directory`."""
        (count,) = self._sql.execute(
            "SELECT count(*) FROM files WHERE path>? AND path<? AND kind!='-'",
            (directory + "/", directory + "0"),
        ).fetchone()
        return int(count)

    def has_below(self, directory: str) -> bool:
        """Whether there is any row below `directory`, be it of what is gone."""
        row = self._sql.execute(
            "SELECT 1 FROM files WHERE path>? AND path<? LIMIT 1",
            (directory + "/", directory + "0"),
        ).fetchone()
        return row is not None

    def with_content(self, data_hash: DataHash) -> list[str]:
        """Paths of files and links that have this content. Reads the whole table."""
        rows = self._sql.execute(
            "SELECT path FROM files WHERE hash=? AND kind IN ('f','l') ORDER BY path", (data_hash,)
        )
        return [path for (path,) in rows]

    def with_inodes(self, inodes: Iterable[int]) -> list[FileRow]:
        """Files and links that had one of these inodes. Reads the whole table."""
        rows = self._sql.execute(
            f"SELECT {_COLUMNS} FROM files WHERE kind IN ('f','l')"
            " AND inode IN (SELECT value FROM json_each(?)) ORDER BY path",
            (json.dumps(list(inodes)),),
        )
        return [_row(row) for row in rows]

    def totals(self) -> tuple[int, int]:
        """Files and links here, and their bytes."""
        files, size = self._sql.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE kind IN ('f','l')"
        ).fetchone()
        return int(files), int(size)

    def is_empty(self) -> bool:
        return self._sql.execute("SELECT 1 FROM files LIMIT 1").fetchone() is None
