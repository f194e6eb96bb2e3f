"""The Secret Service, as `keyring` has it, without a connection left open where it is locked.

Imported only where a session has a D-Bus.
"""

from contextlib import ExitStack, closing
from typing import Any

import secretstorage
from keyring.backends import SecretService
from keyring.errors import InitError, KeyringLocked
from secretstorage.exceptions import SecretStorageException


class Keyring(SecretService.Keyring):
    """See the module. A process that runs for months asks a locked keyring now and then."""

    def get_preferred_collection(self) -> Any:
        """The user's default collection, unlocked; its connection is the caller's to close. Raises
        KeyringError."""
        with ExitStack() as connections:
            bus = connections.enter_context(closing(secretstorage.dbus_init()))
            try:
                collection = secretstorage.get_default_collection(bus)
            except SecretStorageException as error:
                raise InitError("there is no default collection") from error
            if collection.is_locked():
                # Asks the person at the screen, if there is one, and waits.
                collection.unlock()
                if collection.is_locked():
                    raise KeyringLocked("nobody unlocked it")
            connections.pop_all()
            return collection
