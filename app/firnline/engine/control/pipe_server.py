"""The end of the named pipe that takes commands (Windows; see `pipe_place.py`).

Each client has two threads that carry bytes between the pipe and a pair of sockets, of which the
loop has one end: all that holds for a client of a Unix socket holds for it.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from firnline.config.private_files import make_private_directory
from firnline.core.steps import Steps
from firnline.engine.control import pipe_place

MOST_CONNECTIONS = 32
"""Clients that are at the door or inside."""
_MOST_FAILURES = 100
_CLOSING = 1.0
_logger = logging.getLogger(__name__)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(directory: Path, steps: Steps, serve: Serve) -> AsyncIterator[None]:
    """Inside, `serve` is called for each client. Raises OSError."""
    make_private_directory(directory, steps)
    address, key = pipe_place.new_address(directory), pipe_place.new_key()
    listener = Listener(address, pipe_place.FAMILY)
    door = _PipeDoor(listener, key, asyncio.get_running_loop(), serve)
    threading.Thread(target=door.accept_all, name="control", daemon=True).start()
    try:
        steps("control.pipe")
        pipe_place.publish(directory, address, key)
        yield
    finally:
        with suppress(OSError):
            steps("control.unlink")
            pipe_place.withdraw(directory)
        door.close(address)


class _PipeDoor:
    """Lets in who knows the key. `accept_all` is a thread's; the tasks are the loop's."""

    def __init__(
        self, listener: Listener, key: bytes, loop: asyncio.AbstractEventLoop, serve: Serve
    ) -> None:
        self._listener = listener
        self._key = key
        self._loop = loop
        self._serve = serve
        self._room = threading.Semaphore(MOST_CONNECTIONS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = threading.Event()

    def close(self, address: str) -> None:
        """Nobody is let in any more."""
        self._closing.set()
        closing = threading.Thread(target=self._close, args=(address,), daemon=True)
        closing.start()
        closing.join(_CLOSING)

    def _close(self, address: str) -> None:
        """The thread that waits is woken by somebody at the door."""
        with suppress(OSError):
            Client(address, pipe_place.FAMILY).close()
        self._listener.close()

    def accept_all(self) -> None:
        failures = 0
        while not self._closing.is_set() and failures < _MOST_FAILURES:
            try:
                connection = self._listener.accept()
            except OSError as error:
                failures += 1
                _logger.debug("control: nobody came in", exc_info=error)
                continue
            if self._closing.is_set() or not self._room.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._admit, args=(connection,), daemon=True).start()

    def _admit(self, connection: Connection) -> None:
        try:
            with connection, suppress(OSError, EOFError):
                if not pipe_place.is_known(connection, self._key):
                    _logger.warning("control: somebody without the key was turned away")
                    return
                inner, outer = _pair()
                with outer:
                    # After the loop has ended nobody is there to serve.
                    with suppress(RuntimeError):
                        self._loop.call_soon_threadsafe(self._begin, inner)
                    _carry(connection, outer)
        finally:
            self._room.release()

    def _begin(self, inner: socket.socket) -> None:
        task = self._loop.create_task(self._attend(inner))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, inner: socket.socket) -> None:
        try:
            await self._serve(*await asyncio.open_connection(sock=inner))
        except OSError as error:
            _logger.info("control: a client was let go: %r", error)


def _carry(connection: Connection, outer: socket.socket) -> None:
    """Bytes both ways, until the client goes or has been answered."""
    answering = threading.Thread(target=_answer, args=(connection, outer), daemon=True)
    answering.start()
    with suppress(OSError, EOFError):
        while True:
            outer.sendall(connection.recv_bytes(pipe_place.MOST))
    with suppress(OSError):
        outer.shutdown(socket.SHUT_WR)
    answering.join(pipe_place.PATIENCE)


def _answer(connection: Connection, outer: socket.socket) -> None:
    with suppress(OSError):
        while said := outer.recv(pipe_place.MOST):
            connection.send_bytes(said)
        # It is the end, and whoever still reads goes by himself.
        connection.send_bytes(b"")


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of one line. Windows makes them of its network: nobody may have come between."""
    inner, outer = socket.socketpair()
    if inner.family == socket.AF_INET and inner.getsockname() != outer.getpeername():
        inner.close()
        outer.close()
        raise ConnectionError("somebody else is at the other end")
    inner.setblocking(False)
    return inner, outer
