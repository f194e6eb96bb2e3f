"""What it means that a server of S3 refuses: from its status and code, and from the words of the
library, to the errors of stores. Pure.

The library (obstore) keeps no headers of an answer, so `Retry-After` is known only for what this
program asks by itself (`stores.s3.asking`).
"""

import re
from typing import NamedTuple

from firnline.stores.errors import (
    BusyError,
    CorruptError,
    CredentialsError,
    DeniedError,
    FullError,
    NotFoundError,
    ServerError,
    StoreError,
    UnavailableError,
)


class Told(NamedTuple):
    """What a server answered instead of what was asked for."""

    status: int
    code: str = ""
    """The word of S3 for it; '' where it gives none, as to HEAD."""
    region: str = ""
    """The one it names as the right one."""
    seconds: float | None = None
    """`Retry-After`."""


_LOGIN = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidToken",
        "NotSignedUp",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_OVER = frozenset({"ExpiredToken", "TokenRefreshRequired"})
"""No other try will do. A key that was just made may be unknown for a while."""
_BUSY = frozenset(
    {
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
    }
)
_AGAIN = frozenset(
    {"ConditionalRequestConflict", "IncompleteBody", "OperationAborted", "RequestTimeout"}
)
_FULL = re.compile(r"Quota|StorageFull|DiskFull|InsufficientStorage|StorageCap|CapExceeded", re.I)
_ELSEWHERE = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_WORDS = {
    "EntityTooLarge": "the server takes no files of this size",
    "InvalidObjectState": "it was moved to an archive that has to be thawed first",
    "KeyTooLongError": "the name is too long for the server",
    "MethodNotAllowed": "the server cannot do this",
    "NotImplemented": "the server cannot do this",
}
_CLOCK = (
    "the server takes no requests from this computer, since their clocks differ by more than"
    " 15 minutes: set the clock right"
)
NO_BUCKET = "there is no bucket of this name on the server"


def failure(told: Told, path: str) -> StoreError:
    """What an answer means that nobody expected."""
    word = told.code or str(told.status)
    if told.code == "NoSuchBucket":
        return ServerError("", NO_BUCKET)
    if told.code in _ELSEWHERE or told.status in (301, 307, 308):
        where = f": --option region={told.region}" if told.region else ""
        return DeniedError("", f"the bucket is in another region or at another endpoint{where}")
    if told.code == "RequestTimeTooSkewed":
        return DeniedError("", _CLOCK)
    if told.code in _LOGIN or told.status == 401:
        text = f"the server does not take this key_id and secret ({word})"
        return CredentialsError("", text, definite=told.code in _OVER)
    if told.status == 507 or _FULL.search(told.code):
        return FullError(path, f"no space left, or a quota is used up ({word})")
    if told.code in _BUSY or told.status in (429, 503):
        return BusyError(path, f"the server is busy ({word})", told.seconds)
    if told.status == 404:
        return NotFoundError(path, "no such file")
    return _other(told, path, word)


def _other(told: Told, path: str, word: str) -> StoreError:
    if told.status >= 500 and told.code != "NotImplemented":
        return ServerError(path, f"the server failed ({word})")
    if told.status in (408, 409) or told.code in _AGAIN:
        return ServerError(path, f"the server asks for another attempt ({word})")
    if told.code in _WORDS:
        return DeniedError(path, f"{_WORDS[told.code]} ({word})")
    if told.status == 403:
        return DeniedError(path, f"the key may not do this there ({word})")
    return DeniedError(path, f"the server refuses ({word})")


_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>\s*(\w{1,64})\s*</Code>")
_PLACE = re.compile(r"<Region>\s*([a-z0-9-]{1,32})\s*</Region>")
_UPLOAD = re.compile(r"[?&]uploadId=([^\s&]{1,2000})")
_REASONS = (
    (re.compile(r"InvalidCertificate\(\s*(\w+)"), "its certificate is not trusted here ({})"),
    (re.compile(r'message: "([^"]{1,200})"'), "{}"),
    (re.compile(r'error: "([^"]{1,200})"'), "{}"),
    (re.compile(r"(TimedOut)"), "no answer in time"),
    (re.compile(r"(Incomplete\w+|UnexpectedEof|BrokenPipe|ConnectionReset)"), "it broke off ({})"),
)


def parse_told(text: str) -> Told | None:
    """What the server said, from the words of the library; None when it did not get that far."""
    head, _, _ = text.partition("\n\nDebug source:")
    status, code, place = _STATUS.search(head), _CODE.search(head), _PLACE.search(head)
    if "redirect without LOCATION" in head:
        return Told(301)
    if status is None and code is None:
        return None
    number = int(status[1]) if status else 500
    return Told(number, code[1] if code else "", place[1] if place else "")


def library_failure(kind: str, text: str, path: str) -> StoreError:
    """What an exception of the library means: `kind` is its class, `text` what it says."""
    told = parse_told(text)
    if told is not None:
        return failure(told, path)
    if kind == "FileNotFoundError":
        return NotFoundError(path, "no such file")
    if "ETag Header missing" in text or "Got invalid" in text:
        return ServerError(path, "a web page instead of an answer: a login page in between?")
    if kind == "InvalidPathError" or "NotPartial" in text:
        return CorruptError(path, "the server answers something else than was asked")
    return _line_failure(text, path)


def _line_failure(text: str, path: str) -> StoreError:
    for pattern, words in _REASONS:
        if found := pattern.search(text):
            reason = words.format(found[1])
            kind = DeniedError if "certificate" in reason else UnavailableError
            return kind(path, reason)
    return UnavailableError(path, text.splitlines()[0][:200] if text else "it broke off")


def unfinished_upload(text: str) -> str | None:
    """The upload that an error of the library leaves behind, where it names one."""
    found = _UPLOAD.search(text)
    return found[1] if found else None
