"""One SQLite file: opening, migrating, and transactions with a name.

Write-ahead log with `synchronous=FULL`: what a transaction committed survives a power cut, which
*intents before effects* rests on (docs/design.md section 7). The file is private to its user.

What SQLite raises comes out as `DatabaseError`, which says what a person can do about it: a full
disk wants room, a damaged file is set aside and made anew. Whether the file is sound is looked at
only when the last process that wrote to it was killed.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from firnline.core.steps import Steps, no_steps

PAGE_BYTES = 16 * 1024
"""Four times SQLite's own: a pass that books 20,000 rows writes a quarter of the pages, a tenth
of the time of a folder's rename (docs/decisions/0006)."""


class DatabaseFault(StrEnum):
    """Why a state file cannot be used."""

    FULL = "no space left"
    DAMAGED = "damaged"
    OTHER = "other"


class DatabaseError(Exception):
    """The state file cannot be used; `path` says which, the message why."""

    def __init__(self, path: Path, detail: str, fault: DatabaseFault = DatabaseFault.OTHER) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail
        self.fault = fault
        self.kept_as: Path | None = None
        """Where the damaged file is, when it was set aside."""

    @classmethod
    def of(cls, path: Path, error: sqlite3.Error | OSError) -> "DatabaseError":
        """What the library or the system said, understood."""
        if isinstance(error, OSError):
            full = error.errno in _NO_SPACE
            return cls(path, str(error), DatabaseFault.FULL if full else DatabaseFault.OTHER)
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _PERHAPS_FULL and _has_no_room(path):
            return cls(path, f"{error} (no space left)", DatabaseFault.FULL)
        return cls(path, str(error), _FAULTS.get(code, DatabaseFault.OTHER))


def _has_no_room(path: Path) -> bool:
    # Heavy, and hardly ever needed.
    import shutil

    try:
        return shutil.disk_usage(path.parent).free < _LEAST
    except OSError:
        return False


_NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_PRIMARY = 0xFF
"""Of an extended result code, the part that says the kind."""
_PERHAPS_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""What SQLite says when there is no room for the files that it keeps beside the database."""
_LEAST = 2**16
"""Bytes that those files need."""
_FAULTS = {
    sqlite3.SQLITE_FULL: DatabaseFault.FULL,
    sqlite3.SQLITE_CORRUPT: DatabaseFault.DAMAGED,
    sqlite3.SQLITE_NOTADB: DatabaseFault.DAMAGED,
}


class Database:
    """A connection to one state file, its schema brought up to date."""

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        *,
        steps: Steps = no_steps,
        check: bool = False,
        patience: float = 5.0,
    ) -> None:
        """Opens or creates. Raises DatabaseError for garbage and for a newer program's file.

        `patience`: seconds that a transaction waits for those of other connections.

        `check`: nobody else has it open, so that a write-ahead log that still stands there is one
        of a process that was killed; then the file is looked through for damage.
        """
        self.path = path
        self.after_commit: Callable[[], None] | None = None
        """Called once, after the transaction in which it was set was committed."""
        self._steps = steps
        self._identity: tuple[int, int] | None = None
        killed = check and _has_log(path)
        try:
            _create_private(path, steps)
            self.connection = sqlite3.connect(
                path,
                patience,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError.of(path, error) from error
        try:
            with self.translating():
                if killed:
                    self._look_for_damage()
                self._prepare(migrations)
                self._identity = self._standing()
        except BaseException:
            self.close()
            raise

    def require_same_file(self) -> None:
        """Raises DatabaseError when the file was removed or replaced since it was opened: SQLite
        would go on to write where nobody finds it again."""
        if not self.is_replaced:
            return
        message = "it was removed or replaced while it was in use"
        # Without its directory it may only be away.
        fault = DatabaseFault.DAMAGED if self.path.parent.is_dir() else DatabaseFault.OTHER
        raise DatabaseError(self.path, message, fault)

    @property
    def is_replaced(self) -> bool:
        """Another file than the one that was opened stands at its place, or none."""
        return self._identity is not None and self._standing() != self._identity

    def _standing(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def translating(self) -> Iterator[None]:
        """What the database says inside comes out as DatabaseError."""
        try:
            yield
        except sqlite3.Error as error:
            raise DatabaseError.of(self.path, error) from error

    def _look_for_damage(self) -> None:
        found = self.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DatabaseError(self.path, str(found), DatabaseFault.DAMAGED)

    def _prepare(self, migrations: Sequence[str]) -> None:
        execute = self.connection.execute
        execute("PRAGMA synchronous=FULL")
        execute("PRAGMA cache_size=-16000")
        execute("PRAGMA temp_store=MEMORY")
        version = self._version()
        if version > len(migrations):
            raise DatabaseError(self.path, f"written by a newer Firnline (schema {version})")
        if version == 0:
            execute(f"PRAGMA page_size={PAGE_BYTES}")
            execute("PRAGMA journal_mode=WAL")
        for number, script in enumerate(migrations[version:], version + 1):
            self._steps("migrate database")
            self._migrate(number, script)

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self, number: int, script: str) -> None:
        """All or nothing. Another process may do the same at the same time, and be first."""
        try:
            self.connection.executescript(
                f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT"
            )
        except sqlite3.Error:
            self._roll_back()
            if self._version() < number:
                raise

    @contextmanager
    def transaction(self, name: str) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable when the block ends. `name` is its durable step's.

        A transaction inside another one joins it. Raises DatabaseError.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection
            self._steps(f"commit {name}")
            self.connection.execute("COMMIT")
        except BaseException as error:
            self.after_commit = None
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise DatabaseError.of(self.path, error) from error
            raise
        then, self.after_commit = self.after_commit, None
        if then is not None:
            then()

    def _roll_back(self) -> None:
        """SQLite has done so by itself after some errors, a full disk for example."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _has_log(path: Path) -> bool:
    """SQLite removes its log when the last connection closes."""
    try:
        return _log(path).stat().st_size > 0
    except OSError:
        return False


def set_aside(path: Path, steps: Steps = no_steps) -> Path:
    """Rename a damaged file that nobody has open, so that a new one can be made; returns its place,
    where nothing stands if the file was gone.

    The log goes first: one that stayed would be taken for the new file's. Raises DatabaseError.
    """
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        if _log(path).exists():
            steps("set database log aside")
            _log(path).rename(_log(place))
        steps("set database aside")
        with suppress(FileNotFoundError):
            path.rename(place)
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    except OSError as error:
        raise DatabaseError.of(path, error) from error
    return place


def _create_private(path: Path, steps: Steps) -> None:
    """SQLite gives its journals the mode of the main file, so this one mode is enough.

    A file that is there is not opened: closing it would let go of every lock that this process has
    on it by other connections (https://sqlite.org/howtocorrupt.html, 2.2), and the next process
    that reads it would remove the log from under them.
    """
    mode = _mode(path)
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if mode:
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    steps("create database")
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0
