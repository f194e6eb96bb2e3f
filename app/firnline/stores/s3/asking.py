"""What the library does not ask, asked by ourselves: requests without a body, signed by hand.

obstore gives up on a whole listing when one key in it is not to its taste, takes the mark of a
directory for a file, tells nothing of unfinished uploads or of the server's clock, and does not
look into the answer to a copy, which may be an error with status 200 (docs/decisions/0023).

Each request takes a connection out of a pool; calls block, and may come from several threads.
"""

import http.client
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import NamedTuple

from firnline.stores.errors import CorruptError, DeniedError, StoreError, UnavailableError
from firnline.stores.s3.address import S3Address
from firnline.stores.s3.answers import parse_error
from firnline.stores.s3.faults import failure
from firnline.stores.s3.keys import Keys
from firnline.stores.s3.signing import Request, sign

SILENCE = 60.0
"""Seconds without a byte after which a connection counts as broken."""
_LARGEST = 16 << 20
"""Bytes of an answer: a page of 1,000 names takes one at most."""
_LONGEST_WAIT = 24 * 3600.0
_Connection = http.client.HTTPConnection


class Answer(NamedTuple):
    """A status that was expected, and what came with it."""

    status: int
    body: bytes


class Asker:
    """Asks one bucket."""

    def __init__(self, address: S3Address, keys: Keys) -> None:
        self.address = address
        self._keys = keys
        self._lock = Lock()
        self._idle: list[_Connection] = []
        self._closed = False
        self._trust: ssl.SSLContext | None = None
        self.date: datetime | None = None
        """The server's clock, as its last answer told it."""

    def ask(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        about: str = "",
        seconds: float = SILENCE,
    ) -> Answer:
        """An answer of success about an object, or about the bucket for ''.

        Raises StoreErrors about the path `about`. `seconds`: how long the server may be silent.
        """
        target = self.address.target(key)
        request = Request(method, self.address.server, target, query or {}, headers or {})
        connection, is_new = self._take()
        try:
            try:
                response, body = self._exchange(connection, request, seconds)
            except (ConnectionError, http.client.BadStatusLine):
                if is_new:
                    raise
                # The server had ended it while nobody used it.
                connection.close()
                connection = self._new()
                response, body = self._exchange(connection, request, seconds)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise self._broken(error, about) from error
        self._give_back(connection, response)
        self._note_date(response)
        if len(body) > _LARGEST:
            raise CorruptError(about, "an answer that is far too long")
        if not 200 <= response.status < 300:
            raise _refused(response, body, about)
        return Answer(response.status, body)

    def _exchange(
        self, connection: _Connection, request: Request, seconds: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        # The computer's own clock, as the library has it, whatever clock the engine was given.
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = sign(request, self._keys, self.address.region, moment)
        query = request.encoded_query
        connection.timeout = seconds
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        connection.putrequest(
            request.method,
            f"{request.target}?{query}" if query else request.target,
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in headers.items():
            connection.putheader(name, value)
        if request.method in ("PUT", "POST"):
            connection.putheader("content-length", "0")
        connection.endheaders()
        response = connection.getresponse()
        return response, response.read(_LARGEST + 1)

    def _take(self) -> tuple[_Connection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        return self._new(), True

    def _new(self) -> _Connection:
        host = self.address.server
        if self.address.scheme == "http":
            return http.client.HTTPConnection(host, timeout=SILENCE)
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return http.client.HTTPSConnection(host, timeout=SILENCE, context=self._trust)

    def _give_back(self, connection: _Connection, response: http.client.HTTPResponse) -> None:
        with self._lock:
            if not (self._closed or response.will_close or not response.isclosed()):
                self._idle.append(connection)
                return
        connection.close()

    def _note_date(self, response: http.client.HTTPResponse) -> None:
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
            self.date = date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            return

    def _broken(self, error: Exception, about: str) -> StoreError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return DeniedError(
                "",
                f"{self.address.server} shows a certificate that this computer does not trust"
                f" ({error.verify_message}): make its authority known to the system",
            )
        if isinstance(error, TimeoutError):
            return UnavailableError(about, "no answer in time")
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return UnavailableError(about, (reason or type(error).__name__)[:200])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _refused(response: http.client.HTTPResponse, body: bytes, about: str) -> StoreError:
    patience = response.headers.get("Retry-After", "").strip()
    known = patience.isascii() and patience.isdigit() and len(patience) < 10
    seconds = min(float(patience), _LONGEST_WAIT) if known else None
    region = response.headers.get("x-amz-bucket-region", "")
    return failure(parse_error(response.status, body, seconds, region), about)
