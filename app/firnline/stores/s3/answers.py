"""What a server of S3 answers, read from its XML. Pure.

Nothing in it is trusted: no entities and no document type, and the size of an answer is bounded by
who reads it. Keys that no honest program makes are left out; one of them spoils no listing.
"""

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from firnline.stores.base import Listed
from firnline.stores.s3.faults import Told

_IMPOSSIBLE = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2\d|3[01]));",
    re.I,
)
"""Characters that no XML may hold, and that some servers put there all the same."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIGITS = re.compile(r"\d{1,15}")


class AnswerError(ValueError):
    """No answer to what was asked, or one with what no honest server sends."""


class Page(NamedTuple):
    """Up to 1,000 names of a listing."""

    entries: list[Listed]
    last: str
    """The largest key of all that was listed, junk included; '' for none."""
    token: str | None
    """Where the next page begins; None on the last one."""


class Unfinished(NamedTuple):
    """An upload in parts that nobody ended."""

    key: str
    upload: str
    begun: datetime


def _parse(body: bytes, *roots: str) -> Any:
    try:
        root = fromstring(_IMPOSSIBLE.sub(b"?", body))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise AnswerError("an answer that is no XML") from error
    if _plain(root.tag) not in roots:
        raise AnswerError(f"no {roots[0]}")
    return root


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]


def _fields(element: Any) -> dict[str, str]:
    return {_plain(child.tag): child.text or "" for child in element}


def parse_page(body: bytes, prefix: str) -> Page:
    """One page of `ListObjectsV2` with `/` as the delimiter. Raises AnswerError."""
    root = _parse(body, "ListBucketResult")
    told = _fields(root)
    quoted = told.get("EncodingType") == "url"
    entries: list[Listed] = []
    last = ""
    for element in root:
        kind = _plain(element.tag)
        if kind not in ("Contents", "CommonPrefixes"):
            continue
        fields = _fields(element)
        key = fields.get("Key" if kind == "Contents" else "Prefix", "")
        key = unquote_plus(key) if quoted else key
        last = max(last, key)
        entry = _entry(key, prefix, fields.get("Size"))
        if entry is not None:
            entries.append(entry)
    if told.get("IsTruncated") != "true":
        return Page(entries, last, None)
    if not told.get("NextContinuationToken"):
        raise AnswerError("a listing that breaks off without saying where")
    return Page(entries, last, told["NextContinuationToken"])


def _entry(key: str, prefix: str, size: str | None) -> Listed | None:
    """None for what is no name in this directory: its own mark, which some programs make, and
    what could not be told from another name (`a//b`, `..`)."""
    if not key.startswith(prefix):
        return None
    name = key[len(prefix) :]
    is_directory = name.endswith("/")
    name = name.removesuffix("/")
    if name in ("", ".", "..") or "/" in name or _CONTROL.search(name):
        return None
    if is_directory:
        return Listed(name, None, is_directory=True)
    if size is None or not _DIGITS.fullmatch(size):
        return None
    return Listed(name, int(size), is_directory=False)


def parse_uploads(body: bytes) -> list[Unfinished]:
    """What `ListMultipartUploads` tells. Raises AnswerError."""
    root = _parse(body, "ListMultipartUploadsResult")
    quoted = _fields(root).get("EncodingType") == "url"
    found: list[Unfinished] = []
    for element in root:
        fields = _fields(element) if _plain(element.tag) == "Upload" else {}
        begun = _moment(fields.get("Initiated", ""))
        if begun is None or not fields.get("Key") or not fields.get("UploadId"):
            continue
        key = unquote_plus(fields["Key"]) if quoted else fields["Key"]
        found.append(Unfinished(key, fields["UploadId"], begun))
    return found


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def check_copied(body: bytes) -> None:
    """A copy that was begun well may end badly, and only its body says so. Raises AnswerError."""
    _parse(body, "CopyObjectResult")


def parse_error(status: int, body: bytes, seconds: float | None, region: str = "") -> Told:
    """What went wrong, as far as it can be read."""
    try:
        fields = _fields(_parse(body, "Error"))
    except AnswerError:
        fields = {}
    code = fields.get("Code", "")
    code = code if re.fullmatch(r"\w{1,64}", code) else ""
    named = fields.get("Region", "") or region
    return Told(status, code, named if re.fullmatch(r"[a-z0-9-]{1,32}", named) else "", seconds)
