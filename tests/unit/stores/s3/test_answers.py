"""What servers answer, read from XML that nobody trusts."""

from datetime import UTC, datetime
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.base import Listed
from firnline.stores.s3.answers import (
    AnswerError,
    check_copied,
    parse_error,
    parse_page,
    parse_uploads,
)
from firnline.stores.s3.faults import Told

NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))


def page(*keys: str, quoted: bool = True, more: str = "") -> bytes:
    def contents(key: str) -> str:
        text = escape(quote_plus(key, safe="/") if quoted else key)
        if key.endswith("/"):
            return f"<CommonPrefixes><Prefix>{text}</Prefix></CommonPrefixes>"
        return f"<Contents><Key>{text}</Key><Size>7</Size></Contents>"

    encoding = "<EncodingType>url</EncodingType>" if quoted else ""
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{encoding}{more}{''.join(map(contents, keys))}</ListBucketResult>"
    ).encode()


@given(st.lists(NAMES, max_size=5, unique=True), st.booleans())
def test_names_as_they_are(names: list[str], quoted: bool):
    """Percent, plus, spaces, and letters in one form or the other come out as they went in."""
    keys = [f"base/{name}" for name in names]
    found = parse_page(page(*keys, *(f"{key}/" for key in keys), quoted=quoted), "base/")
    assert found.entries == [
        *(Listed(name, 7, False) for name in names),
        *(Listed(name, None, True) for name in names),
    ]
    assert found.token is None
    assert found.last == max([*keys, *(f"{key}/" for key in keys)], default="")


@pytest.mark.parametrize(
    "key", ["base/", "base//", "base/..", "base/../", "base/.", "base/a\x01b", "other/x", "base"]
)
def test_junk(key):
    """What cannot be a name of the directory is left out, and the others stay."""
    found = parse_page(page(key, "base/good"), "base/")
    assert found.entries == [Listed("good", 7, False)]


def test_what_no_xml_may_hold():
    """One name with a control character, which a server wrote down as it is, spoils nothing."""
    for bad in (b"\x01", b"&#x1;", b"&#1;", b"&#x1F;"):
        body = page("base/good", quoted=False).replace(
            b"<Contents>", b"<Other>" + bad + b"</Other><Contents>"
        )
        assert parse_page(body, "base/").entries == [Listed("good", 7, False)]


def test_the_next_page():
    """A page that is not the last says where the next one begins, or is refused."""
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    assert parse_page(page("a", more=more), "").token == "t"
    with pytest.raises(AnswerError):
        parse_page(page("a", more="<IsTruncated>true</IsTruncated>"), "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Please log in</body></html>",
        b"<ListBucketResult>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult>&a;</ListBucketResult>',
        b"\xff\xfe",
    ],
)
def test_no_answer(body):
    """A web page, half an answer, entities: refused, never an empty listing."""
    with pytest.raises(AnswerError):
        parse_page(body, "")


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes):
    """Nothing that a server says makes it fail in another way."""
    told = parse_error(500, body, None)
    assert told.status == 500
    for read in (lambda: parse_page(body, ""), lambda: parse_uploads(body)):
        with pytest.raises(AnswerError):
            read()


def test_uploads():
    """Those that say what they are and since when; the others are left out."""
    body = (
        b"<ListMultipartUploadsResult><EncodingType>url</EncodingType>"
        b"<Upload><Key>a%2Bb</Key><UploadId>u</UploadId>"
        b"<Initiated>2026-11-01T00:00:00.000Z</Initiated></Upload>"
        b"<Upload><Key>c</Key><UploadId>v</UploadId><Initiated>once</Initiated></Upload>"
        b"</ListMultipartUploadsResult>"
    )
    (found,) = parse_uploads(body)
    assert (found.key, found.upload) == ("a+b", "u")
    assert found.begun == datetime(2026, 11, 1, tzinfo=UTC)


def test_copies():
    """Only one that says so was made: an error may come with status 200."""
    check_copied(b"<CopyObjectResult/>")
    with pytest.raises(AnswerError):
        check_copied(b"<Error><Code>InternalError</Code></Error>")


def test_errors():
    """The code and the right region are read, where they are such."""
    body = b"<Error><Code>PermanentRedirect</Code><Region>eu-west-1</Region></Error>"
    assert parse_error(301, body, None) == Told(301, "PermanentRedirect", "eu-west-1")
    assert parse_error(503, b"<html/>", 2.0) == Told(503, "", "", 2.0)
    assert parse_error(400, b"<Error><Code>a b</Code></Error>", None) == Told(400)
