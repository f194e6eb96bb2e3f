"""Whole directories that were moved: found and booked by the database alone.

A batch that moves ten thousand files is twenty thousand paths. Where nothing but that happened to
them, what the rules and the plan would say about each is known beforehand, and asking row by row
in SQL costs a tenth (docs/design.md section 7: one rename where the local tree agrees). Its entries
follow from the rows of the files that it moves, so they are written from one table to the other.
"""

from firnline.core.directory_move import StandingRow
from firnline.core.event import LINK, MAX_MTIME, NO_FLAGS, Kind
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.core.paths import ancestors
from firnline.state.database import Database
from firnline.state.table_age import TableAge

_WITHIN = "path > :{0} || '/' AND path < :{0} || '0'"
"""Paths below a directory: '0' follows '/' in the order of bytes."""
_STANDING = f"{_WITHIN.format('source')} AND kind != '-'"

# CROSS JOIN keeps SQLite to the order in which the tables are written.
_MOVED_AS_ONE = """
    SELECT count(*)
    FROM entries t
    CROSS JOIN entries s ON s.path = t.other AND s.event = t.event
    CROSS JOIN files f ON f.path = t.other
    WHERE t.event = :event AND t.op = 'mov' AND t.kind = f.kind AND t.kind IN ('f', 'l')
        AND t.other > :source || '/' AND t.other < :source || '0'
        AND t.path = :target || substr(t.other, length(:source) + 1)
        AND f.straight AND f.base = s.parent AND f.hash = t.hash AND f.local IS NULL
        AND (t.kind = 'l' OR f.flags = t.flags AND f.mtime_ns / 1000000 = t.mtime)
"""
"""Members whose file is here as the mover had it, and goes to the same place below the target."""

_ORIGINS_IN_DOUBT = """
    WITH RECURSIVE origins (path) AS (
        SELECT n.other
        FROM entries t CROSS JOIN entries n ON n.path = t.other
        WHERE t.event = :event AND t.kind != '-' AND n.kind != '-' AND n.other IS NOT NULL
        UNION
        SELECT n.other
        FROM origins o CROSS JOIN entries n ON n.path = o.path
        WHERE n.kind != '-' AND n.other IS NOT NULL
    )
    SELECT 1 FROM origins o LEFT JOIN files f ON f.path = o.path
    WHERE f.straight IS NOT 1 LIMIT 1
"""
"""Where the files were moved from earlier, and rule 5 may have something to say."""


_LEAVING = f"""
    SELECT path, kind, size, mtime_ns, inode, flags, hash, base FROM files
    WHERE {_WITHIN.format("source")} AND kind IN ('f', 'l') AND straight AND local IS NULL
    ORDER BY path
"""

_ARRIVALS = f"""
    INSERT OR REPLACE INTO entries
    SELECT :target || substr(path, length(:source) + 1), :event, 'mov', kind, hash,
        CASE kind WHEN 'l' THEN '{LINK}' ELSE flags END, base, path, size,
        CASE kind WHEN 'l' THEN 0 ELSE min(max(mtime_ns / 1000000, 0), {MAX_MTIME}) END, NULL
    FROM files WHERE {_WITHIN.format("source")} AND kind != '-' ORDER BY path
"""
_DEPARTURES = f"""
    INSERT OR REPLACE INTO entries
    SELECT path, :event, 'mov', '-', '{EMPTY_HASH}', '{NO_FLAGS}', base,
        :target || substr(path, length(:source) + 1), 0, 0, NULL
    FROM files WHERE {_WITHIN.format("source")} AND kind != '-' ORDER BY path
"""

_CAME_FROM_ELSEWHERE = """
    SELECT 1 FROM entries n LEFT JOIN files f ON f.path = n.other
    WHERE n.path > :source || '/' AND n.path < :source || '0'
        AND n.kind != '-' AND n.other IS NOT NULL
        AND (f.straight IS NOT 1 OR EXISTS (
            SELECT 1 FROM entries m
            WHERE m.path = n.other AND m.kind != '-' AND m.other IS NOT NULL))
    LIMIT 1
"""
"""Files that were moved to below the source, where rule 5 may have something to say about the
place from which they came, or about one before that."""


