"""Where the secret of a store is looked for, and where it is kept: the order of fallbacks.

Looked for:  what was given in this process; the environment (FIRNLINE_SECRET_NAME); the keyring of
             the system; the file that a passphrase seals, where there is one and it was opened.
Kept:        in the keyring; else in that file, where it was opened; else in memory, until this
             process ends. Plain text never.

Nothing here asks a person: who may ask does so, and gives the answer with `give` or `open_file`.
What was read from the keyring stays in memory, so that a keyring that goes away takes nothing from
a process that runs; what a server refused is read anew. Every secret that comes by is told to
`learn`, before anything else is done with it: so the log knows what it must not say.
"""

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from firnline.credentials.account import Account, variable_of
from firnline.credentials.errors import ShelfError, Trouble
from firnline.credentials.sealed_file import SealedFile


class Shelf(Protocol):
    """A place that keeps secrets."""

    def get(self, key: str) -> str | None: ...
    def put(self, key: str, secret: str) -> None: ...
    def remove(self, key: str) -> None: ...


class Kept(StrEnum):
    """Where a secret is from now on."""

    KEYRING = "keyring"
    FILE = "file"
    MEMORY = "memory"


class Found(NamedTuple):
    """The answer to a search. `secret` is None where there is none; then `trouble` says why."""

    secret: str | None
    trouble: Trouble

    def __repr__(self) -> str:
        return f"Found({'***' if self.secret is not None else None}, {self.trouble!r})"


class Outcome(NamedTuple):
    """What became of a secret that was to be kept or forgotten."""

    kept: Kept
    trouble: Trouble | None
    """Why not in the keyring; None where it is."""


class Credentials:
    """The secrets of one profile, for one process. From any thread."""

    def __init__(
        self,
        keyring: Shelf,
        file: SealedFile,
        *,
        environment: Mapping[str, str],
        learn: Callable[[str], None],
    ) -> None:
        self.file = file
        self._keyring = keyring
        self._environment = environment
        self._learn = learn
        self._lock = threading.Lock()
        self._given: dict[tuple[str, str], tuple[Account, str]] = {}
        """By store and what the secret is for: what a person gave here, and is kept nowhere."""
        self._read: dict[str, str] = {}
        """By key: what the keyring or the file said."""

    def __repr__(self) -> str:
        return "Credentials()"

    # --- to be had ------------------------------------------------------------------------------

    def find(self, account: Account) -> Found:
        """May take as long as the keyring's patience; raises nothing."""
        found = self.given(account)
        if found is None:
            found = self.in_environment(account.store)
        if found is None:
            found = self._read.get(account.key)
        if found is not None:
            return Found(found, Trouble.UNKNOWN)
        if not account.store_id:
            return Found(None, Trouble.UNKNOWN)
        return self._from_shelves(account.key)

    def in_environment(self, store: str) -> str | None:
        """What the environment of this process has for that store; an empty one counts as none."""
        found = self._environment.get(variable_of(store)) or None
        if found is not None:
            self._learn(found)
        return found

    def _from_shelves(self, key: str) -> Found:
        trouble = Trouble.UNKNOWN
        shelves: list[Shelf] = [self._keyring, self.file] if self.file.exists() else [self._keyring]
        for shelf in shelves:
            try:
                found = shelf.get(key)
            except ShelfError as error:
                # The file, where there is one, is what is used in place of a keyring.
                trouble = error.trouble
                continue
            if found is not None:
                self._learn(found)
                with self._lock:
                    self._read[key] = found
                return Found(found, Trouble.UNKNOWN)
            if shelf is self.file and trouble is Trouble.NO_KEYRING:
                # Nothing is missing but the secret.
                trouble = Trouble.UNKNOWN
        return Found(None, trouble)

    # --- given, kept, forgotten -----------------------------------------------------------------

    def give(self, account: Account, secret: str) -> None:
        """From now on, in this process, before all that is kept."""
        self._learn(secret)
        with self._lock:
            self._given[_place(account)] = account, secret

    def take_back(self, account: Account) -> None:
        """As if it had not been given."""
        with self._lock:
            self._given.pop(_place(account), None)

    def given(self, account: Account) -> str | None:
        """What was given in this process and is kept nowhere else."""
        found = self._given.get(_place(account))
        return None if found is None else found[1]

    def keep_given(self, account: Account) -> Outcome | None:
        """Keep what was given; None where nothing was. Raises nothing: what can be kept nowhere
        stays in memory."""
        secret = self.given(account)
        if secret is None:
            return None
        outcome = self._keep(account.key, secret)
        if outcome.kept is Kept.MEMORY:
            # With its STOREHASH, for `keep_all`.
            self.give(account, secret)
            return outcome
        with self._lock:
            self._read[account.key] = secret
        self.take_back(account)
        return outcome

    def keep_all(self) -> int:
        """Keep everything that is only in memory; how many it was."""
        waiting = [account for account, _ in self._given.values() if account.store_id]
        kept = map(self.keep_given, waiting)
        return sum(outcome is not None and outcome.kept is not Kept.MEMORY for outcome in kept)

    def _keep(self, key: str, secret: str) -> Outcome:
        try:
            self._keyring.put(key, secret)
            return Outcome(Kept.KEYRING, None)
        except ShelfError as error:
            why = error.trouble
        if self.file.exists():
            try:
                self.file.put(key, secret)
                return Outcome(Kept.FILE, why)
            except ShelfError as error:
                return Outcome(Kept.MEMORY, error.trouble)
        return Outcome(Kept.MEMORY, why)

    def forget(self, account: Account) -> Trouble | None:
        """Remove it wherever it is kept. The trouble of a place that may still have it; None where
        there is none."""
        self.take_back(account)
        return self.remove(account.key)

    def remove(self, key: str) -> Trouble | None:
        """As `forget`, without what was given in this process."""
        with self._lock:
            self._read.pop(key, None)
        left: Trouble | None = None
        for shelf in (self._keyring, self.file) if self.file.exists() else (self._keyring,):
            try:
                shelf.remove(key)
            except ShelfError as error:
                if error.trouble is not Trouble.NO_KEYRING:
                    left = error.trouble
        return left

    def refused(self, account: Account) -> None:
        """The server did not take it: it may have been changed where it is kept."""
        with self._lock:
            self._read.pop(account.key, None)

    # --- the file -------------------------------------------------------------------------------

    def open_file(self, passphrase: str) -> None:
        """Raises ShelfError; WrongPassphraseError for another passphrase than the file's."""
        self._learn(passphrase)
        self.file.open(passphrase)

    def create_file(self, passphrase: str) -> None:
        """Where there is none yet. Raises ShelfError."""
        self._learn(passphrase)
        self.file.create(passphrase)


class _NoKeyring:
    """Keeps nothing."""

    def get(self, key: str) -> str | None:
        raise ShelfError(Trouble.NO_KEYRING)

    def put(self, key: str, secret: str) -> None:
        raise ShelfError(Trouble.NO_KEYRING)

    def remove(self, key: str) -> None:
        raise ShelfError(Trouble.NO_KEYRING)


def nothing_kept() -> Credentials:
    """A profile without secrets, and without places for them."""
    return Credentials(_NoKeyring(), SealedFile(Path()), environment={}, learn=lambda secret: None)


def _place(account: Account) -> tuple[str, str]:
    return account.store, account.what
