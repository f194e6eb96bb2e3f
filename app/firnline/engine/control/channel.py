"""Where a client finds the control channel: at a Unix socket, on Windows at a named pipe.

What the system does not need is not imported.
"""

import sys
from pathlib import Path
from typing import Protocol, Self

from firnline.engine.control import socket_place

PIPES = sys.platform == "win32"
CANNOT = (OSError, AttributeError, socket_place.NotPrivateError)
"""What says that there is no channel. AttributeError: this system has no such sockets."""


class Line(Protocol):
    """The client's end, as much of a socket as it needs."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def close(self) -> None: ...

    def settimeout(self, seconds: float | None, /) -> None: ...

    def sendall(self, said: bytes, /) -> None: ...

    def recv(self, most: int, /) -> bytes: ...


def connect(directory: Path, seconds: float) -> Line:
    """To who listens there. Raises one of `CANNOT`."""
    if PIPES:
        from firnline.engine.control import pipe_place

        return pipe_place.connect(directory)
    return socket_place.connect(directory, seconds)