class DirectoryMoves:
    """Asks and books. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database, age: TableAge) -> None:
        self._sql = database.connection
        self._age = age
        self._entered: tuple[int, str, str, int] | None = None
        """Event, source and target that were entered last, and the count of changes then."""

    def leaving(self, source: str, target: str) -> list[StandingRow] | None:
        """All that stands below `source`, in the order of paths; None where it may not be all that
        there is to a move to `target`: each log at the source has the row's base as its only head,
        and neither the table nor the log has anything at the target."""
        names: dict[str, object] = {"source": source, "target": target}
        count = self._one(f"SELECT count(*) FROM files WHERE {_STANDING}", names)
        taken = f"SELECT 1 FROM files WHERE {_WITHIN.format('target')}"
        logged = f"SELECT 1 FROM entries WHERE {_WITHIN.format('target')}"
        if (
            self._sql.execute(f"{taken} LIMIT 1", names).fetchone() is not None
            or self._sql.execute(f"{logged} LIMIT 1", names).fetchone() is not None
            or self._has_log((target, *ancestors(target)))
        ):
            return None
        rows: list[StandingRow] = self._sql.execute(_LEAVING, names).fetchall()
        return rows if (len(rows),) == count else None

    def has_clear_origins(self, source: str) -> bool:
        """True when no rule can concern the places where the files below `source` once were.

        False may mean only that it takes longer to tell.
        """
        return self._sql.execute(_CAME_FROM_ELSEWHERE, {"source": source}).fetchone() is None

    def enter(self, event: int, source: str, target: str) -> None:
        """Note what the event does that moves all that is `leaving`."""
        names = {"event": event, "source": source, "target": target}
        self._sql.execute(_ARRIVALS, names)
        self._sql.execute(_DEPARTURES, names)
        self._entered = (event, source, target, self._sql.total_changes)

    def entered(self, event: int) -> tuple[str, str] | None:
        """Source and target of the event that was entered last, if it is this one and not a single
        row of the database was written since: what held then holds now."""
        if self._entered is None or self._entered[0] != event:
            return None
        _, source, target, changes = self._entered
        return (source, target) if changes == self._sql.total_changes else None

    def sample(self, event: int) -> tuple[str, str] | None:
        """Source and target of one of a batch's moves; None when it has other members too."""
        row = self._sql.execute(
            "SELECT min(other), path FROM entries WHERE event=? AND op='mov' AND kind!='-'",
            (event,),
        ).fetchone()
        others = self._sql.execute(
            "SELECT 1 FROM entries WHERE event=? AND op!='mov' LIMIT 1", (event,)
        ).fetchone()
        return None if row[0] is None or others is not None else (row[0], row[1])

    def fits(self, event: int, source: str, target: str) -> int | None:
        """The number of files that one rename moves as a batch says, None where it would not do.

        Asked when no other path is dirty. All that stands below `source` goes, each file is the
        one that was moved, no rule has anything to say about the two paths of any, and below and
        above `target` nothing ever was.
        """
        names: dict[str, object] = {"event": event, "source": source, "target": target}
        total, files = self._one(
            "SELECT count(*), count(CASE WHEN kind != '-' THEN 1 END) FROM entries"
            " WHERE event=:event",
            names,
        )
        leaving = f"SELECT count(*) FROM files WHERE {_WITHIN.format('source')} AND kind != '-'"
        arriving = f"SELECT count(*) FROM entries WHERE {_WITHIN.format('target')}"
        standing = f"SELECT count(*) FROM files WHERE {_WITHIN.format('target')}"
        fits = (
            total == 2 * files
            and self._one(leaving, names) == (files,)
            and self._one(arriving, names) == (files,)
            and self._one(standing, names) == (0,)
            and self._one(_MOVED_AS_ONE, names) == (files,)
            and not self._has_log((target, *ancestors(target)))
            and self._sql.execute(_ORIGINS_IN_DOUBT, names).fetchone() is None
        )
        return files if fits else None

    def book(self, source: str, target: str, base: Ref) -> None:
        """The files stand below `target` now, by the event `base`."""
        self._age.grow()
        names = {
            "source": source,
            "target": target,
            "base": base,
            "nothing": Kind.NOTHING.value,
            "empty": EMPTY_HASH,
            "flags": NO_FLAGS,
        }
        below = f"{_WITHIN.format('source')} AND kind != '-'"
        self._sql.execute(
            "INSERT INTO files (path, kind, size, mtime_ns, inode, hash, flags, base, straight)"
            " SELECT :target || substr(path, length(:source) + 1), kind, size, mtime_ns, inode,"
            f" hash, flags, :base, 1 FROM files WHERE {below}",
            names,
        )
        self._sql.execute(
            "UPDATE files SET kind=:nothing, size=0, mtime_ns=0, inode=0, hash=:empty,"
            f" flags=:flags, base=:base, straight=1 WHERE {below}",
            names,
        )

    def _has_log(self, paths: tuple[str, ...]) -> bool:
        marks = ",".join("?" * len(paths))
        found = self._sql.execute(f"SELECT 1 FROM entries WHERE path IN ({marks}) LIMIT 1", paths)
        return found.fetchone() is not None

    def _one(self, query: str, names: dict[str, object]) -> tuple[int, ...]:
        return tuple(self._sql.execute(query, names).fetchone())
