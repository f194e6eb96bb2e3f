"""Passwords at the command line: who is asked for what, what is said, and where they are kept."""

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.unit.cli.conftest import Shell
from tests.unit.credentials.test_vault import FakeKeyring

from firnline import __version__
from firnline.cli import asking, output
from firnline.cli.handing import carry_out
from firnline.config import redaction
from firnline.config.profile_lock import ProfileLock
from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.credentials import sealed_file
from firnline.credentials.errors import Trouble
from firnline.credentials.vault import Credentials
from firnline.engine.control.protocol import Kind, Request
from firnline.stores.base import Store
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import CredentialsError
from firnline.stores.registry import Factory, Location

PASSWORD = "canary-61e0"
PASSPHRASE = "correct horse"
PLACE = "sftp://me@nas/store"


class Person:
    """Somebody at the terminal, with answers by the words of the question; each is used once."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str | None]] = []
        self.asked: list[str] = []

    def will(self, *answers: tuple[str, str | None]) -> None:
        self.answers += answers

    def __call__(self, question: str) -> str | None:
        self.asked.append(question)
        assert self.answers, f"nobody expected {question!r}"
        words, answer = self.answers.pop(0)
        assert words in question
        return answer


class World:
    """A keyring, a server that wants a password, and perhaps a person."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.keyring = FakeKeyring()
        self.password = PASSWORD
        self.person = Person()

    def factory(
        self,
        location: Location,
        *,
        relative_to: Path,
        options: Mapping[str, str] | None = None,
        secret: Callable[[], str | None],
    ) -> Factory:
        def opening(*, connection: str | None, clock: Clock, steps: Steps = no_steps) -> Store:
            if location.kind == "directory":
                place = relative_to / location.address
                return DirectoryStore(place, connection=connection, clock=clock, steps=steps)
            if secret() != self.password:
                raise CredentialsError("", "nas does not accept the password of me")
            return DirectoryStore(self.base, connection=connection, clock=clock, steps=steps)

        return opening

    def has_terminal(self) -> Any:
        return patch.multiple(output, can_ask=lambda: True, ask_hidden=self.person, ask=self.person)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path / "server")
    made.base.mkdir()
    monkeypatch.setattr(sealed_file, "_SCRYPT", {"n": 2, "r": 1, "p": 1})
    monkeypatch.setattr(redaction, "_learned", ())
    with (
        patch("firnline.engine.runtime.factory_for", made.factory),
        patch("firnline.engine.store_commands.create_remote_base"),
        patch.object(asking, "SystemKeyring", lambda *_: made.keyring),
    ):
        yield made
    assert made.person.answers == []


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """What comes on standard input."""

    def comes(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return comes


Stdin = Callable[[bytes], None]
ADD = ("store", "add", "nas", PLACE)
PIPED = "--password-stdin"


def test_a_piped_password_is_kept_in_the_keyring(anna: Shell, world: World, stdin: Stdin):
    """One line end is no part of it."""
    stdin(f"{PASSWORD}\r\n".encode())
    anna(*ADD, PIPED)
    assert "Its password is in the keyring." in anna.err
    assert list(world.keyring.kept.values()) == [PASSWORD]
    anna("store", "test", "nas")


def test_a_password_is_asked_for_until_it_is_right(anna: Shell, world: World):
    """Three times at most; nothing is added and nothing kept until then."""
    with world.has_terminal():
        world.person.will(*[("Password for sftp://me@nas: ", "wrong")] * 3)
        anna(*ADD, code=1)
        assert anna.err.count("does not accept the password of me. Try again.") == 2
        world.person.will(("Password", None))
        anna(*ADD, code=1)
        assert "asks for a password" in anna.err
        assert world.keyring.kept == {}
        world.person.will(("Password", "wrong"), ("Password", PASSWORD))
        anna(*ADD)
    assert list(world.keyring.kept.values()) == [PASSWORD]


def test_nobody_is_asked_without_a_terminal(anna: Shell, world: World):
    """What can be done instead is said."""
    anna(*ADD, code=1)
    assert "pipe it in with --password-stdin, or set FIRNLINE_SECRET_NAS" in anna.err


def test_a_command_asks_for_what_the_keyring_does_not_tell(
    anna: Shell, world: World, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
):
    """For this once; who says nothing reads what the trouble is."""
    stdin(PASSWORD.encode())
    anna(*ADD, PIPED)
    world.keyring.trouble = Trouble.LOCKED
    with world.has_terminal():
        world.person.will(("Password for sftp://me@nas", PASSWORD))
        anna("store", "test", "nas")
        assert "The keyring is locked" in anna.err
        world.person.will(("Password", ""))
        anna("store", "test", "nas", code=1)
        assert "Unlock it" in anna.err
    monkeypatch.setenv("FIRNLINE_SECRET_NAS", PASSWORD)
    anna("store", "test", "nas")


def test_the_environment_is_said_to_be_used(
    anna: Shell, world: World, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
):
    """Also that it goes before a password that is given later."""
    monkeypatch.setenv("FIRNLINE_SECRET_NAS", PASSWORD)
    anna(*ADD)
    assert "comes from FIRNLINE_SECRET_NAS" in anna.err
    assert world.keyring.kept == {}
    stdin(PASSWORD.encode())
    anna("store", "edit", "nas", PIPED)
    assert "it goes before the one that was given now" in anna.err


def test_without_a_keyring_it_goes_into_a_file_if_they_say_so(anna: Shell, world: World):
    """A passphrase is chosen with care; later the file is opened for what needs it."""
    world.keyring.trouble = Trouble.NO_KEYRING
    with world.has_terminal():
        world.person.will(("Password", PASSWORD), ("Type yes", "no"))
        anna(*ADD, code=1)
        assert "so the password was not kept" in anna.err
        world.person.will(
            ("New password of store nas", PASSWORD),
            ("Type yes", "yes"),
            ("New passphrase", "short"),
            ("New passphrase", PASSPHRASE),
            ("Once more", "another one"),
            ("New passphrase", PASSPHRASE),
            ("Once more", PASSPHRASE),
        )
        anna("store", "edit", "nas", "--password")
        assert "8 characters at least" in anna.err
        assert "These were not the same." in anna.err
        assert "Its password is sealed in " in anna.err
        world.person.will(("Passphrase", "wrong"), ("Passphrase", PASSPHRASE))
        anna("store", "test", "nas")
        world.person.will(*[("Passphrase", "wrong")] * 3)
        anna("store", "test", "nas", code=1)
        assert "There is no way around it" in anna.err
        world.person.will(("New password", PASSWORD), ("Passphrase", PASSPHRASE))
        anna("store", "edit", "nas", "--password")
        world.person.will(("Passphrase", PASSPHRASE))
        anna("store", "remove", "nas")
        assert "may still be" not in anna.err


def test_a_sealed_file_that_is_damaged(anna: Shell, world: World):
    """It is told, and nothing is written in its place."""
    world.keyring.trouble = Trouble.NO_KEYRING
    file = anna.profile.places.sealed_secrets
    with world.has_terminal():
        world.person.will(("Password", PASSWORD), ("Type yes", ""))
        anna(*ADD, code=1)
        file.write_text("{}")
        world.person.will(("New password", PASSWORD), ("Passphrase", PASSPHRASE))
        anna("store", "edit", "nas", "--password", code=1)
    assert "no file of secrets" in anna.err
    assert file.read_text() == "{}"
    anna("store", "test", "nas", code=1)
    assert "`firnline store unlock`" in anna.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the password is empty"),
        (b"a\nb", "one line of text"),
        (b"a\0b", "one line of text"),
        (b"\xff\xfe", "no UTF-8"),
        (b"x" * 4097, "too long"),
    ],
)
def test_what_is_no_password(anna: Shell, world: World, stdin: Stdin, content: bytes, words: str):
    """Wrong usage, and it is not repeated."""
    stdin(content)
    anna(*ADD, PIPED, code=2)
    assert words in anna.err
    assert anna.document("store", "list") == []


