"""One SQLite file: what opens it, what it refuses, and what a transaction promises."""

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from firnline.state.database import (
    PAGE_BYTES,
    Database,
    DatabaseError,
    DatabaseFault,
    set_aside,
)

FIRST = "CREATE TABLE first (value TEXT)"
SECOND = "CREATE TABLE second (value TEXT); INSERT INTO second VALUES ('made')"


class PowerCut(BaseException):
    """The process ends here."""


def _tables(database: Database) -> set[str]:
    rows = database.connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    return {name for (name,) in rows}


def _values(database: Database) -> list[str]:
    return [value for (value,) in database.connection.execute("SELECT value FROM first")]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def database(place: Path):
    opened = Database(place, [FIRST])
    yield opened
    opened.close()


def test_it_is_private_from_its_first_moment(place: Path) -> None:
    """Nobody else can read the state, whatever the umask says."""
    before = os.umask(0)
    try:
        database = Database(place, [FIRST])
        with database.transaction("test"):
            database.connection.execute("INSERT INTO first VALUES ('x')")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.parent.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes["state.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_commits_survive_a_power_cut(database: Database) -> None:
    """Write-ahead log, and every commit waits for the disk."""
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_migrations_run_once_and_in_order(place: Path) -> None:
    """A file of an older program is brought up to date when it is opened."""
    Database(place, [FIRST]).close()
    for _ in range(2):
        database = Database(place, [FIRST, SECOND])
        assert _tables(database) == {"first", "second"}
        assert database.connection.execute("SELECT value FROM second").fetchall() == [("made",)]
        database.close()


def test_migration_that_fails_leaves_nothing(place: Path) -> None:
    """All of a migration or none of it, and the file stays usable by the program that made it."""
    Database(place, [FIRST]).close()
    with pytest.raises(DatabaseError):
        Database(place, [FIRST, f"{SECOND}; INSERT INTO nowhere VALUES (1)"])
    database = Database(place, [FIRST])
    assert _tables(database) == {"first"}
    database.close()


def test_power_cut_at_a_migration(place: Path) -> None:
    """The next start carries on."""

    def cut(name: str) -> None:
        raise PowerCut

    with pytest.raises(PowerCut):
        Database(place, [FIRST], steps=cut)
    database = Database(place, [FIRST])
    assert _tables(database) == {"first"}
    database.close()


def test_two_processes_migrate_at_once(place: Path) -> None:
    """Who comes second finds it done."""
    others: list[Database] = []

    def meanwhile(name: str) -> None:
        others.append(Database(place, [FIRST]))

    database = Database(place, [FIRST], steps=meanwhile)
    with database.transaction("test"):
        database.connection.execute("INSERT INTO first VALUES ('x')")
    assert _values(others[0]) == ["x"]
    for opened in (database, *others):
        opened.close()


def test_file_of_a_newer_program_is_refused(place: Path) -> None:
    """What the tables mean there is not known here, and nothing is changed."""
    Database(place, [FIRST, SECOND]).close()
    before = place.read_bytes()
    with pytest.raises(DatabaseError, match="newer"):
        Database(place, [FIRST])
    assert place.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 84])
def test_garbage_is_refused(place: Path, content: bytes) -> None:
    """A file that is no database is told with its name, and is not overwritten."""
    place.write_bytes(content)
    with pytest.raises(DatabaseError) as caught:
        Database(place, [FIRST])
    assert caught.value.path == place
    assert str(place) in str(caught.value)
    assert place.read_bytes() == content


def test_a_second_connection_leaves_the_first_its_locks(place: Path) -> None:
    """Opened twice here, the database is not left without a log by somebody else who reads it.

    Closing any descriptor of a file gives up what the process has locked there.
    """
    read = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM first')"
    with closing(Database(place, [FIRST])) as first, closing(Database(place, [FIRST])) as second:
        with first.transaction("write") as execute:
            execute.execute("INSERT INTO first VALUES ('kept')")
        subprocess.run([sys.executable, "-c", read, place], check=True)
        assert place.with_name(f"{place.name}-wal").exists()
        with second.transaction("write") as execute:
            execute.execute("INSERT INTO first VALUES ('too')")
        assert _values(first) == ["kept", "too"]


