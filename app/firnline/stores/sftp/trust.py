"""Which host key is the right one.

In this order, and the first that is there decides: the fingerprint that the user confirmed (the
store's option `fingerprint`), the file of the option `known_hosts`, the user's own
`~/.ssh/known_hosts`. A key that does not fit is refused before anything is sent (docs/design.md
section 10, *A store is never trusted*).
"""

from pathlib import Path
from typing import Any

import asyncssh

from firnline.stores.errors import DeniedError, UntrustedError
from firnline.stores.sftp.address import PORT, SftpAddress

_PLAIN = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""In a fixed order, so that a server shows the same one of its keys every time."""
_NOTHING: tuple[list[str], list[str], list[str]] = ([], [], [])
"""For asyncssh: no key is trusted. An empty text would mean the user's own file."""


class Trust:
    """What is trusted of one server."""

    def __init__(self, address: SftpAddress, fingerprint: str | None, known_hosts: str | None):
        """Raises DeniedError when the file of known hosts cannot be used."""
        self._address = address
        self._pinned = _canonical(fingerprint) if fingerprint else None
        self._hosts = None if self._pinned else _load(known_hosts)
        self._refused: str | None = None

    def options(self) -> dict[str, Any]:
        """For `asyncssh.connect`."""
        if self._known_keys() or self._known_authorities():
            return {"known_hosts": self._hosts}
        return {"known_hosts": _NOTHING, "server_host_key_algs": list(_PLAIN)}

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        """Whether a key that is in no file is the pinned one."""
        seen = key.get_fingerprint()
        if seen == self._pinned:
            return True
        self._refused = seen
        return False

    def refusal(self) -> UntrustedError | None:
        """Why the key of the last attempt was refused; None when it was not."""
        if self._refused is None:
            return None
        known = self._pinned or next((key.get_fingerprint() for key in self._known_keys()), None)
        return UntrustedError(self._address.server, self._refused, known)

    def _known_keys(self) -> list[asyncssh.SSHKey]:
        return list(self._match()[0])

    def _known_authorities(self) -> list[Any]:
        return list(self._match()[1])

    def _match(self) -> Any:
        if self._hosts is None:
            return _NOTHING
        port = None if self._address.port == PORT else self._address.port
        return self._hosts.match(self._address.host, "", port)


def _canonical(fingerprint: str) -> str:
    """As asyncssh and ssh-keygen write it."""
    text = fingerprint.strip().rstrip("=")
    prefix, colon, value = text.partition(":")
    return f"SHA256:{value}" if colon and prefix.upper() == "SHA256" else f"SHA256:{text}"


def _load(named: str | None) -> asyncssh.SSHKnownHosts | None:
    path = Path(named).expanduser() if named else Path("~/.ssh/known_hosts").expanduser()
    try:
        if not named and not path.is_file():
            return None
        return asyncssh.read_known_hosts(str(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DeniedError("", f"known hosts in {path}: {reason}") from error
