"""What refusals mean, as servers and the library say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from firnline.stores.s3.faults import Told, failure, library_failure, unfinished_upload

GENERIC = "GenericError"


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Told(403, "InvalidAccessKeyId"), CredentialsError, "key_id and secret"),
        (Told(403, "SignatureDoesNotMatch"), CredentialsError, "key_id and secret"),
        (Told(400, "ExpiredToken"), CredentialsError, "key_id and secret"),
        (Told(401), CredentialsError, "key_id and secret"),
        (Told(403, "AccessDenied"), DeniedError, "may not do this"),
        (Told(403), DeniedError, "may not do this"),
        (Told(403, "RequestTimeTooSkewed"), DeniedError, "set the clock right"),
        (Told(301, "PermanentRedirect", "eu-west-1"), DeniedError, "region=eu-west-1"),
        (Told(400, "AuthorizationHeaderMalformed", "x-1"), DeniedError, "region=x-1"),
        (Told(307), DeniedError, "another region or at another endpoint"),
        (Told(404, "NoSuchBucket"), ServerError, "no bucket"),
        (Told(404, "NoSuchKey"), NotFoundError, "no such file"),
        (Told(404), NotFoundError, "no such file"),
        (Told(503, "SlowDown", seconds=3.0), BusyError, "busy"),
        (Told(429), BusyError, "busy"),
        (Told(507), FullError, "quota"),
        (Told(403, "QuotaExceeded"), FullError, "quota"),
        (Told(507, "XMinioStorageFull"), FullError, "quota"),
        (Told(500, "InternalError"), ServerError, "failed"),
        (Told(409, "OperationAborted"), ServerError, "another attempt"),
        (Told(400, "RequestTimeout"), ServerError, "another attempt"),
        (Told(501, "NotImplemented"), DeniedError, "cannot do this"),
        (Told(400, "EntityTooLarge"), DeniedError, "of this size"),
        (Told(418), DeniedError, "refuses"),
    ],
)
def test_what_servers_say(told, kind, words):
    """Each becomes the error with the right next step, and says what the server said."""
    error = failure(told, "a/b")
    assert type(error) is kind
    assert words in error.detail


def test_how_long_to_wait():
    """`Retry-After` comes along."""
    error = failure(Told(503, "SlowDown", seconds=3.0), "a")
    assert isinstance(error, BusyError)
    assert error.seconds == 3.0


@pytest.mark.parametrize(
    ("kind", "text", "expected", "words"),
    [
        (
            GENERIC,
            "Generic S3 error: Error performing list request: Error performing GET http://h/b in"
            " 1ms - Server returned non-2xx status code: 403 Forbidden: <?xml?>\n<Error><Code>"
            "SignatureDoesNotMatch</Code></Error>\n\nDebug source:\n…",
            CredentialsError,
            "SignatureDoesNotMatch",
        ),
        (
            "FileNotFoundError",
            "Object at location d/e not found: Error performing HEAD http://h/b in 7µs - Server"
            " returned non-2xx status code: 404 Not Found: \n\nDebug source:\n…",
            NotFoundError,
            "no such file",
        ),
        ("FileNotFoundError", "Object at location d/e not found", NotFoundError, "no such file"),
        (
            GENERIC,
            "Generic S3 error: Error performing GET http://h/b in 1ms, after 2 retries - Server"
            " returned non-2xx status code: 503 Service Unavailable: \n\nDebug source:\n…",
            BusyError,
            "503",
        ),
        (
            GENERIC,
            "Generic S3 error: Error performing POST http://h/b?delete in 2ms - Server returned"
            " error response: <DeleteResult><Error><Key>d</Key><Code>InternalError</Code></Error>"
            "</DeleteResult>\n\nDebug source:\n…",
            ServerError,
            "InternalError",
        ),
        (
            GENERIC,
            "Generic S3 error: … - Received redirect without LOCATION, this normally indicates an"
            " incorrectly configured region\n\nDebug source:\n…",
            DeniedError,
            "region",
        ),
        (
            GENERIC,
            "Generic S3 error: … - HTTP error: error sending request\n\nDebug source:\n… Os {"
            ' code: 111, kind: ConnectionRefused, message: "Connection refused", }',
            UnavailableError,
            "Connection refused",
        ),
        (
            GENERIC,
            "Generic S3 error: … - HTTP error: error sending request\n\nDebug source:\n… error:"
            " InvalidCertificate(\n    UnknownIssuer,\n)",
            DeniedError,
            "UnknownIssuer",
        ),
        (
            GENERIC,
            "Generic S3 error: HTTP error: request or response body error\n\nDebug source:\n…"
            " kind: UnexpectedEof,\n error: IncompleteBody",
            UnavailableError,
            "broke off",
        ),
        (
            GENERIC,
            "Generic S3 error: Unable to extract metadata from headers: ETag Header missing from"
            " response\n\nDebug source:\n…",
            ServerError,
            "login page",
        ),
        (
            GENERIC,
            "Generic S3 error: Received non-partial response when range requested\n\nDebug"
            ' source:\nGeneric {\n    store: "S3",\n    source: NotPartial,\n}',
            CorruptError,
            "something else",
        ),
    ],
)
def test_what_the_library_says(kind, text, expected, words):
    """Its words are read for the status and the code; what is on the line has its reason."""
    error = library_failure(kind, text, "a")
    assert type(error) is expected
    assert words in error.detail


@given(st.text(max_size=50), st.text(max_size=300))
def test_any_words(kind: str, text: str):
    """Whatever it says becomes an error of a store, in one short line."""
    error = library_failure(kind, text, "a")
    assert isinstance(error, StoreError)
    assert len(error.detail) < 400


def test_uploads_that_are_left():
    """An error that names its upload tells what is to be taken back."""
    text = "Generic S3 error: Error performing DELETE http://h/b/mp/c?uploadId=59_ee in 5ms - …"
    assert unfinished_upload(text) == "59_ee"
    assert unfinished_upload("Generic S3 error: …") is None