def test_a_terminal_in_place_of_a_pipe(anna: Shell, world: World, monkeypatch: pytest.MonkeyPatch):
    """What is typed for --password-stdin is not shown; no standard input at all is said."""

    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard())
    with world.has_terminal():
        world.person.will(("Password: ", PASSWORD))
        anna(*ADD, PIPED)
    monkeypatch.setattr(sys, "stdin", None)
    anna("store", "edit", "nas", PIPED, code=2)
    anna("store", "edit", "nas", "--password", code=2)
    assert "no terminal to ask on" in anna.err


def test_a_directory_has_no_password(anna: Shell, world: World, stdin: Stdin, tmp_path: Path):
    """Who gives one has mistaken the store."""
    stdin(PASSWORD.encode())
    anna("store", "add", "usb", str(tmp_path / "usb"), PIPED, code=2)
    assert "has no password" in anna.err


def test_a_new_password_is_kept_when_the_server_takes_it(anna: Shell, world: World, stdin: Stdin):
    """A wrong one changes nothing; one that nobody could try is believed."""
    stdin(PASSWORD.encode())
    anna(*ADD, PIPED)
    stdin(b"wrong")
    anna("store", "edit", "nas", PIPED, code=1)
    assert list(world.keyring.kept.values()) == [PASSWORD]
    world.password = "the next one"
    stdin(b"the next one")
    anna("store", "edit", "nas", PIPED)
    assert list(world.keyring.kept.values()) == ["the next one"]


def test_another_server_does_not_get_it(anna: Shell, world: World, stdin: Stdin):
    """It is asked for anew, and the old one is forgotten then; another path on the same server has
    the same password."""
    stdin(PASSWORD.encode())
    anna(*ADD, PIPED)
    anna("store", "edit", "nas", "--location", "sftp://me@nas/elsewhere")
    assert list(world.keyring.kept.values()) == [PASSWORD]
    moved = ("store", "edit", "nas", "--location", "sftp://me@other/store")
    anna(*moved, code=1)
    assert "sftp://me@other asks for a password" in anna.err
    with world.has_terminal():
        world.person.will(("Password for sftp://me@other", PASSWORD))
        anna(*moved)
    ((key, secret),) = world.keyring.kept.items()
    assert key.startswith("sftp://me@other (store ")
    assert secret == PASSWORD


