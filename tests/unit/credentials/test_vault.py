"""Where secrets are looked for, and where they are kept."""

from pathlib import Path

import pytest

from firnline.credentials import sealed_file
from firnline.credentials.account import Account, variable_of
from firnline.credentials.errors import ShelfError, Trouble
from firnline.credentials.sealed_file import SealedFile
from firnline.credentials.vault import Credentials, Found, Kept, Outcome, nothing_kept

NAS = Account("nas", "sftp://me@nas", store_id="abc")
PASSPHRASE = "correct horse"


class FakeKeyring:
    """A keyring in memory, with a trouble that a test may give it."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.trouble: Trouble | None = None
        self.asked = 0

    def _check(self) -> None:
        self.asked += 1
        if self.trouble is not None:
            raise ShelfError(self.trouble)

    def get(self, key: str) -> str | None:
        self._check()
        return self.kept.get(key)

    def put(self, key: str, secret: str) -> None:
        self._check()
        self.kept[key] = secret

    def remove(self, key: str) -> None:
        self._check()
        self.kept.pop(key, None)


class Bench:
    """Credentials over parts that a test may break."""

    def __init__(self, base: Path) -> None:
        self.keyring = FakeKeyring()
        self.path = base / "secrets.sealed"
        self.environment: dict[str, str] = {}
        self.learnt: list[str] = []
        self.vault = self.anew()

    def anew(self) -> Credentials:
        """As another process finds them."""
        file = SealedFile(self.path)
        return Credentials(
            self.keyring, file, environment=self.environment, learn=self.learnt.append
        )

    def keep(self, secret: str, account: Account = NAS) -> Outcome | None:
        self.vault.give(account, secret)
        return self.vault.keep_given(account)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(sealed_file, "_SCRYPT", {"n": 2, "r": 1, "p": 1})
    return Bench(tmp_path)


def test_the_order(bench: Bench):
    """What was given now; the environment; the keyring; the file."""
    bench.vault.create_file(PASSPHRASE)
    bench.vault.file.put(NAS.key, "of the file")
    assert bench.vault.find(NAS).secret == "of the file"
    bench.keyring.kept[NAS.key] = "of the keyring"
    assert bench.anew().find(NAS).secret == "of the keyring"
    bench.environment["FIRNLINE_SECRET_NAS"] = "of the environment"
    assert bench.vault.find(NAS).secret == "of the environment"
    bench.vault.give(NAS, "given")
    assert bench.vault.find(NAS).secret == "given"
    bench.vault.take_back(NAS)
    assert bench.vault.find(NAS).secret == "of the environment"


def test_each_is_learnt_before_anybody_has_it(bench: Bench):
    """Whatever the log says of it later is redacted."""
    bench.keyring.kept[NAS.key] = "kept"
    bench.vault.find(NAS)
    bench.environment["FIRNLINE_SECRET_NAS"] = "environment"
    bench.vault.find(NAS)
    bench.vault.give(NAS, "given")
    bench.vault.create_file(PASSPHRASE)
    bench.anew().open_file(PASSPHRASE)
    assert bench.learnt == ["kept", "environment", "given", PASSPHRASE, PASSPHRASE]


@pytest.mark.parametrize(
    "other",
    [
        NAS._replace(what="sftp://me@elsewhere"),
        NAS._replace(what="the key /home/me/.ssh/id"),
        NAS._replace(store_id="def"),
    ],
)
def test_it_is_for_one_server_alone(bench: Bench, other: Account):
    """Settings that name another server, user or key do not get it."""
    bench.keep("secret")
    assert bench.vault.find(other) == Found(None, Trouble.UNKNOWN)
    bench.vault.give(NAS, "given")
    assert bench.vault.find(other._replace(store="other")).secret is None


def test_a_store_that_is_renamed_keeps_it(bench: Bench):
    """It is found by what the store is, not by what it is called."""
    bench.keep("secret")
    assert bench.anew().find(NAS._replace(store="office")).secret == "secret"


def test_a_keyring_that_goes_away_takes_nothing_from_who_has_read_it(bench: Bench):
    """But a password that a server refused is read anew."""
    bench.keep("before")
    vault = bench.anew()
    assert vault.find(NAS).secret == "before"
    bench.keyring.trouble = Trouble.NO_KEYRING
    assert vault.find(NAS).secret == "before"
    bench.keyring.trouble = None
    bench.keyring.kept[NAS.key] = "after"
    vault.refused(NAS)
    assert vault.find(NAS).secret == "after"


def test_a_keyring_is_asked_once(bench: Bench):
    """Each question may be one to a person."""
    bench.keep("secret")
    vault, before = bench.anew(), bench.keyring.asked
    for _ in range(3):
        vault.find(NAS)
    assert bench.keyring.asked == before + 1


@pytest.mark.parametrize("trouble", [Trouble.NO_KEYRING, Trouble.LOCKED, Trouble.SILENT])
def test_without_a_keyring_it_is_kept_in_the_file_or_in_memory(bench: Bench, trouble: Trouble):
    """In the file where it is open; where it is not, until the process ends."""
    bench.keyring.trouble = trouble
    assert bench.keep("secret") == Outcome(Kept.MEMORY, trouble)
    assert bench.vault.find(NAS).secret == "secret"
    assert bench.anew().find(NAS) == Found(None, trouble)
    bench.vault.create_file(PASSPHRASE)
    assert bench.vault.keep_all() == 1
    assert bench.vault.keep_all() == 0
    later = bench.anew()
    assert later.find(NAS) == Found(None, Trouble.SEALED)
    later.open_file(PASSPHRASE)
    assert later.find(NAS).secret == "secret"
    sealed = bench.anew()
    sealed.give(NAS, "new")
    assert sealed.keep_given(NAS) == Outcome(Kept.MEMORY, Trouble.SEALED)


def test_why_there_is_none(bench: Bench):
    """A person reads where it should be."""
    assert bench.vault.find(NAS).trouble is Trouble.UNKNOWN
    bench.keyring.trouble = Trouble.NO_KEYRING
    assert bench.vault.find(NAS).trouble is Trouble.NO_KEYRING
    bench.vault.create_file(PASSPHRASE)
    assert bench.vault.find(NAS).trouble is Trouble.UNKNOWN
    bench.keyring.trouble = Trouble.LOCKED
    assert bench.vault.find(NAS).trouble is Trouble.LOCKED
    assert bench.anew().find(NAS).trouble is Trouble.SEALED


def test_a_store_that_is_being_added_has_nothing_kept(bench: Bench):
    """And asks no keyring; nothing was given for it."""
    before = bench.keyring.asked
    assert bench.vault.find(NAS._replace(store_id="")).secret is None
    assert bench.keyring.asked == before
    assert bench.vault.keep_given(NAS) is None


def test_what_is_forgotten_is_nowhere(bench: Bench):
    """And where that cannot be made sure of, it is said."""
    bench.vault.create_file(PASSPHRASE)
    bench.vault.file.put(NAS.key, "secret")
    bench.keep("secret")
    bench.vault.give(NAS, "secret")
    assert bench.vault.forget(NAS) is None
    assert bench.vault.find(NAS).secret is None
    assert bench.keyring.kept == {}
    bench.keyring.trouble = Trouble.LOCKED
    assert bench.vault.forget(NAS) is Trouble.LOCKED
    bench.keyring.trouble = Trouble.NO_KEYRING
    assert bench.vault.forget(NAS) is None
    assert bench.anew().forget(NAS) is Trouble.SEALED


def test_nothing_shows_a_secret(bench: Bench):
    """Not the repr of whatever holds one."""
    bench.keep("canary-1f")
    bench.vault.give(NAS, "canary-1f")
    shown = f"{bench.vault!r} {bench.vault.find(NAS)!r} {NAS!r} {bench.vault.keep_given(NAS)!r}"
    assert "canary-1f" not in shown
    assert "***" in shown


def test_a_profile_without_secrets():
    """Knows none, and keeps none."""
    vault = nothing_kept()
    assert vault.find(NAS) == Found(None, Trouble.NO_KEYRING)
    vault.give(NAS, "x")
    assert vault.keep_given(NAS) == Outcome(Kept.MEMORY, Trouble.NO_KEYRING)
    assert vault.forget(NAS) is None


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("nas", "FIRNLINE_SECRET_NAS"),
        ("my nas-2", "FIRNLINE_SECRET_MY_NAS_2"),
        ("büro", "FIRNLINE_SECRET_BÜRO"),
    ],
)
def test_names_of_variables(name: str, variable: str):
    """The store's name in capitals."""
    assert variable_of(name) == variable
