"""Requests to one WebDAV server, over as many connections as it takes: the edge of aiohttp.

Credentials are sent to the server of the location and to nobody else. They go out once a server
has asked for them, and with every request from then on. All coroutines run on the loop's thread.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from firnline.stores.errors import (
    CorruptError,
    CredentialsError,
    DeniedError,
    StoreError,
    UnavailableError,
    UntrustedError,
)
from firnline.stores.own_thread import on_own_thread
from firnline.stores.webdav.address import WebDavAddress
from firnline.stores.webdav.answers import REDIRECTS, failure, next_place
from firnline.stores.webdav.challenge import Proof, choose, is_stale, parse_challenges
from firnline.stores.webdav.fingerprint import show_fingerprint

Secret = Callable[[], str | None]
Body = Callable[[], AsyncIterator[bytes]]
"""Makes the body anew, for each time that it is sent."""
AT_ONCE = 16
"""Connections to one server."""
MOST_REDIRECTS = 5
_SILENCE = 60.0
"""Seconds without a byte after which a connection counts as broken."""
_FAREWELL = 0.1
"""Seconds for the end of a connection that was refused: aiohttp says goodbye and does not wait."""
_REDIRECTED = frozenset({"GET", "PROPFIND"})
Answer = aiohttp.ClientResponse


class Login(NamedTuple):
    """Who asks, and how the server is known."""

    user: str
    secret: Secret
    pinned: bytes | None
    """SHA-256 of the certificate that the user confirmed; None: the system's authorities decide."""


class Connection:
    """See the module."""

    def __init__(self, address: WebDavAddress, login: Login, *, sealed: bool) -> None:
        """`sealed`: a password may be sent as it is."""
        self.address = address
        self._login = login
        self._sealed = sealed
        self._proof: Proof | None = None
        self._proving = asyncio.Lock()
        self._client: aiohttp.ClientSession | None = None
        self.date: datetime | None = None
        """The server's clock, as its last answer told it."""

    def client(self) -> aiohttp.ClientSession:
        if self._client is None:
            pinned = self._login.pinned
            trust = aiohttp.Fingerprint(pinned) if pinned else ssl.create_default_context()
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, ssl=trust),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=_SILENCE / 2, sock_read=_SILENCE
                ),
                auto_decompress=False,
                trust_env=False,
            )
        return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str,
        *,
        expected: frozenset[int],
        headers: Mapping[str, str] | None = None,
        body: tuple[int, Body] | None = None,
        directory: bool = False,
    ) -> AsyncIterator[Answer]:
        """An answer with one of the `expected` statuses; others are raised as StoreErrors.

        What breaks while the answer is read inside the context comes out as StoreError, too.
        """
        url = self.address.url(path, directory=directory)
        async with self.translated(path):
            answer = await self._answer(method, path, url, dict(headers or {}), body)
            async with answer:
                self._note_date(answer)
                if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise CorruptError(path, "the server packed what was to come as it is")
                if answer.status not in expected or _is_page(method, answer):
                    raise failure(answer.status, answer.headers, path)
                yield answer

    async def _answer(
        self,
        method: str,
        path: str,
        url: str,
        headers: dict[str, str],
        body: tuple[int, Body] | None,
    ) -> Answer:
        """After what the server asked for: credentials, and another place on the same server."""
        attempts = redirects = 0
        while True:
            proof = self._proof
            answer = await self._send(method, url, headers, body, proof)
            if answer.status == 401 and attempts < 2:
                attempts += 1
                await self._prove(answer, proof)
            elif answer.status in REDIRECTS and redirects < MOST_REDIRECTS:
                redirects += 1
                answer.close()
                url = next_place(answer.status, answer.headers, url, path)
                if method not in _REDIRECTED:
                    raise DeniedError(path, f"the server sends writes elsewhere ({answer.status})")
            else:
                return answer

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: tuple[int, Body] | None,
        proof: Proof | None,
    ) -> Answer:
        target = URL(url, encoded=True)
        sent = {"Accept-Encoding": "identity", "User-Agent": "Firnline", **headers}
        if proof is not None:
            sent["Authorization"] = proof.header(method, target.raw_path_qs)
        data: AsyncIterator[bytes] | None = None
        if body is not None:
            # Always: some servers make an empty file of a body whose length is not told.
            sent["Content-Length"] = str(body[0])
            data = body[1]() if body[0] else None
        return await self.client().request(
            method, target, headers=sent, data=data, allow_redirects=False
        )

    async def _prove(self, answer: Answer, tried: Proof | None) -> None:
        """Make ready what the server asks for. Raises CredentialsError."""
        answer.close()
        async with self._proving:
            if self._proof is not tried:
                return  # another request has done it meanwhile
            challenges = parse_challenges(answer.headers.getall("WWW-Authenticate", []))
            if tried is not None and not is_stale(challenges):
                self._proof = None
                raise CredentialsError("", "the server does not take this user and password (401)")
            password = await on_own_thread(self._login.secret)
            if password is None:
                raise CredentialsError(
                    "", "the server asks for a password, and none is known", sent=False
                )
            self._proof = choose(
                challenges, self._login.user, password, os.urandom, sealed=self._sealed
            )
            if self._proof is None:
                raise CredentialsError(
                    "", "the server offers no way to log in that is known and safe here", sent=False
                )

    def _note_date(self, answer: Answer) -> None:
        try:
            date = parsedate_to_datetime(answer.headers.get("Date", ""))
            self.date = date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            return

    @asynccontextmanager
    async def translated(self, path: str) -> AsyncIterator[None]:
        """What aiohttp and the network say inside comes out as a StoreError about `path`."""
        try:
            yield
        except aiohttp.ServerFingerprintMismatch as error:
            known = show_fingerprint(error.expected)
            await asyncio.sleep(_FAREWELL)
            raise UntrustedError(self.address.server, show_fingerprint(error.got), known) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise await self._unknown(error) from error
        except aiohttp.ClientSSLError as error:
            raise DeniedError("", f"no safe connection: {error}") from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise UnavailableError(path, _reason(error)) from error

    async def _unknown(self, error: aiohttp.ClientConnectorCertificateError) -> StoreError:
        """A certificate that no authority of the system vouches for: with its fingerprint, so that
        the user can say whether it is the right one. Nothing is sent to the server."""
        try:
            seen = await asyncio.wait_for(_look_at(self.address.host, self.address.port), 20)
        except (OSError, TimeoutError) as failed:
            return UnavailableError("", _reason(failed))
        found = UntrustedError(self.address.server, show_fingerprint(seen), None)
        found.detail += f" ({error.certificate_error})"
        return found


def _is_page(method: str, answer: Answer) -> bool:
    """A login page says 200 to everything; servers that say it to who writes say no more."""
    says_much = answer.content_type == "text/html" and answer.content_length != 0
    return answer.status == 200 and method not in _REDIRECTED and says_much


async def _look_at(host: str, port: int) -> bytes:
    """SHA-256 of the certificate that a server shows."""
    import hashlib

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        shown: Any = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return hashlib.sha256(shown).digest()
    finally:
        writer.transport.abort()


def _reason(error: Exception) -> str:
    text = str(error) if not isinstance(error, OSError) else (error.strerror or str(error))
    return text[:300] or type(error).__name__
