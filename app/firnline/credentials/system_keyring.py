"""The keyring of the system: Secret Service (GNOME, KDE, KeePassXC), Windows, macOS.

The edge of the library `keyring`, which is imported when a secret is first asked for. Only what
keeps secrets sealed is used: no plugin, no file in plain text, no choice that an environment
variable or a file of settings makes. Every call has a deadline: a keyring that is locked may wait
for a person.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from firnline.credentials.answering import Answering
from firnline.credentials.errors import ShelfError, Trouble

SERVICE = "Firnline"
"""Under which people see the entries in their keyring."""
PATIENCE = 20.0
"""Seconds for an answer; a person may have to type a password meanwhile."""
WITHOUT_SCREEN = 5.0
"""Seconds where nobody can be asked: an answer takes milliseconds."""


class Backend(Protocol):
    """What is used of a backend of `keyring`."""

    def get_password(self, service: str, username: str, /) -> str | None: ...
    def set_password(self, service: str, username: str, password: str, /) -> None: ...
    def delete_password(self, service: str, username: str, /) -> None: ...


def system_backend() -> Backend:
    """The one of this system. Raises RuntimeError, as `keyring` does, where it cannot be used."""
    if sys.platform == "win32":
        from keyring.backends.Windows import WinVaultKeyring as Found
    elif sys.platform == "darwin":
        from keyring.backends.macOS import Keyring as Found
    elif not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        # Asked first: a server without a session does not load the library at all.
        raise RuntimeError("no D-Bus session")
    else:
        from firnline.credentials.secret_service import Keyring as Found
    # Reading it asks the system whether there is such a keyring.
    _ = Found.priority
    make: Callable[[], Backend] = Found
    return make()


def _patience(environment: Mapping[str, str]) -> float:
    if sys.platform in ("win32", "darwin"):
        return PATIENCE
    has_screen = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return PATIENCE if has_screen else WITHOUT_SCREEN


class SystemKeyring:
    """Secrets by key, in the keyring of whoever runs the program. From any thread."""

    def __init__(
        self,
        profile: str,
        monotonic: Callable[[], float],
        backend: Callable[[], Backend] = system_backend,
        patience: float | None = None,
    ) -> None:
        """`profile` tells apart the devices that are played on one computer. `patience`: None for
        that of this session."""
        self._profile = profile
        self._backend = backend
        seconds = _patience(os.environ) if patience is None else patience
        self._answering = Answering(seconds, monotonic)

    def get(self, key: str) -> str | None:
        """Raises ShelfError."""
        name = self._name(key)
        found = self._ask(("get", name), lambda keyring: keyring.get_password(SERVICE, name))
        return found if isinstance(found, str) else None

    def put(self, key: str, secret: str) -> None:
        """Raises ShelfError."""
        name = self._name(key)
        question = ("put", name, secret)
        self._ask(question, lambda keyring: keyring.set_password(SERVICE, name, secret))

    def remove(self, key: str) -> None:
        """One that is not there is removed already. Raises ShelfError."""
        name = self._name(key)

        def work(keyring: Backend) -> None:
            if keyring.get_password(SERVICE, name) is not None:
                keyring.delete_password(SERVICE, name)

        self._ask(("remove", name), work)

    def _name(self, key: str) -> str:
        return f"{key[:-1]}, profile {self._profile})"

    def _ask(self, question: object, work: Callable[[Backend], object]) -> object:
        def call() -> object:
            try:
                keyring = self._backend()
            except (RuntimeError, ImportError) as error:
                raise ShelfError(Trouble.NO_KEYRING, str(error)) from error
            return work(keyring)

        try:
            return self._answering.ask(question, call)
        except ShelfError:
            raise
        except Exception as error:
            raise ShelfError(_trouble(error), type(error).__name__) from error


def _trouble(error: Exception) -> Trouble:
    """The library lets through what lies below it: errors of D-Bus, of sockets, of Windows."""
    from keyring.errors import InitError, KeyringLocked, NoKeyringError

    kinds: tuple[tuple[Any, Trouble], ...] = (
        (KeyringLocked, Trouble.LOCKED),
        (InitError, Trouble.LOCKED),
        (NoKeyringError, Trouble.NO_KEYRING),
    )
    for kind, trouble in kinds:
        if isinstance(error, kind):
            return trouble
    return Trouble.BROKEN
