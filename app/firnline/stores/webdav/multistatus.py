"""What a server answers to PROPFIND (RFC 4918, section 14.16), read piece by piece. Pure.

Nothing in it is trusted: no entities and no document type, bounded depth, bounded texts; what is
kept of each name is a few numbers, whatever else the server says of it.
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

MOST_DEPTH = 64
MOST_TEXT = 64 * 1024
MOST_BYTES = 1 << 30
"""Of one answer."""
_DAV = "{DAV:}"
_KEPT = frozenset({"href", "status", "getcontentlength", "quota-available-bytes"})


class MultistatusError(ValueError):
    """No answer to a PROPFIND, or one with what no honest server sends."""


class Resource(NamedTuple):
    """What is said of one name."""

    parts: tuple[str, ...]
    """Of its path on the server, from the root, unquoted."""
    is_directory: bool
    size: int | None
    free: int | None
    """Bytes that can still be written."""
    status: int
    """Of the whole name; 200 where only its properties have one."""


class _Builder:
    """The parser's target: collects resources that are complete."""

    def __init__(self) -> None:
        self.found: list[Resource] = []
        self.depth = 0
        self.is_multistatus = False
        self.is_finished = False
        self._text: list[str] | None = None
        self._length = 0
        self._within = 0
        self._response: dict[str, str] = {}
        self._pending: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise MultistatusError("nested too deep")
        name = tag.removeprefix(_DAV) if tag.startswith(_DAV) else ""
        if self.depth == 1:
            self.is_multistatus = name == "multistatus"
            if not self.is_multistatus:
                raise MultistatusError("no answer of a WebDAV server")
        elif name == "response":
            self._response, self._pending = {}, {}
        elif name == "propstat":
            self._within, self._pending = self.depth, {}
        elif name == "collection":
            self._pending["collection"] = "yes"
        self._text, self._length = ([], 0) if name in _KEPT else (None, 0)

    def data(self, text: str) -> None:
        if self._text is None:
            return
        self._length += len(text)
        if self._length > MOST_TEXT:
            raise MultistatusError("a text that is too long")
        self._text.append(text)

    def end(self, tag: str) -> None:
        name = tag.removeprefix(_DAV) if tag.startswith(_DAV) else ""
        if name in _KEPT and self._text is not None:
            target = self._pending if self._within else self._response
            target.setdefault(name, "".join(self._text).strip())
        self._text = None
        if name == "propstat" and self._within == self.depth:
            self._within = 0
            # Properties of another status are those that there are not.
            if _status(self._pending.pop("status", "")) == 200:
                self._pending.pop("href", None)  # of something else than this name
                self._response |= self._pending
        elif name == "response" and self.depth == 2:
            self.found.append(_resource(self._response))
        self.depth -= 1

    def close(self) -> None:
        self.is_finished = self.depth == 0


def _resource(said: dict[str, str]) -> Resource:
    return Resource(
        parts=path_parts(said.get("href", "")),
        is_directory="collection" in said,
        size=_number(said.get("getcontentlength", "")),
        free=_number(said.get("quota-available-bytes", "")),
        status=_status(said.get("status", "")),
    )


def _number(text: str) -> int | None:
    """Nextcloud says -3 where there is no limit."""
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number else None


def _status(line: str) -> int:
    """Of `HTTP/1.1 404 Not Found`; 200 where there is none."""
    words = line.split()
    code = words[1] if len(words) > 1 else ""
    return int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 200


def path_parts(href: str) -> tuple[str, ...]:
    """The parts of the path of an href, which may be a whole URL: the host counts for nothing,
    since nobody goes where an href leads. Raises MultistatusError."""
    try:
        path = urlsplit(href).path if "://" in href[:16] else href.split("?")[0].split("#")[0]
    except ValueError as error:
        raise MultistatusError("an address that is none") from error
    parts = [unquote(part, errors="surrogateescape") for part in path.split("/") if part]
    return tuple(parts)


def name_below(parts: tuple[str, ...], directory: tuple[str, ...]) -> str | None:
    """The last part of a name that lies directly in `directory`; None for the directory itself,
    for any other place, and for what is no name."""
    if len(parts) != len(directory) + 1 or parts[:-1] != directory:
        return None
    name = parts[-1]
    return None if name in (".", "..") or "/" in name or "\0" in name else name


class MultistatusReader:
    """Takes an answer piece by piece, gives what is complete."""

    def __init__(self) -> None:
        self._builder = _Builder()
        self._parser = XMLParser(target=self._builder, forbid_dtd=True)
        self._bytes = 0

    def feed(self, piece: bytes) -> Iterator[Resource]:
        """What this piece completes. Raises MultistatusError."""
        self._bytes += len(piece)
        if self._bytes > MOST_BYTES:
            raise MultistatusError("an answer that is too long")
        try:
            self._parser.feed(piece)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise _refused(error) from error
        found, self._builder.found = self._builder.found, []
        yield from found

    def close(self) -> None:
        """There is no more. Raises MultistatusError when something is missing."""
        try:
            self._parser.close()
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise _refused(error) from error


def _refused(error: Exception) -> MultistatusError:
    if isinstance(error, MultistatusError):
        return error
    return MultistatusError(f"unreadable XML: {type(error).__name__}")
