"""One SQLite file: opening, migrating, and transactions with a name.

Write-ahead log with `synchronous=FULL`: what a transaction committed survives a power cut, which
*intents before effects* rests on (docs/design.md section 7). The file is private to its user.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from firnline.core.steps import Steps, no_steps


class DatabaseError(Exception):
    """The state file cannot be used; `path` says which, the message why."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class Database:
    """A connection to one state file, its schema brought up to date."""

    def __init__(self, path: Path, migrations: Sequence[str], *, steps: Steps = no_steps) -> None:
        """Opens or creates. Raises DatabaseError for garbage and for a newer program's file."""
        self.path = path
        self._steps = steps
        try:
            _create_private(path)
            self.connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(path, str(error)) from error
        try:
            self._prepare(migrations)
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise DatabaseError(path, str(error)) from error
            raise

    def _prepare(self, migrations: Sequence[str]) -> None:
        execute = self.connection.execute
        execute("PRAGMA synchronous=FULL")
        execute("PRAGMA cache_size=-16000")
        execute("PRAGMA temp_store=MEMORY")
        version = self._version()
        if version > len(migrations):
            raise DatabaseError(self.path, f"written by a newer Firnline (schema {version})")
        if version == 0:
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
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise DatabaseError(self.path, str(error)) from error
            raise

    def _roll_back(self) -> None:
        """SQLite has done so by itself after some errors, a full disk for example."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()


def _create_private(path: Path) -> None:
    """SQLite gives its journals the mode of the main file, so this one mode is enough."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    os.close(os.open(path, flags, 0o600))
