"""The control channel of Windows, whose Python knows no Unix sockets: where its named pipe is, and
who may be at the other end.

Its name and a key are made anew for each run, and stand in a file in the profile, which only this
user can read. Before anything else is said both sides prove that they have read it, so neither a
stranger who connects, nor one who took the name of a process that is gone, is believed. What the
system gives a pipe by itself keeps other users from writing to it as well.
"""

import hmac
import json
import os
from contextlib import suppress
from multiprocessing.connection import Client, Connection
from pathlib import Path

from firnline.config.private_files import private_opener

FAMILY = "AF_PIPE"
PATIENCE = 10.0
"""Seconds that the other side has to prove who it is."""
MOST = 1 << 16
"""Bytes that go through a pipe at once, at most."""
_FILE = "pipe"
_BYTES = 32


def new_address(directory: Path) -> str:
    """Of a pipe that nobody can have made before."""
    return rf"\\.\pipe\firnline-{os.urandom(16).hex()}"


def new_key() -> bytes:
    return os.urandom(_BYTES)


def publish(directory: Path, address: str, key: bytes) -> None:
    """For who can read it. Raises OSError."""
    fresh = directory / f"{_FILE}.new"
    with suppress(FileNotFoundError):
        fresh.unlink()
    with open(fresh, "x", encoding="ascii", opener=private_opener) as out:
        out.write(json.dumps([address, key.hex()]))
    fresh.replace(directory / _FILE)


def withdraw(directory: Path) -> None:
    """Nobody is there any more. Raises OSError."""
    (directory / _FILE).unlink()


# --- who is there ---------------------------------------------------------------------------------


def is_known(connection: Connection, key: bytes) -> bool:
    """Whether the client has the key; it is shown that this side has it, too."""
    ours = os.urandom(_BYTES)
    connection.send_bytes(ours)
    theirs = _hear(connection)
    proof = _hear(connection)
    if not hmac.compare_digest(proof, _proof(key, b"client", ours, theirs)):
        return False
    connection.send_bytes(_proof(key, b"server", ours, theirs))
    return True


def _introduce(connection: Connection, key: bytes) -> None:
    """The client's side. Raises ConnectionError when the other one has not the key."""
    theirs, ours = _hear(connection), os.urandom(_BYTES)
    connection.send_bytes(ours)
    connection.send_bytes(_proof(key, b"client", theirs, ours))
    if not hmac.compare_digest(_hear(connection), _proof(key, b"server", theirs, ours)):
        raise ConnectionError("somebody else listens there")


def _proof(key: bytes, who: bytes, server: bytes, client: bytes) -> bytes:
    return hmac.digest(key, who + server + client, "sha256")


def _hear(connection: Connection) -> bytes:
    if not connection.poll(PATIENCE):
        raise TimeoutError("the other side says nothing")
    return connection.recv_bytes(_BYTES)


# --- who asks -------------------------------------------------------------------------------------


def connect(directory: Path) -> "PipeConnection":
    """A connection to who listens there. Raises OSError."""
    try:
        address, key = json.loads((directory / _FILE).read_text("ascii"))
        connection = Client(str(address), FAMILY)
    except (ValueError, TypeError) as error:
        raise ConnectionError("no address of a pipe") from error
    try:
        _introduce(connection, bytes.fromhex(key))
    except EOFError as error:
        connection.close()
        raise ConnectionError("turned away") from error
    except BaseException:
        connection.close()
        raise
    return PipeConnection(connection)


class PipeConnection:
    """As much of a socket as the client needs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seconds: float | None = None

    def __enter__(self) -> "PipeConnection":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def settimeout(self, seconds: float | None) -> None:
        self._seconds = seconds

    def sendall(self, said: bytes) -> None:
        for start in range(0, len(said), MOST):
            self._connection.send_bytes(said[start : start + MOST])

    def recv(self, most: int) -> bytes:
        """All that was said at once, which is at most 64 KiB; b'' at the end."""
        if not self._connection.poll(self._seconds):
            raise TimeoutError("the other side says nothing")
        try:
            return self._connection.recv_bytes(MOST)
        except EOFError:
            return b""
