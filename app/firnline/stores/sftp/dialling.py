"""From an address to an SFTP session: host key, login, subsystem.

The host key is checked before the user is told about. The secret is asked for only when the server
wants one, and sent once: who is refused is not locked out by us.
"""

import getpass
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh

from firnline.stores.errors import CredentialsError, StoreError
from firnline.stores.own_thread import on_own_thread
from firnline.stores.sftp.address import SftpAddress
from firnline.stores.sftp.faults import store_error
from firnline.stores.sftp.trust import Trust
from firnline.stores.sftp.wire import Wire

CONNECT = 30.0
"""Seconds for the connection and the login, each."""
_ALIVE = 15.0
"""Seconds of silence after which the server is asked whether it is there; three times."""
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
"""The quickest first."""
Secret = Callable[[], str | None]
"""Gives the password, or the passphrase of the key; None: there is none. May block. Raises
CredentialsError where it says itself why there is none."""


class Login(NamedTuple):
    """How the user shows who they are."""

    secret: Secret
    key: str | None = None
    """A file with a private key; the secret is its passphrase then."""
    agent: bool = True
    """Whether keys of a running agent are offered."""


class _Client(asyncssh.SSHClient):
    """Answers what the server asks during the login."""

    def __init__(self, trust: Trust, login: Login) -> None:
        self._trust = trust
        self._login = login
        self._asked = False
        self.wanted = False
        """The server wanted a secret, and there was none."""
        self.missing: CredentialsError | None = None
        """Why there was none."""

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        return self._trust.accepts(key)

    async def password_auth_requested(self) -> str | None:
        return await self._secret()

    def kbdint_auth_requested(self) -> str | None:
        return None if self._asked or self._login.key else ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Any
    ) -> list[str] | None:
        if not prompts:
            return []
        secret = await self._secret() if len(prompts) == 1 else None
        return None if secret is None else [secret]

    async def _secret(self) -> str | None:
        if self._asked or self._login.key:
            return None
        self._asked = True
        try:
            secret = await on_own_thread(self._login.secret)
        except CredentialsError as error:
            # To asyncssh it would be a mistake of ours.
            self.missing = error
            return None
        self.wanted = secret is None
        return secret


async def dial(address: SftpAddress, trust: Trust, login: Login) -> Wire:
    """A session with the server. Raises StoreError."""
    client = _Client(trust, login)
    try:
        options = {**trust.options(), **await _keys(login)}
        connection = await asyncssh.connect(
            address.host,
            address.port,
            username=address.user or getpass.getuser(),
            client_factory=lambda: client,
            config=None,
            compression_algs=None,
            encryption_algs=list(_CIPHERS),
            gss_host=None,
            x509_trusted_certs=None,
            connect_timeout=CONNECT,
            login_timeout=CONNECT,
            keepalive_interval=_ALIVE,
            **options,
        )
    except StoreError:
        raise
    except (asyncssh.Error, OSError, EOFError, ValueError) as error:
        raise trust.refusal() or _login_error(error, address, login, client) from error
    try:
        return Wire(connection, await connection.start_sftp_client())
    except (asyncssh.Error, OSError, EOFError) as error:
        connection.abort()
        raise store_error(error, "") from error


def _login_error(
    error: Exception, address: SftpAddress, login: Login, client: _Client
) -> StoreError:
    if not isinstance(error, asyncssh.PermissionDenied):
        return store_error(error, "")
    if client.missing is not None:
        return client.missing
    user = address.user or getpass.getuser()
    if client.wanted:
        return CredentialsError("", f"{address.server} asks for a password of {user}", sent=False)
    what = "this key" if login.key else "the password or keys"
    return CredentialsError("", f"{address.server} does not accept {what} of {user}")


async def _keys(login: Login) -> dict[str, Any]:
    """The keys to offer, for `asyncssh.connect`."""
    agent = os.environ.get("SSH_AUTH_SOCK") if login.agent else None
    if login.key is None:
        return {"agent_path": agent} if agent else {"agent_path": None}
    key = await on_own_thread(partial(_private_key, login.key, login.secret))
    return {"agent_path": None, "client_keys": [key]}


def _private_key(file: str, secret: Secret) -> asyncssh.SSHKey:
    """Raises CredentialsError."""
    path = Path(file).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CredentialsError("", f"the key {path}: {error.strerror}", sent=False) from error
    try:
        return asyncssh.import_private_key(data)
    except asyncssh.KeyImportError:
        pass  # sealed with a passphrase, or no key at all: the second attempt tells
    passphrase = secret()
    if passphrase is None:
        raise CredentialsError("", f"the key {path} asks for its passphrase", sent=False)
    try:
        return asyncssh.import_private_key(data, passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise CredentialsError("", f"the key {path}: {error}", sent=False) from error
