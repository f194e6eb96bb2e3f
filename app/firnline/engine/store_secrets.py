"""The secret of a store: for what it is, where it comes from, and what becomes of it.

A store gets a function that gives its secret when the server asks for one. Where there is none it
raises SecretMissingError, so that a person reads why: from the first connection on, or hours later
when a keyring has gone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from firnline.config.settings import StoreSettings
from firnline.credentials.account import Account
from firnline.credentials.errors import Trouble
from firnline.engine.errors import UsageError
from firnline.stores.errors import CredentialsError, LocationError
from firnline.stores.registry import DIRECTORY, SFTP, Secret, no_secret, parse_location

if TYPE_CHECKING:
    from firnline.credentials.vault import Credentials, Outcome

GetCredentials = Callable[[], "Credentials"]
"""Gives those of the profile; nothing is made, and nothing imported, before the first call."""


class SecretMissingError(CredentialsError):
    """A server wants a secret, and none can be had; nothing was sent."""

    def __init__(self, account: Account, trouble: Trouble) -> None:
        super().__init__("", f"the {account.words} is not at hand", sent=False)
        self.account = account
        self.trouble = trouble


def account_of(store: StoreSettings) -> Account | None:
    """For what its secret is; None for a store that has none. Raises LocationError."""
    return account_at(store.name, store.location, store.options, store.store_id)


def account_at(
    name: str, location: str, options: Mapping[str, str], store_id: str = ""
) -> Account | None:
    """As `account_of`, before there are settings."""
    kind = parse_location(location).kind
    if kind == DIRECTORY:
        return None
    key = options.get("key")
    if kind == SFTP and key:
        return Account(name, f"the key {key}", "passphrase", store_id)
    scheme, _, rest = location.partition("://")
    server = f"{scheme.lower()}://{rest.partition('/')[0]}"
    if kind == "s3":
        endpoint, key_id = options.get("endpoint", ""), options.get("key_id", "")
        words = " at ".join(filter(None, (key_id or server, endpoint)))
        return Account(name, words, "secret key", store_id)
    return Account(name, server, store_id=store_id)


class StoreSecret:
    """What a store calls when its server wants a secret; may block."""

    def __init__(self, credentials: GetCredentials, account: Account) -> None:
        self._credentials = credentials
        self.account = account

    def __repr__(self) -> str:
        return f"StoreSecret({self.account.store!r})"

    def __call__(self) -> str:
        """Raises SecretMissingError."""
        found = self._credentials().find(self.account)
        if found.secret is None:
            raise SecretMissingError(self.account, found.trouble)
        return found.secret


def secret_for(
    credentials: GetCredentials, name: str, location: str, options: Mapping[str, str], store_id: str
) -> Secret:
    """What gives the secret of a store. Raises LocationError."""
    account = account_at(name, location, options, store_id)
    return no_secret if account is None else StoreSecret(credentials, account)


def waits_for_file(credentials: "Credentials", stores: Iterable[StoreSettings]) -> bool:
    """Whether the secret of one of `stores` may be in the file of secrets, which is not open."""
    accounts = map(_account_or_none, stores)
    found = [credentials.find(each).trouble for each in accounts if each is not None]
    return Trouble.SEALED in found


def _account_or_none(store: StoreSettings) -> Account | None:
    try:
        return account_of(store)
    except LocationError:
        return None


def note_refused(
    credentials: GetCredentials, store: StoreSettings, error: CredentialsError
) -> None:
    """The server did not take the secret of `store`; the next time it is read anew."""
    account = account_of(store)
    if account is not None and not isinstance(error, SecretMissingError):
        credentials().refused(account)


@contextmanager
def given(
    credentials: GetCredentials, account: Account | None, secret: str | None
) -> Iterator[None]:
    """Inside, and after it has ended well, `secret` is the one of `account`; None: nothing changes.
    Raises UsageError for a secret of a store that has none."""
    if secret is None:
        yield
        return
    if account is None:
        raise UsageError("this kind of store has no password", "leave it out")
    vault = credentials()
    before = vault.given(account)
    vault.give(account, secret)
    try:
        yield
    except BaseException:
        vault.take_back(account)
        if before is not None:
            vault.give(account, before)
        raise


def keep_given(credentials: GetCredentials, store: StoreSettings) -> "Outcome | None":
    """Keep what was given for `store`; None where nothing was."""
    account = account_of(store)
    return None if account is None else credentials().keep_given(account)


def forget_secret(credentials: GetCredentials, store: StoreSettings) -> Trouble | None:
    """See `Credentials.forget`."""
    account = account_of(store)
    return None if account is None else credentials().forget(account)


def copy_secret(credentials: GetCredentials, before: StoreSettings, after: StoreSettings) -> None:
    """Keep for `after` what is kept for `before`, where both are the same login: the place of a
    store, or its name, went to another one on the same server."""
    old, new = account_of(before), account_of(after)
    if old is None or new is None or old.what != new.what:
        return
    vault = credentials()
    secret = vault.find(old).secret
    if secret is None or vault.in_environment(old.store) == secret:
        return
    in_memory = vault.given(old) is not None
    vault.give(new, secret)
    if not in_memory:
        vault.keep_given(new)


def forget_replaced(credentials: GetCredentials, before: StoreSettings) -> None:
    """After `copy_secret`: what is kept for the store that was there before."""
    account = account_of(before)
    if account is not None:
        credentials().remove(account.key)
