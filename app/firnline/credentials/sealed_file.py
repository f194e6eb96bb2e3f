"""A file with secrets, sealed with a passphrase: for computers without a keyring.

The format, version 1: one JSON object with `format`, `salt`, `check`, `nonce` and `sealed`, bytes
in base64. scrypt makes 64 bytes of the passphrase and the salt. The first half is the key of
AES-256-GCM, which seals a JSON object from account to secret, filled up with spaces to a multiple
of 1,024 bytes, so that its length tells little. The second half is `check`: it tells a wrong
passphrase from a file that was damaged, and no more than the seal itself would tell to somebody who
guesses. What scrypt is given belongs to the version and is never read from the file: a forged file
cannot ask for more memory or for less work.

Promises: what the file holds is whole at every moment (temporary file, fsync, rename); 0600 from
its first moment on; a link in its place is refused. The passphrase is not kept, only what scrypt
makes of it, and only in memory.
"""

import json
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from firnline.core.steps import Steps, no_steps
from firnline.credentials.errors import ShelfError, Trouble, WrongPassphraseError

FORMAT = 1
_SCRYPT = {"n": 1 << 16, "r": 8, "p": 2}
"""64 MiB and about half a second."""
_MOST_BYTES = 1 << 20
_FILLED_TO = 1024
_SALT, _NONCE, _HALF = 16, 12, 32
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)


class _Envelope(NamedTuple):
    """What the file says in clear."""

    salt: bytes
    check: bytes
    nonce: bytes
    sealed: bytes


class SealedFile:
    """Secrets by key, in a file. From any thread; one process at a time writes."""

    def __init__(
        self, path: Path, random: Callable[[int], bytes] = os.urandom, steps: Steps = no_steps
    ) -> None:
        self.path = path
        self._random = random
        self._steps = steps
        self._lock = threading.Lock()
        self._opened: tuple[bytes, bytes] | None = None
        """Salt, and what scrypt made of it and the passphrase."""

    def exists(self) -> bool:
        """Whether there is such a file; what it holds may be no good."""
        return self.path != Path() and os.path.lexists(self.path)

    @property
    def is_open(self) -> bool:
        """The passphrase was given in this process."""
        return self._opened is not None

    def open(self, passphrase: str) -> None:
        """Raises WrongPassphraseError, and ShelfError when the file cannot be read."""
        with self._lock:
            envelope = self._read()
            derived = _derive(passphrase, envelope.salt)
            if derived[_HALF:] != envelope.check:
                raise WrongPassphraseError
            self._secrets(envelope, derived)
            self._opened = envelope.salt, derived

    def create(self, passphrase: str) -> None:
        """A new file without secrets, opened. Raises ShelfError when it cannot be written; the
        caller has seen that there is none."""
        with self._lock:
            salt = self._random(_SALT)
            self._opened = salt, _derive(passphrase, salt)
            self._write({})

    def get(self, key: str) -> str | None:
        """Raises ShelfError: not opened, or it cannot be read."""
        with self._lock:
            return self._all().get(key)

    def put(self, key: str, secret: str) -> None:
        """Raises ShelfError as `get` does, and where it cannot be written."""
        with self._lock:
            self._write({**self._all(), key: secret})

    def remove(self, key: str) -> None:
        """One that is not there is removed already. Raises ShelfError as `put` does."""
        with self._lock:
            found = self._all()
            if found.pop(key, None) is not None:
                self._write(found)

    # --- with the lock held ---------------------------------------------------------------------

    def _all(self) -> dict[str, str]:
        if self._opened is None:
            raise ShelfError(Trouble.SEALED)
        salt, derived = self._opened
        envelope = self._read()
        if envelope.salt != salt:
            # Somebody made it anew, with another passphrase.
            self._opened = None
            raise ShelfError(Trouble.SEALED)
        return self._secrets(envelope, derived)

    def _read(self) -> _Envelope:
        try:
            with open(self.path, "rb", opener=_private) as file:
                content = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise ShelfError(Trouble.DAMAGED, f"{self.path}: {error.strerror}") from error
        try:
            value: Any = json.loads(content) if len(content) <= _MOST_BYTES else None
            if value["format"] != FORMAT:
                raise ShelfError(Trouble.DAMAGED, f"{self.path}: of a newer Firnline")
            return _Envelope(*(b64decode(value[each], validate=True) for each in _Envelope._fields))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ShelfError(Trouble.DAMAGED, f"{self.path}: no file of secrets") from error

    def _secrets(self, envelope: _Envelope, derived: bytes) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            text = AESGCM(derived[:_HALF]).decrypt(
                envelope.nonce, envelope.sealed, _bound(envelope)
            )
            found = json.loads(text)
        except (InvalidTag, ValueError) as error:
            raise ShelfError(Trouble.DAMAGED, f"{self.path}: damaged") from error
        return {str(key): str(secret) for key, secret in found.items()}

    def _write(self, secrets: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        assert self._opened is not None
        salt, derived = self._opened
        text = json.dumps(secrets).encode()
        text += b" " * (-len(text) % _FILLED_TO)
        envelope = _Envelope(salt, derived[_HALF:], self._random(_NONCE), b"")
        sealed = AESGCM(derived[:_HALF]).encrypt(envelope.nonce, text, _bound(envelope))
        parts = envelope._replace(sealed=sealed)._asdict()
        value: dict[str, Any] = {"format": FORMAT}
        value |= {name: b64encode(part).decode() for name, part in parts.items()}
        try:
            self._replace(json.dumps(value, indent=1).encode())
        except OSError as error:
            raise ShelfError(Trouble.DAMAGED, f"{self.path}: {error.strerror}") from error

    def _replace(self, content: bytes) -> None:
        directory = self.path.parent
        temporary = directory / f"{self.path.name}.{self._random(8).hex()}"
        self._steps("secrets.write")
        try:
            with open(temporary, "xb", opener=_private) as file:
                file.write(content)
                file.flush()
                self._steps("secrets.fsync")
                os.fsync(file.fileno())
            self._steps("secrets.rename")
            os.replace(temporary, self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        if os.name != "nt":
            self._steps("secrets.fsync_directory")
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _private(path: str, flags: int) -> int:
    """The `opener` for `open`: 0600 from the beginning, no link, and nothing that makes us wait."""
    return os.open(path, flags | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0), 0o600)


def _derive(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=2 * _HALF, **_SCRYPT).derive(passphrase.encode())


def _bound(envelope: _Envelope) -> bytes:
    """What the seal vouches for beside the secrets."""
    return b"firnline secrets %d" % FORMAT + envelope.salt + envelope.check