def test_a_removed_store_takes_it_along(anna: Shell, world: World, stdin: Stdin):
    """Where it may have stayed that is said."""
    stdin(PASSWORD.encode())
    anna(*ADD, PIPED)
    anna("store", "remove", "nas")
    assert world.keyring.kept == {}
    stdin(PASSWORD.encode())
    anna(*ADD, PIPED)
    world.keyring.trouble = Trouble.SILENT
    anna("store", "remove", "nas")
    assert "may still be in the keyring, which is not answering" in anna.err


# --- for the one that runs ----------------------------------------------------------------------


class Runs:
    """A process that holds the profile of `anna`, with secrets in its memory."""

    def __init__(self, anna: Shell, *, asks: bool = True) -> None:
        self.places = anna.profile.places
        self.places.prepare()
        self.credentials = asking.make_credentials(self.places)
        self.asks = asks
        self.said: list[tuple[Kind, str]] = []

    def __call__(self, *arguments: str, secret: str | None = None) -> int:
        self.said.clear()
        request = Request(__version__, "/", arguments, secret, self.asks)
        with ProfileLock(self.places.lock_file):
            return carry_out(
                request, self.places, self._say, lambda: False, lambda: self.credentials
            )

    def _say(self, kind: Kind, text: str) -> None:
        self.said.append((kind, text))

    def text(self, kind: Kind) -> str:
        return "".join(text for each, text in self.said if each is kind)


def test_the_caller_is_asked(anna: Shell, world: World):
    """It gives the command again with the answer; one that cannot ask reads what to do."""
    runs = Runs(anna)
    assert runs(*ADD) == 1
    assert runs.text(Kind.WANTED) == "Password for sftp://me@nas: "
    assert runs.text(Kind.MESSAGE) == ""
    assert runs(*ADD, secret="wrong") == 1
    assert runs.text(Kind.WANTED) == ""
    assert "does not accept" in runs.text(Kind.MESSAGE)
    runs.asks = False
    assert runs(*ADD) == 1
    assert "--password-stdin" in runs.text(Kind.MESSAGE)
    assert runs(*ADD, secret=PASSWORD) == 0
    assert list(world.keyring.kept.values()) == [PASSWORD]


def test_it_holds_what_can_be_kept_nowhere(anna: Shell, world: World):
    """Until it ends, or until the file is opened: then it is kept there."""
    world.keyring.trouble = Trouble.NO_KEYRING
    runs = Runs(anna)
    assert runs("store", "unlock", secret=PASSPHRASE) == 1
    assert "no sealed file" in runs.text(Kind.MESSAGE)
    assert runs(*ADD, secret=PASSWORD) == 0
    assert "holds the password until it ends" in runs.text(Kind.MESSAGE)
    assert runs("store", "test", "nas") == 0
    assert runs("store", "edit", "nas", secret="wrong") == 1
    assert runs("store", "test", "nas") == 0
    other = asking.make_credentials(runs.places)
    other.create_file(PASSPHRASE)
    assert runs("store", "edit", "nas", secret=PASSWORD) == 0
    assert "`firnline store unlock`" in runs.text(Kind.MESSAGE)
    assert runs("store", "unlock") == 1
    assert "Passphrase" in runs.text(Kind.WANTED)
    assert runs("store", "unlock", secret="wrong") == 1
    assert "not the passphrase" in runs.text(Kind.MESSAGE)
    assert runs("store", "unlock", secret=PASSPHRASE) == 0
    assert "is open" in runs.text(Kind.OUTPUT)
    assert "1 password" in runs.text(Kind.MESSAGE)
    runs.credentials = asking.make_credentials(runs.places)
    assert runs("store", "test", "nas") == 1
    runs.asks = False
    assert runs("store", "unlock") == 2


def test_a_passphrase_can_be_tried_while_nothing_runs(anna: Shell, world: World, stdin: Stdin):
    """And it is said that nothing was opened for good."""
    anna("store", "unlock", code=1)
    asking.make_credentials(anna.profile.places).create_file(PASSPHRASE)
    stdin(PASSPHRASE.encode())
    assert "this is the passphrase" in anna("store", "unlock", PIPED)
    assert "No Firnline runs" in anna.err
    with world.has_terminal():
        world.person.will(("Passphrase", PASSPHRASE))
        anna("store", "unlock")


def test_nothing_that_is_passed_on_shows_a_secret(anna: Shell, world: World):
    """Requests and stores get into messages."""
    request = Request(__version__, "/", (*ADD, "x"), PASSWORD, asks=True)
    credentials = Credentials(
        world.keyring,
        sealed_file.SealedFile(anna.profile.places.sealed_secrets),
        environment={},
        learn=redaction.learn,
    )
    assert PASSWORD not in f"{request!r} {request} {credentials!r}"
