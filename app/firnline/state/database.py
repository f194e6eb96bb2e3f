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
            self._prepare(migrations)
        except (sqlite3.DatabaseError, OSError) as error:
            raise DatabaseError(path, str(error)) from error

    def _prepare(self, migrations: Sequence[str]) -> None:
        execute = self.connection.execute
        execute("PRAGMA synchronous=FULL")
        execute("PRAGMA cache_size=-16000")
        execute("PRAGMA temp_store=MEMORY")
        (version,) = execute("PRAGMA user_version").fetchone()
        if version > len(migrations):
            raise DatabaseError(self.path, f"written by a newer Firnline (schema {version})")
        if version == 0:
            execute("PRAGMA journal_mode=WAL")
        for number, script in enumerate(migrations[version:], version + 1):
            self._steps("migrate database")
            self.connection.executescript(f"BEGIN;{script};PRAGMA user_version={number};COMMIT")

    @contextmanager
    def transaction(self, name: str) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable when the block ends. `name` is its durable step's.

        A transaction inside another one joins it.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self._steps(f"commit {name}")
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self.connection.close()


def _create_private(path: Path) -> None:
    """SQLite gives its journals the mode of the main file, so this one mode is enough."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    os.close(os.open(path, flags, 0o600))