def test_link_is_not_followed(place: Path) -> None:
    """Somebody who puts a link in the file's place has nothing written elsewhere."""
    target = place.with_name("target")
    target.write_bytes(b"precious")
    place.symlink_to(target)
    with pytest.raises(DatabaseError):
        Database(place, [FIRST])
    assert target.read_bytes() == b"precious"


def test_directory_in_its_place_is_refused(place: Path) -> None:
    """An error of the system is told like one of the database."""
    place.mkdir()
    with pytest.raises(DatabaseError):
        Database(place, [FIRST])


def test_file_that_cannot_be_opened_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one of SQLite's own at opening."""

    def fail(*arguments: object, **options: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", fail)
    with pytest.raises(DatabaseError, match="unable to open"):
        Database(place, [FIRST])


# --- damage ---------------------------------------------------------------------------------------


def _killed(place: Path) -> None:
    """A database whose last process was killed: its log still stands there."""
    Database(place, [FIRST]).close()
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        " c.executemany('INSERT INTO first VALUES (?)', [('x' * 12000,)] * 20); c.commit();"
        " c.execute('PRAGMA wal_checkpoint(FULL)'); c.execute('DELETE FROM first WHERE rowid > 9');"
        " c.commit(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, place], check=True)


def _break_a_page(place: Path) -> None:
    with place.open("r+b") as file:
        file.seek(2 * PAGE_BYTES)
        file.write(b"\xff" * 2 * PAGE_BYTES)


def test_damage_is_looked_for_after_an_unclean_stop(place: Path) -> None:
    """A broken page is found before anything rests on it, once the last process was killed."""
    _killed(place)
    _break_a_page(place)
    with pytest.raises(DatabaseError) as caught:
        Database(place, [FIRST], check=True)
    assert caught.value.fault is DatabaseFault.DAMAGED


def test_sound_database_is_used_after_an_unclean_stop(place: Path) -> None:
    """Nothing is lost, and nothing said."""
    _killed(place)
    with closing(Database(place, [FIRST], check=True)) as database:
        assert len(_values(database)) == 9


def test_damage_is_not_looked_for_otherwise(place: Path) -> None:
    """It takes time: after a clean end, and in a process that only reads, nothing is looked at."""
    with closing(Database(place, [FIRST])) as database, database.transaction("test") as connection:
        connection.executemany("INSERT INTO first VALUES (?)", [("x" * 12000,)] * 20)
    _break_a_page(place)
    Database(place, [FIRST], check=True).close()


def test_set_aside(place: Path) -> None:
    """A damaged file is kept with its log, under a name of its own; a new one can be made."""
    for number in (1, 2):
        _killed(place)
        kept = set_aside(place)
        assert kept.name == f"state.db.damaged-{number}"
        assert sorted(path.name for path in place.parent.glob("state.db*")) == sorted(
            f"state.db.damaged-{n}{end}" for n in range(1, number + 1) for end in ("", "-wal")
        )


def test_what_cannot_be_set_aside(place: Path) -> None:
    """An error of the system is one of the database."""
    place.touch()
    with (
        patch.object(Path, "rename", side_effect=PermissionError),
        pytest.raises(DatabaseError),
    ):
        set_aside(place)


def test_what_is_gone_leaves_its_log_aside(place: Path) -> None:
    """It would be taken for the new file's."""
    log = place.with_name(f"{place.name}-wal")
    log.write_text("log")
    kept = set_aside(place)
    assert not kept.exists()
    assert kept.with_name(f"{kept.name}-wal").read_text() == "log"
    assert not log.exists()


def test_file_that_is_taken_away_is_noticed(database: Database, place: Path) -> None:
    """Removed, replaced, or away with its directory, which may come back."""
    database.require_same_file()
    elsewhere = place.parent.rename(place.parent.with_name("elsewhere"))
    with pytest.raises(DatabaseError) as caught:
        database.require_same_file()
    assert caught.value.fault is DatabaseFault.OTHER
    elsewhere.rename(place.parent)
    database.require_same_file()
    place.rename(place.with_name("moved"))
    for _ in range(2):
        assert database.is_replaced
        with pytest.raises(DatabaseError, match="removed or replaced") as caught:
            database.require_same_file()
        assert caught.value.fault is DatabaseFault.DAMAGED
        place.touch()


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "no space"), DatabaseFault.FULL),
        (OSError(errno.EACCES, "no"), DatabaseFault.OTHER),
        (sqlite3.ProgrammingError("a mistake"), DatabaseFault.OTHER),
    ],
)
def test_faults(place: Path, error: OSError | sqlite3.Error, fault: DatabaseFault) -> None:
    """Each is known for what it is."""
    assert DatabaseError.of(place, error).fault is fault


