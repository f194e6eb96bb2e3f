"""What can go wrong with the places where secrets are kept.

    ShelfError                 `trouble` says what it is, `detail` what the system said
    └── WrongPassphraseError   the file of secrets was sealed with another one

No message of theirs has a secret in it.
"""

from enum import StrEnum


class Trouble(StrEnum):
    """Why a secret cannot be had, or kept."""

    UNKNOWN = "unknown"
    """Everything was asked, and nobody has it."""
    NO_KEYRING = "no keyring"
    """This session has none, and no other place is in use."""
    LOCKED = "locked"
    """The keyring is, and nobody unlocked it."""
    SILENT = "silent"
    """The keyring gives no answer; it may be asking somebody."""
    BROKEN = "broken"
    """The keyring failed."""
    SEALED = "sealed"
    """The file of secrets was not opened in this process."""
    DAMAGED = "damaged"
    """The file of secrets cannot be read, or is none."""


class ShelfError(Exception):
    """A place for secrets that cannot be used now."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(trouble, detail)
        self.trouble = trouble
        self.detail = detail

    def __str__(self) -> str:
        return self.detail or str(self.trouble)


class WrongPassphraseError(ShelfError):
    """Not the passphrase that the file of secrets was sealed with."""

    def __init__(self) -> None:
        super().__init__(Trouble.SEALED, "this is not its passphrase")
