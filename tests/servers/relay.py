"""A relay in front of a server on this computer, which makes the line worse than it is.

It delays each way, cuts a connection after so many bytes, or all of them at once; it runs on a
thread with a loop of its own.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from tests.servers.process import HOST

_PIECE = 64 * 1024
_LINE = 16 << 20
"""Bytes that are on the line at once: it is long, not narrow."""


class Relay:
    """What happens on the line; its settings may change while it runs."""

    def __init__(self, target: int, delay: float = 0.0) -> None:
        """`target`: the server's port; `delay`: seconds each way."""
        self.target = target
        self.delay = delay
        self.cut_up: int | None = None
        """Bytes towards the server after which everything is cut."""
        self.cut_down: int | None = None
        """Bytes from the server after which everything is cut."""
        self.cuts = 0
        """How often a limit was passed."""
        self._once = False
        self.up = 0
        self.down = 0
        self.connections = 0
        self.port = 0
        self.alter: Callable[[bytes], bytes] = bytes
        """What becomes of a piece from the server."""
        self._loop = asyncio.new_event_loop()
        self._ready = Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut_once(self, *, up: int | None = None, down: int | None = None) -> None:
        """Cut everything when so many bytes more have passed, and then no more."""
        self.cut_up = None if up is None else self.up + up
        self.cut_down = None if down is None else self.down + down
        self._once = True

    def cut(self) -> None:
        """End all connections now."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._cut()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(_ended(tasks))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(
                    self._carry(reader, far_writer, up=True),
                    self._carry(far_reader, writer, up=False),
                )
        finally:
            self._writers -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        """Read as fast as it comes, and write each piece when its time has come."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_LINE // _PIECE)

        async def read() -> None:
            while piece := await reader.read(_PIECE):
                await queue.put((loop.time() + self.delay, piece if up else self.alter(piece)))
            await queue.put((loop.time() + self.delay, b""))

        async def write() -> None:
            while True:
                due, piece = await queue.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not piece:
                    writer.write_eof()
                    return
                self._count(len(piece), up=up)
                writer.write(piece)
                await writer.drain()

        await asyncio.gather(read(), write())

    def _count(self, size: int, *, up: bool) -> None:
        if up:
            self.up += size
        else:
            self.down += size
        limits = ((self.up, self.cut_up), (self.down, self.cut_down))
        if any(limit is not None and passed > limit for passed, limit in limits):
            self.cuts += 1
            if self._once:
                self.cut_up = self.cut_down = None
            self._cut()
            raise ConnectionResetError("cut")


async def _ended(tasks: set["asyncio.Task[object]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def relay(target: int, delay: float = 0.0) -> Iterator[Relay]:
    """A running relay in front of a port of this computer."""
    line = Relay(target, delay)
    line.start()
    try:
        yield line
    finally:
        line.stop()
