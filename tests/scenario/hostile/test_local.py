"""Hostile things on this computer: items 33 (second half), 64, 65 and 69.

66, the socket of a running instance, is tests/unit/engine/control/test_control_abuse.py. 68, canary
secrets, is tests/scenario/commands/test_secrets.py. 67 needs the system keyring, which is not in
this version; its row comes with it.
"""

import os
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.hostile.victim import Victim

from firnline.core.event import Op


def test_33_home_directory_and_whole_computer(
    victim: Victim, tried: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the home directory is made with a warning, one of everything not at all."""
    home = victim.base / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    victim.run("folder", "create", str(home))
    assert "home directory" in victim.err
    victim.run("folder", "create", "/", "--name", "all", code=1)
    assert "the whole computer" in victim.err
    assert not Path("/.firnline").exists()
    tried["hostile inputs"] += 2


def _world_writable(config: Path, _: Path) -> None:
    config.chmod(0o666)


def _huge(config: Path, _: Path) -> None:
    os.truncate(config, 100 * 2**20)


def _broken(config: Path, _: Path) -> None:
    config.write_text(config.read_text() + "\n[[[\n")


def _deep(config: Path, _: Path) -> None:
    config.write_text("a = " + "[" * 50_000)


def _future(config: Path, _: Path) -> None:
    config.write_text("format = 99\n" + config.read_text().partition("\n")[2])


def _no_text(config: Path, _: Path) -> None:
    config.write_bytes(b"\xff\xfe" + config.read_bytes())


def _pipe(config: Path, _: Path) -> None:
    config.unlink()
    os.mkfifo(config)


def _directory(config: Path, _: Path) -> None:
    config.unlink()
    config.mkdir()


def _link_to_anothers(config: Path, outside: Path) -> None:
    """A link to a file that everybody can write, as somebody with an account here could lay it."""
    shutil.copy(config, outside / "config.toml")
    (outside / "config.toml").chmod(0o666)
    config.unlink()
    config.symlink_to(outside / "config.toml")


CONFIGS: dict[str, Callable[[Path, Path], None]] = {
    "world-writable": _world_writable,
    "100 MB": _huge,
    "broken TOML": _broken,
    "deep": _deep,
    "of a later version": _future,
    "no UTF-8": _no_text,
    "pipe": _pipe,
    "directory": _directory,
    "link to a file of everybody's": _link_to_anothers,
}


def _state_of(path: Path) -> tuple[int, ...]:
    """What changes when somebody writes; not when somebody reads."""
    found = path.lstat()
    return (found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns)


@pytest.mark.parametrize("kind", CONFIGS)
def test_64_settings(victim: Victim, tried: Counter[str], kind: str) -> None:
    """Not used, named with the reason and the next step, and left as they are; nothing is synced,
    removed or made anew by settings that nobody can vouch for."""
    place = victim.profile.places.config_file
    CONFIGS[kind](place, victim.base / "outside")
    before = _state_of(place)
    victim.write("mine too.txt", "mine too")
    for command in (("sync",), ("status",), ("config", "set", "poll.interval", "60")):
        victim.run(*command, code=1)
        assert "config.toml" in victim.err
        tried["hostile inputs"] += 1
    assert _state_of(place) == before
    assert victim.tree() == {"mine.txt": "mine", "mine too.txt": "mine too"}


def _garbage(database: Path, _: Path) -> None:
    database.write_bytes(os.urandom(8192))


def _empty(database: Path, _: Path) -> None:
    database.write_bytes(b"")


def _header_only(database: Path, _: Path) -> None:
    database.write_bytes(database.read_bytes()[:100] + bytes(4096))


def _another_database(database: Path, _: Path) -> None:
    database.unlink()
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE events (path TEXT)")
    connection.commit()
    connection.close()


def _link_outside(database: Path, outside: Path) -> None:
    database.unlink()
    database.symlink_to(outside / "canary")


def _link_to_nothing(database: Path, outside: Path) -> None:
    database.unlink()
    database.symlink_to(outside / "new.db")


def _anothers(database: Path, _: Path) -> None:
    os.chown(database, 12345, 12345)


def _database_directory(database: Path, _: Path) -> None:
    database.unlink()
    database.mkdir()


DATABASES: dict[str, Callable[[Path, Path], None]] = {
    "garbage": _garbage,
    "empty": _empty,
    "header only": _header_only,
    "another program's": _another_database,
    "link outside": _link_outside,
    "link to nothing": _link_to_nothing,
    "another user's": _anothers,
    "directory": _database_directory,
}


@pytest.mark.parametrize("kind", DATABASES)
def test_65_database(victim: Victim, tried: Counter[str], kind: str) -> None:
    """A database that is none is told or made anew; nothing is taken for deleted, here or for
    anybody else, and a link is not followed."""
    if kind == "another user's" and os.getuid() != 0:
        pytest.skip("only root can give a file away")
    (place,) = victim.profile.places.state.glob("*.db")
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    DATABASES[kind](place, victim.base / "outside")
    victim.plant(Op.PUT, "theirs.txt", b"theirs")
    for _ in range(2):
        victim.run("sync", code=None)
        victim.run("status", code=0)
        victim.check_untouched()
        tried["hostile inputs"] += 1
    assert victim.tree()["mine.txt"] == "mine"
    assert not [name for name in victim.events() if "_del_" in name]


def test_69_no_file_of_ours_is_anybody_elses(victim: Victim, tried: Counter[str]) -> None:
    """With a umask of 000, every file of the profile is 0600 and every directory 0700, logs, tables
    and the home store included; temporary files in the folder are no different."""
    before = os.umask(0)
    try:
        other = Victim(victim.base / "open", victim._capsys)
        other.write("second.txt", "second")
        (other.store).rename(other.store.with_name("away"))
        other.run("sync", code=1)
        other.run("status")
        other.run("export-logs", str(other.profile.base / "profile" / "report.zip"))
    finally:
        os.umask(before)
    tried["hostile inputs"] += 1
    profile = other.profile.base / "profile"
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (profile, *profile.rglob("*"))}
    assert len(modes) > 20
    assert {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    own = (other.folder / ".firnline").rglob("*")
    assert [path for path in own if stat.S_IMODE(path.lstat().st_mode) & 0o022] == []