@pytest.mark.parametrize("free", [0, 2**20, None])
def test_full_disk_that_sqlite_calls_an_io_error(
    place: Path, monkeypatch: pytest.MonkeyPatch, free: int | None
) -> None:
    """There was no room for its log, or it was something else: the disk is asked."""

    def usage(path: Path) -> SimpleNamespace:
        if free is None:
            raise OSError(errno.EIO, "failing")
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 19 << 8
    fault = DatabaseFault.FULL if free == 0 else DatabaseFault.OTHER
    assert DatabaseError.of(place, error).fault is fault


def test_full_disk(database: Database) -> None:
    """Full disk at the profile: nothing of the transaction is there, and the fault says why."""
    database.connection.execute("PRAGMA max_page_count=3")
    with pytest.raises(DatabaseError) as caught, database.transaction("test") as connection:
        connection.executemany("INSERT INTO first VALUES (?)", [("x" * 12000,)] * 20)
    assert caught.value.fault is DatabaseFault.FULL
    assert _values(database) == []


# --- transactions ---------------------------------------------------------------------------------


def test_transaction_is_all_or_nothing(database: Database) -> None:
    """An error in the middle undoes what came before it."""

    def fail() -> None:
        with database.transaction("test"):
            database.connection.execute("INSERT INTO first VALUES ('half')")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _values(database) == []
    with database.transaction("test"):
        database.connection.execute("INSERT INTO first VALUES ('whole')")
    assert _values(database) == ["whole"]


def test_another_process_may_migrate_first(place: Path) -> None:
    """What it made is taken as it is."""
    others: list[Database] = []

    def steps(name: str) -> None:
        if name == "migrate database":
            others.append(Database(place, [FIRST]))

    database = Database(place, [FIRST], steps=steps)
    assert _values(database) == []
    for each in (database, *others):
        each.close()


def test_commit_is_a_durable_step(place: Path) -> None:
    """It has the name of its transaction; a power cut there leaves nothing of it."""
    taken: list[str] = []

    def steps(name: str) -> None:
        taken.append(name)
        if name == "commit second":
            raise PowerCut

    database = Database(place, [FIRST], steps=steps)
    with database.transaction("first"):
        database.connection.execute("INSERT INTO first VALUES ('kept')")
    with pytest.raises(PowerCut), database.transaction("second"):
        database.connection.execute("INSERT INTO first VALUES ('lost')")
    assert taken == ["create database", "migrate database", "commit first", "commit second"]
    assert _values(database) == ["kept"]
    database.close()


def test_transaction_inside_another_joins_it(place: Path) -> None:
    """One commit for both, and one error undoes both."""
    taken: list[str] = []
    database = Database(place, [FIRST], steps=taken.append)
    with database.transaction("outer"), database.transaction("inner") as connection:
        connection.execute("INSERT INTO first VALUES ('both')")
    assert taken == ["create database", "migrate database", "commit outer"]

    def fail() -> None:
        with database.transaction("outer"):
            with database.transaction("inner") as connection:
                connection.execute("INSERT INTO first VALUES ('neither')")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _values(database) == ["both"]
    database.close()


def test_error_of_the_database_is_told_with_its_file(database: Database, place: Path) -> None:
    """Whoever carries on with the next folder needs one kind of error only."""
    with pytest.raises(DatabaseError) as caught, database.transaction("test"):
        database.connection.execute("INSERT INTO nowhere VALUES ('x')")
    assert caught.value.path == place
    assert not database.connection.in_transaction


def test_what_sqlite_undid_by_itself_is_not_undone_again(database: Database) -> None:
    """After a full disk, for example, no transaction is open any more."""

    def fill() -> None:
        with database.transaction("test") as connection:
            connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(DatabaseError, match="full"):
        fill()
    with database.transaction("test") as connection:
        connection.execute("INSERT INTO first VALUES ('next')")
    assert _values(database) == ["next"]
