"""For what a secret is. Pure."""

from typing import NamedTuple

SECRET_VARIABLE = "FIRNLINE_SECRET_"
"""How the names of environment variables begin that hold a store's secret."""


class Account(NamedTuple):
    """Where somebody logs in, and by what. Nothing in it is secret.

    A secret belongs to `what`: it is never looked up for another server, another user or another
    key, whatever the settings say later (SECURITY: credentials are bound to scheme, host, port).
    """

    store: str
    """The name of the store on this device."""
    what: str
    """The server with its user, or the file of the key; as people write it."""
    noun: str = "password"
    """What kind of secret it is, for people."""
    store_id: str = ""
    """The STOREHASH; '' while it is not known yet, and then nothing is kept."""

    @property
    def key(self) -> str:
        """Under which it is kept. A store that is called otherwise keeps its secret."""
        return f"{self.what} (store {self.store_id})"

    @property
    def words(self) -> str:
        """As in *the password for sftp://me@nas*."""
        return f"{self.noun} for {self.what}"


def variable_of(store: str) -> str:
    """The environment variable with the secret of a store: its name in capitals, with `_` for
    whatever is neither letter nor digit."""
    return SECRET_VARIABLE + "".join(
        letter if letter.isalnum() else "_" for letter in store.upper()
    )
