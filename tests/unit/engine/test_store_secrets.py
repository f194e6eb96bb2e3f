"""For what the secret of a store is, and what becomes of it when the store changes."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.credentials.test_vault import Bench

from firnline.config.settings import StoreSettings
from firnline.credentials import sealed_file
from firnline.credentials.account import Account
from firnline.credentials.errors import Trouble
from firnline.engine.errors import UsageError
from firnline.engine.problems import explain
from firnline.engine.store_secrets import (
    SecretMissingError,
    StoreSecret,
    account_at,
    account_of,
    copy_secret,
    forget_replaced,
    forget_secret,
    given,
    keep_given,
    note_refused,
    secret_for,
    waits_for_file,
)
from firnline.stores.errors import CredentialsError
from firnline.stores.registry import no_secret


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(sealed_file, "_SCRYPT", {"n": 2, "r": 1, "p": 1})
    return Bench(tmp_path)


def store(store_id: str = "abc", location: str = "sftp://me@nas/a") -> StoreSettings:
    return StoreSettings(
        name="nas", location=location, store_id=store_id, rating=50, minor=False, options={}
    )


@pytest.mark.parametrize(
    ("location", "options", "what", "noun"),
    [
        ("sftp://me@nas/a", {}, "sftp://me@nas", "password"),
        ("SFTP://me@nas:22/a/b", {}, "sftp://me@nas:22", "password"),
        ("sftp://me@nas/a", {"key": "~/.ssh/id"}, "the key ~/.ssh/id", "passphrase"),
        ("webdavs://me@cloud:8443/dav", {}, "webdavs://me@cloud:8443", "password"),
        ("webdav://me@cloud/dav", {}, "webdav://me@cloud", "password"),
        ("s3://bucket/a", {"key_id": "AKIA"}, "AKIA", "secret key"),
        (
            "s3://bucket/a",
            {"key_id": "AKIA", "endpoint": "https://s3.example"},
            "AKIA at https://s3.example",
            "secret key",
        ),
    ],
)
def test_what_a_secret_is_for(location: str, options: Mapping[str, str], what: str, noun: str):
    """The server with its user, the file of a key, the name of a key; in words for people."""
    account = account_at("nas", location, options, "abc")
    assert account == Account("nas", what, noun, "abc")


def test_a_directory_has_none(bench: Bench):
    """And nothing is done about it."""
    usb = store(location="/mnt/usb")
    assert account_of(usb) is None
    assert secret_for(lambda: bench.vault, "nas", "/mnt/usb", {}, "") is no_secret
    assert keep_given(lambda: bench.vault, usb) is None
    assert forget_secret(lambda: bench.vault, usb) is None
    copy_secret(lambda: bench.vault, usb, usb)
    forget_replaced(lambda: bench.vault, usb)
    assert not waits_for_file(bench.vault, [usb, store(location="ftp://x/")])
    assert bench.keyring.asked == 0
    with pytest.raises(UsageError), given(lambda: bench.vault, None, "secret"):
        pass


def test_a_store_that_takes_the_place_of_another_gets_its_login(bench: Bench):
    """On the same server; what was kept for the one before is gone."""
    before, after = store("abc"), store("def")
    account = account_of(after)
    assert account is not None
    bench.keyring.kept["sftp://me@nas (store abc)"] = "secret"
    copy_secret(lambda: bench.vault, before, after)
    forget_replaced(lambda: bench.vault, before)
    assert bench.keyring.kept == {"sftp://me@nas (store def)": "secret"}
    elsewhere = store("ghi", "sftp://me@other/a")
    copy_secret(lambda: bench.vault, after, elsewhere)
    assert "sftp://me@other (store ghi)" not in bench.keyring.kept


def test_what_is_only_in_memory_stays_there(bench: Bench):
    """Also for a store that takes the place of another; the environment needs no copy."""
    bench.keyring.trouble = Trouble.NO_KEYRING
    before, after = store("abc"), store("def")
    old, new = account_of(before), account_of(after)
    assert old is not None
    assert new is not None
    bench.vault.give(old, "secret")
    copy_secret(lambda: bench.vault, before, after)
    forget_replaced(lambda: bench.vault, before)
    assert bench.vault.find(new).secret == "secret"
    bench.vault.take_back(new)
    bench.environment["FIRNLINE_SECRET_NAS"] = "secret"
    copy_secret(lambda: bench.vault, before, after)
    assert bench.vault.given(new) is None


def test_what_was_given_holds_only_if_all_went_well(bench: Bench):
    """Else the one from before does."""
    account = Account("nas", "sftp://me@nas", store_id="abc")
    bench.vault.give(account, "before")
    with pytest.raises(KeyError), given(lambda: bench.vault, account, "after"):
        raise KeyError
    assert bench.vault.find(account).secret == "before"
    with given(lambda: bench.vault, account, "after"):
        pass
    assert bench.vault.find(account).secret == "after"


def test_a_refused_secret_is_read_anew_and_a_missing_one_was_not_refused(bench: Bench):
    """Somebody may have changed it where it is kept."""
    account = account_of(store())
    assert account is not None
    bench.keyring.kept[account.key] = "before"
    secret = StoreSecret(lambda: bench.vault, account)
    assert secret() == "before"
    bench.keyring.kept[account.key] = "after"
    note_refused(lambda: bench.vault, store(), SecretMissingError(account, Trouble.LOCKED))
    assert secret() == "before"
    note_refused(lambda: bench.vault, store(), CredentialsError("", "no"))
    assert secret() == "after"
    assert "after" not in repr(secret)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_words_and_a_next_step(trouble: Trouble):
    """With the names that it takes to do it, and for what kind of secret it is."""
    account = Account("my nas", "the key /k", "passphrase", "abc")
    found = explain(SecretMissingError(account, trouble), "store my nas")
    assert found.what.startswith("store my nas: ")
    assert "the key /k" in found.what
    assert "passphrase" in found.what
    assert found.advice
    assert "{" not in found.line


def test_the_file_is_asked_for_where_it_may_help(bench: Bench):
    """Not where the keyring has the secret, and not where the file is open."""
    assert not waits_for_file(bench.vault, [store()])
    bench.vault.create_file("correct horse")
    assert not waits_for_file(bench.vault, [store()])
    later = bench.anew()
    assert waits_for_file(later, [store()])
    account = account_of(store())
    assert account is not None
    bench.keyring.kept[account.key] = "secret"
    assert not waits_for_file(later, [store()])
