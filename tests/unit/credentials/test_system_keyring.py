"""The system's keyring: a real one, and what can be wrong with one."""

import gc
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from tests.servers.keyring import GnomeKeyring

from firnline.credentials import answering, system_keyring
from firnline.credentials.answering import Answering
from firnline.credentials.errors import ShelfError, Trouble
from firnline.credentials.system_keyring import SystemKeyring

KEY = "sftp://me@nas (store abc)"
CANARY = "canary-7c11 ä"


@pytest.fixture
def real(gnome_keyring: GnomeKeyring, monkeypatch: pytest.MonkeyPatch) -> GnomeKeyring:
    """In the session of this process."""
    for name, value in gnome_keyring.environment.items():
        monkeypatch.setenv(name, value)
    return gnome_keyring


@pytest.fixture
def keyring() -> SystemKeyring:
    return SystemKeyring("/profile", time.monotonic)


def trouble(keyring: SystemKeyring) -> Trouble:
    with pytest.raises(ShelfError) as found:
        keyring.get(KEY)
    return found.value.trouble


def test_secrets_are_kept_and_removed(real: GnomeKeyring, keyring: SystemKeyring):
    """Under a name that tells a person what it is for; another profile has its own."""
    assert keyring.get(KEY) is None
    keyring.put(KEY, "first")
    keyring.put(KEY, CANARY)
    assert real.entries() == {"sftp://me@nas (store abc, profile /profile)": CANARY}
    assert keyring.get(KEY) == CANARY
    assert SystemKeyring("/other", time.monotonic).get(KEY) is None
    keyring.remove(KEY)
    keyring.remove(KEY)
    assert real.entries() == {}


def test_a_keyring_that_dies_and_comes_back(real: GnomeKeyring, keyring: SystemKeyring):
    """It is asked anew each time, so nothing has to be started again; what it had it has."""
    keyring.put(KEY, CANARY)
    real.die()
    assert trouble(keyring) is Trouble.NO_KEYRING
    real.revive(locked=True)
    assert trouble(keyring) is Trouble.LOCKED
    with pytest.raises(ShelfError):
        keyring.put(KEY, "x")
    with pytest.raises(ShelfError):
        keyring.remove(KEY)
    real.die()
    real.revive()
    assert keyring.get(KEY) == CANARY
    keyring.remove(KEY)


def test_a_keyring_that_does_not_answer(real: GnomeKeyring):
    """The caller has its answer after the patience."""
    with real.silent():
        assert trouble(SystemKeyring("/p", time.monotonic, patience=0.05)) is Trouble.SILENT


# jeepney does not close a socket that it could not connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("address", [None, "unix:path=/nowhere", "nonsense"])
def test_no_session(keyring: SystemKeyring, monkeypatch: pytest.MonkeyPatch, address: str | None):
    """A server without a desktop has no keyring, and its user reads so."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    if address is not None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    assert trouble(keyring) in (Trouble.NO_KEYRING, Trouble.BROKEN)
    del keyring
    gc.collect()


class Poor:
    """A keyring that fails in its own way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_password(self, service: str, username: str, /) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str, /) -> None:
        raise self.error

    def delete_password(self, service: str, username: str, /) -> None:
        raise self.error


def test_whatever_a_library_raises_is_trouble_without_its_words():
    """They may repeat what they were given."""
    for error in (OSError(CANARY), ValueError(CANARY), KeyError(CANARY)):
        keyring = SystemKeyring("/p", time.monotonic, partial(Poor, error))
        with pytest.raises(ShelfError) as found:
            keyring.put(KEY, CANARY)
        assert found.value.trouble is Trouble.BROKEN
        assert CANARY not in f"{found.value} {found.value!r}"


# --- waiting for an answer ----------------------------------------------------------------------


class Slow:
    """Work that is done when it is told to."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun = 0

    def __call__(self) -> object:
        self.begun += 1
        self.may_end.wait(20)
        return "answer"


@pytest.fixture
def slow() -> Iterator[Slow]:
    work = Slow()
    yield work
    work.may_end.set()


def test_the_same_question_waits_for_the_answer_and_others_do_not(slow: Slow):
    """A person is not asked twice, and what they answer late is not lost."""
    asking = Answering(0.02, time.monotonic)
    with pytest.raises(ShelfError):
        asking.ask("a", slow)
    with pytest.raises(ShelfError):
        asking.ask("b", slow)
    with pytest.raises(ShelfError):
        asking.ask("a", slow)
    assert slow.begun == 1
    slow.may_end.set()
    assert Answering.ask(asking, "a", slow) == "answer"
    assert slow.begun == 1
    assert asking.ask("b", lambda: "b") == "b"


def test_what_hangs_is_given_up_in_the_end(slow: Slow):
    """A service that died without a word is asked again some time."""
    now = 0.0
    asking = Answering(0.01, lambda: now)
    with pytest.raises(ShelfError):
        asking.ask("a", slow)
    now = answering.GIVEN_UP + 1
    assert asking.ask("a", lambda: "new") == "new"


def test_errors_come_out_of_the_thread():
    """As they were raised; the next question is asked as ever."""
    asking = Answering(20, time.monotonic)

    def fail() -> object:
        raise KeyError("a")

    with pytest.raises(KeyError):
        asking.ask("a", fail)
    assert asking.ask("a", lambda: 1) == 1


def test_many_at_once_are_answered_in_turn():
    """Stores that connect at the same time."""
    asking = Answering(20, time.monotonic)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(asking.ask(n, lambda: n)))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == sorted(map(str, range(20)))


def test_who_has_no_screen_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch):
    """Nobody can type anything there."""
    monkeypatch.setattr("sys.platform", "linux")
    assert system_keyring._patience({}) == system_keyring.WITHOUT_SCREEN
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        assert system_keyring._patience({name: ":0"}) == system_keyring.PATIENCE
    monkeypatch.setattr("sys.platform", "darwin")
    assert system_keyring._patience({}) == system_keyring.PATIENCE
