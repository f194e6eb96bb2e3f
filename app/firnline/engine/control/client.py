"""The other end of the control socket: hands a command to the Firnline that runs."""

from collections.abc import Callable
from pathlib import Path

from firnline import __version__
from firnline.engine.control import channel
from firnline.engine.control.protocol import (
    Frames,
    Kind,
    ProtocolError,
    Request,
    look_frame,
    parse_exit,
    request_frame,
)

PATIENCE = 5.0
"""Seconds until somebody takes the call. The command itself may take hours."""
LOOK_PATIENCE = 2.0
"""Seconds for the answer to a look, which takes the loop no time."""
_CHUNK = 1 << 16
_ANSWERS = (Kind.OUTPUT, Kind.MESSAGE, Kind.WANTED, Kind.EXIT, Kind.REFUSED)


class NotTakenError(Exception):
    """Nobody took the command, and nothing was done; the message says why."""


class BrokenOffError(Exception):
    """The one that runs ended before it said that the command was done."""


def look(directory: Path) -> str | None:
    """What the one that runs says it is doing; None where nobody answers soon."""
    frames, texts = Frames(*_ANSWERS), list[str]()
    try:
        with channel.connect(directory, LOOK_PATIENCE) as connection:
            connection.settimeout(LOOK_PATIENCE)
            connection.sendall(look_frame(__version__))
            while chunk := connection.recv(_CHUNK):
                for kind, body in frames.feed(chunk):
                    if kind is not Kind.OUTPUT:
                        return "".join(texts) if kind is Kind.EXIT else None
                    texts.append(body.decode("utf-8", "backslashreplace"))
    except (ProtocolError, *channel.CANNOT):
        return None
    return None


def is_listening(directory: Path) -> bool:
    """Whether somebody takes commands there."""
    try:
        channel.connect(directory, LOOK_PATIENCE).close()
    except channel.CANNOT:
        return False
    return True


def hand_over(directory: Path, request: Request, hear: Callable[[Kind, str], None]) -> int:
    """The command's exit code; `hear` gets what it says, as it says it.

    Raises NotTakenError and BrokenOffError. Ended by an exception (Ctrl-C), the command is told to
    stop at a safe place.
    """
    try:
        asked = request_frame(request)
        connection = channel.connect(directory, PATIENCE)
    except (ProtocolError, *channel.CANNOT) as error:
        raise NotTakenError(str(error)) from error
    with connection:
        frames = Frames(*_ANSWERS)
        try:
            connection.sendall(asked)
            while chunk := connection.recv(_CHUNK):
                for kind, body in frames.feed(chunk):
                    text = body.decode("utf-8", "backslashreplace")
                    if kind is Kind.EXIT:
                        return parse_exit(body)
                    if kind is Kind.REFUSED:
                        raise NotTakenError(text)
                    hear(kind, text)
        except (ConnectionError, ProtocolError) as error:
            raise BrokenOffError(str(error)) from error
    raise BrokenOffError
