"""What this device remembers of logins that were refused, and of which store."""

import json
import os
from pathlib import Path

import pytest
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.engine.calling import FILE, Login, RefusedLogins, connect_calling
from firnline.engine.problems import explain
from firnline.engine.surroundings import Surroundings
from firnline.stores.base import Store
from firnline.stores.calling.logins import MOST, Refused
from firnline.stores.errors import BusyError, CredentialsError, SpentError
from firnline.sync.context import CancelledError

KNOWN = Refused(MOST, "00ff", "0a0b", "the server said no")
ELSEWHERE = "webdavs://test.invalid/elsewhere"


@pytest.fixture
def login(tmp_path: Path) -> Login:
    """At a location of its own, since what is known of one lasts as long as the process."""
    return Login(f"webdavs://test.invalid{tmp_path}", {"key": str(tmp_path / "key")}, str)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE


def outside(**fields) -> Surroundings:
    return Surroundings(StillClock(), os.urandom)._replace(**fields)


def refusing() -> Store:
    raise CredentialsError("", "wrong")


def test_what_is_kept(file):
    """Of each store, until it is let go; only for this user's eyes."""
    one, other = RefusedLogins(file, "sftp://a/b"), RefusedLogins(file, ELSEWHERE)
    assert one.load() is None
    one.save(KNOWN)
    other.save(KNOWN._replace(times=1))
    assert file.stat().st_mode & 0o077 == 0
    assert RefusedLogins(file, "sftp://a/b").load() == KNOWN
    one.save(None)
    assert one.load() is None
    assert other.load() == KNOWN._replace(times=1)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"x": 1}',
        b'{"x": {"times": 3}}',
        json.dumps({"x": {**KNOWN._asdict(), "times": "many"}}).encode(),
        json.dumps({"x": {**KNOWN._asdict(), "salt": "no hex"}}).encode(),
        json.dumps({"x": {**KNOWN._asdict(), "detail": None}}).encode(),
        json.dumps({"x": {**KNOWN._asdict(), "more": 1}}).encode(),
    ],
)
def test_what_nobody_of_us_wrote(file, text):
    """It is nothing, and is written over."""
    file.write_bytes(text)
    logins = RefusedLogins(file, "x")
    assert logins.load() is None
    logins.save(KNOWN)
    assert logins.load() == KNOWN


def test_what_cannot_be_kept(tmp_path):
    """A disk that takes nothing stops nothing."""
    RefusedLogins(tmp_path / "missing" / FILE, "x").save(KNOWN)


def test_the_user_wants_one_more_try(file):
    """One, and not three."""
    logins = RefusedLogins(file, "x")
    logins.try_once_more()
    assert logins.load() is None
    logins.save(KNOWN)
    logins.try_once_more()
    assert logins.load() == KNOWN._replace(times=MOST - 1)


def test_it_outlives_the_process(tmp_path, login):
    """The fourth process does not ask, before anything of the credentials is another."""
    asked: list[None] = []

    def refuse() -> Store:
        asked.append(None)
        return refusing()

    for _ in range(5):
        with pytest.raises(CredentialsError):
            connect_calling(tmp_path, outside(), login, refuse)
    assert len(asked) == MOST
    (tmp_path / "key").write_text("a new key")
    for changed in (
        login,
        login._replace(secret=lambda: "new"),
        login._replace(options={"agent": "no"}),
    ):
        before = len(asked)
        with pytest.raises(CredentialsError):
            connect_calling(tmp_path, outside(), changed, refuse)
        assert len(asked) == before + 1
    store = connect_calling(
        tmp_path, outside(), login, lambda: MemoryStore(MemoryDisk(), StillClock())
    )
    assert store.kind == "memory"
    assert json.loads((tmp_path / FILE).read_bytes()) == {}


def test_waiting_for_a_busy_server_ends_with_the_command(tmp_path, login):
    """Ctrl-C and a time limit of the command count while a server is waited for."""

    def busy() -> Store:
        raise BusyError("", "later", 30.0)

    with pytest.raises(CancelledError):
        connect_calling(tmp_path, outside(cancelled=lambda: True), login, busy)


def test_in_words():
    """What is told has the next step."""
    told = explain(SpentError("", "wrong password"), "store nas").line
    assert "firnline store test nas" in told
    assert "wrong password" in told
    told = explain(BusyError("", "maintenance (503)", 90.0), "store nas").line
    assert "store nas is busy (maintenance (503), and asks to be left alone for 90 s)" in told
    assert "is busy (503)" in explain(BusyError("", "503"), "store nas").line
