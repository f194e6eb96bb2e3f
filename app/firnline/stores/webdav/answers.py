"""What an answer of the server means: its status and its headers. Pure."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from firnline.stores.errors import (
    BusyError,
    CredentialsError,
    DeniedError,
    FullError,
    NotFoundError,
    ServerError,
    StoreError,
)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_EVER = frozenset({301, 308})
_BUSY = frozenset({429, 503})
_LONGEST_WAIT = 24 * 3600.0
_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18})")
_TREE: Mapping[int, tuple[type[StoreError], str]] = {
    401: (CredentialsError, "the server does not take this user and password"),
    403: (DeniedError, "the server does not allow it"),
    404: (NotFoundError, "no such file"),
    410: (NotFoundError, "no such file"),
    413: (DeniedError, "the server takes no files of this size"),
    423: (ServerError, "somebody has locked it"),
    507: (FullError, "no space left, or a quota is used up"),
}


def failure(status: int, headers: Mapping[str, str], path: str) -> StoreError:
    """What a status that nobody expected means."""
    if status in _BUSY:
        return BusyError(path, f"the server is busy ({status})", patience(headers))
    if status in _TREE:
        kind, detail = _TREE[status]
        return kind(path, f"{detail} ({status})")
    if status < 300:
        detail = "a web page instead of an answer: a login page in between?"
        return ServerError(path, f"{detail} ({status})")
    if status >= 500 or status == 408:
        return ServerError(path, f"the server failed ({status})")
    return DeniedError(path, f"the server refuses ({status})")


def patience(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After`; one with a date is taken from the `Date` beside it, so no clock
    but the server's counts. None where it says nothing sensible."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), _LONGEST_WAIT)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("Date", ""))
        seconds = (until - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def next_place(status: int, headers: Mapping[str, str], url: str, path: str) -> str:
    """Where a redirect leads. Raises StoreError unless it stays with scheme, host and port: what
    is secret is for that server alone."""
    try:
        target = urljoin(url, headers.get("Location", ""))
        here, there = urlsplit(url), urlsplit(target)
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
    except ValueError:
        raise ServerError(path, f"a redirect that leads nowhere ({status})") from None
    if same and not there.username:
        return target
    seen = f"{there.scheme}://{there.hostname or ''}"[:200]
    if status in _FOR_EVER:
        raise DeniedError(path, f"the server has moved to {seen!a}: change the location")
    detail = f"it leads to another server, {seen!a}: a login page in between?"
    raise ServerError(path, f"{detail} ({status})")


def whole_size(headers: Mapping[str, str]) -> int | None:
    """Of the whole file, from `Content-Range`."""
    match = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    return int(match[2]) if match else None


def range_start(headers: Mapping[str, str]) -> int | None:
    """Where the part of a file begins that an answer brings, from `Content-Range`."""
    match = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    return int(match[1]) if match and match[1] else None
