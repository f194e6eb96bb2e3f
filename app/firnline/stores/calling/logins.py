"""Whether a store may be shown its credentials once more: servers lock accounts.

A set of credentials is the store's settings, its secret and its key. What a store refused is
remembered, also when the program ends; after `MOST` refusals of one set, or one that the server
called definite, the store is not asked before the set is another one. Of the secret itself nothing
is kept but sixteen bits of a salted, slow hash: enough to see that it changed, and too little to
find it.
"""

import hashlib
import os
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple, Protocol

from firnline.stores.errors import CredentialsError, SpentError

MOST = 3
"""Times that one set of credentials is shown to a server which refuses it."""
_MARK = 2
"""Bytes."""


class Refused(NamedTuple):
    """What is remembered of a set of credentials that was refused."""

    times: int
    salt: str
    """Hexadecimal."""
    mark: str
    """Of the set, with that salt; hexadecimal."""
    detail: str
    """What the server, or its library, said last."""

    @property
    def is_spent(self) -> bool:
        """Not to be shown once more."""
        return self.times >= MOST


class Memory(Protocol):
    """Where the refusals of one store are kept."""

    def load(self) -> Refused | None: ...

    def save(self, refused: Refused | None) -> None:
        """What cannot be kept is forgotten; raises nothing."""
        ...


class Forgetful:
    """Keeps it as long as the object lives."""

    def __init__(self) -> None:
        self._refused: Refused | None = None

    def load(self) -> Refused | None:
        return self._refused

    def save(self, refused: Refused | None) -> None:
        self._refused = refused


def mark_of(salt: str, credentials: str) -> str:
    """Of a set of credentials."""
    hashed = hashlib.scrypt(
        credentials.encode("utf-8", "surrogateescape"),
        salt=bytes.fromhex(salt),
        n=2**14,
        r=8,
        p=1,
        dklen=_MARK,
    )
    return hashed.hex()


class Logins:
    """Counts what one store refuses. From any thread."""

    def __init__(self, memory: Memory, credentials: Callable[[], str]) -> None:
        """`credentials`: the whole set, as text; asked only after a refusal, and may block."""
        self._memory = memory
        self._credentials = credentials
        self._lock = Lock()
        self._spent: str | None = None

    def look(self) -> None:
        """Before a connection. Raises SpentError for credentials that were refused too often."""
        with self._lock:
            known = self._memory.load()
            spent = known is not None and known.is_spent and self._is_same(known)
            self._spent = known.detail if spent and known else None
        self.check()

    def check(self) -> None:
        """Before a call. Raises SpentError."""
        if self._spent is not None:
            raise SpentError("", self._spent)

    def _is_same(self, known: Refused) -> bool:
        return mark_of(known.salt, self._credentials()) == known.mark

    def refused(self, error: CredentialsError) -> None:
        """The store does not take them. What was not sent to it costs no try."""
        if not error.sent:
            return
        with self._lock:
            known = self._memory.load()
            if known is None or not self._is_same(known):
                salt = os.urandom(16).hex()
                known = Refused(0, salt, mark_of(salt, self._credentials()), "")
            times = MOST if error.definite else known.times + 1
            known = known._replace(times=times, detail=error.detail)
            self._memory.save(known)
            if known.is_spent:
                self._spent = known.detail

    def accepted(self) -> None:
        """They are good."""
        with self._lock:
            if self._memory.load() is not None:
                self._memory.save(None)
