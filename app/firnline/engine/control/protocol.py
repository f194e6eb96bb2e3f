"""What goes over the control socket. Pure: bytes in, values out.

A frame is one letter for its kind, its length in four bytes (big-endian) and its body. The client
sends one request, or a look; it is answered by pieces of output and then the exit code, or by a
refusal. What comes in is never believed: a frame of another kind, or a longer one, is known by its
first bytes.
"""

import json
from enum import StrEnum
from typing import Any, NamedTuple

MOST_BYTES = 1 << 20
"""No frame is longer."""
MOST_ARGUMENTS = 10_000
_HEADER = 5
_PIECE = 1 << 16
_MOST_EXIT_CODE = 255


class Kind(StrEnum):
    """The letters of the frames."""

    REQUEST = "C"
    LOOK = "L"
    """What is being done? Answered at once, by output and an exit code."""
    OUTPUT = "O"
    MESSAGE = "E"
    """For standard error."""
    WANTED = "W"
    """What the person at the other end is to be asked for; the exit code follows, and the same
    request with the answer may come next."""
    EXIT = "X"
    REFUSED = "N"


class ProtocolError(Exception):
    """The other side does not speak this protocol."""


class Frame(NamedTuple):
    """One of them."""

    kind: Kind
    body: bytes


class Request(NamedTuple):
    """A command, as it was given to the command line."""

    version: str
    """Of the program; both sides must be the same one."""
    directory: str
    """Where the caller stands: paths in the arguments are relative to it."""
    arguments: tuple[str, ...]
    secret: str | None = None
    """What a person gave with it: the password of a store, or a passphrase."""
    asks: bool = False
    """Whether the caller can ask a person."""

    def __repr__(self) -> str:
        # Of what a person typed only the words of the command are fit for a log.
        return f"Request({self.version!r}, {self.arguments[:2]!r})"


class Frames:
    """Cuts what comes in into frames."""

    def __init__(self, *expected: Kind) -> None:
        self._expected = {ord(kind) for kind in expected}
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that are complete now. Raises ProtocolError."""
        self._rest += chunk
        found = []
        while self._rest:
            if self._rest[0] not in self._expected:
                raise ProtocolError("a frame of a kind that is not expected")
            if len(self._rest) < _HEADER:
                break
            end = _HEADER + int.from_bytes(self._rest[1:_HEADER], "big")
            if end > _HEADER + MOST_BYTES:
                raise ProtocolError("a frame that is too long")
            if len(self._rest) < end:
                break
            found.append(Frame(Kind(chr(self._rest[0])), self._rest[_HEADER:end]))
            self._rest = self._rest[end:]
        return found


def frame(kind: Kind, body: bytes) -> bytes:
    """Raises ProtocolError when `body` is too long."""
    if len(body) > MOST_BYTES:
        raise ProtocolError("a frame that is too long")
    return kind.encode() + len(body).to_bytes(4, "big") + body


def text_frames(kind: Kind, text: str) -> bytes:
    """As many frames as it takes; what is no Unicode is written as escapes."""
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return b"".join(frame(kind, each.encode("utf-8", "backslashreplace")) for each in pieces)


def request_frame(request: Request) -> bytes:
    """Raises ProtocolError when it is too long."""
    return frame(Kind.REQUEST, json.dumps(request._asdict()).encode("ascii"))


def look_frame(version: str) -> bytes:
    """Of the program; both sides must be the same one."""
    return frame(Kind.LOOK, version.encode("ascii"))


def parse_request(body: bytes) -> Request:
    """Raises ProtocolError."""
    value = _json(body)
    if not isinstance(value, dict) or set(value) != set(Request._fields):
        raise ProtocolError("a request without its fields")
    arguments = value["arguments"]
    if not isinstance(arguments, list) or len(arguments) > MOST_ARGUMENTS:
        raise ProtocolError("a request without arguments")
    secret, asks = value["secret"], value["asks"]
    if not (secret is None or isinstance(secret, str)) or not isinstance(asks, bool):
        raise ProtocolError("a request with a secret that is none")
    texts = [value["version"], value["directory"], *arguments]
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ProtocolError("a request with something else than text")
    return Request(value["version"], value["directory"], tuple(arguments), secret, asks)


def exit_frame(code: int) -> bytes:
    """The end of an answer."""
    return frame(Kind.EXIT, str(code).encode("ascii"))


def parse_exit(body: bytes) -> int:
    """Raises ProtocolError."""
    text = body.decode("ascii", "replace")
    if not text.isdecimal() or len(text) > 3 or int(text) > _MOST_EXIT_CODE:
        raise ProtocolError("an exit code that is none")
    return int(text)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a request that is no JSON") from error
