"""The control socket of a running Firnline: takes a request, has it carried out, passes on what is
said.

One command at a time; others wait in line. Who only wants a look at what is being done is answered
at once, by what the loop has at hand. What a client does never holds up the program: who
sends no whole request within seconds is let go, who does not read what is said is let go, and of
many clients only a few are heard. A client that goes away stops its command at a safe place.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from pathlib import Path

from firnline import __version__
from firnline.core.steps import Steps, no_steps
from firnline.engine.control import channel, socket_place
from firnline.engine.control.protocol import (
    Frame,
    Frames,
    Kind,
    ProtocolError,
    Request,
    exit_frame,
    frame,
    parse_request,
    text_frames,
)

PATIENCE = 10.0
"""Seconds for a whole request, and for the last of an answer to be read."""
MOST_CLIENTS = 16
MOST_UNREAD = 8 << 20
"""Bytes of an answer that wait for a client that does not read."""
STOP_WITHIN = 3.0
"""Seconds that a command has to come to a safe place when the program ends."""
_CHUNK = 1 << 16
_MISTAKE = "firnline: a mistake in the program that runs; its log has all of it\n"
_logger = logging.getLogger(__name__)


class Caller:
    """Who asked for a command; may be used from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter) -> None:
        self._loop = loop
        self._writer = writer
        self._gone = threading.Event()

    @property
    def gone(self) -> bool:
        """Nobody waits for the command any more: it is to stop at a safe place."""
        return self._gone.is_set()

    def say(self, kind: Kind, text: str) -> None:
        """A piece of output; never waits."""
        pieces = text_frames(kind, text)
        # After the loop has ended nobody is there to hear it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.send, pieces)

    def send(self, frames: bytes) -> None:
        """On the loop's thread."""
        transport = self._writer.transport
        if self.gone or transport.is_closing():
            return
        self._writer.write(frames)
        if transport.get_write_buffer_size() > MOST_UNREAD:
            _logger.info("control: a client does not read what it asked for")
            self.let_go()
            transport.abort()

    def let_go(self) -> None:
        """It is not answered any more."""
        self._gone.set()


CarryOut = Callable[[Request, Caller], Awaitable[int]]
"""Carries out one command and returns its exit code."""
Look = Callable[[], str]
"""What is being done at the moment, as text; called by the loop."""


@asynccontextmanager
async def controlled(
    directory: Path, carry_out: CarryOut, look: Look, steps: Steps = no_steps
) -> AsyncIterator[None]:
    """Inside, commands are taken at the channel in `directory`.

    Where there can be none, the log says why, and nothing is taken: the command line
    says then that the profile is held. At the end what is being carried out is told to stop, and
    waited for.
    """
    door = _Door(carry_out, look)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(door.close)
        try:
            await stack.enter_async_context(_channel()(directory, steps, door.serve))
        except channel.CANNOT as error:
            _logger.info("control: no channel in %s: %s", directory, error)
        yield


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _channel() -> Callable[[Path, Steps, Serve], AbstractAsyncContextManager[None]]:
    if channel.PIPES:
        from firnline.engine.control import pipe_server

        return pipe_server.serving
    return _serving


@asynccontextmanager
async def _serving(directory: Path, steps: Steps, serve: Serve) -> AsyncIterator[None]:
    """At a Unix socket."""
    listening = socket_place.listen(directory, steps)
    server = await asyncio.start_unix_server(serve, sock=listening)
    try:
        yield
    finally:
        server.close()
        with suppress(OSError, socket_place.NotPrivateError):
            socket_place.remove(directory, steps)


class _Door:
    """Those who are connected."""

    def __init__(self, carry_out: CarryOut, look: Look) -> None:
        self._carry_out = carry_out
        self._look = look
        self._one_at_a_time = asyncio.Lock()
        self._inside: dict[asyncio.Task[None], Caller] = {}
        self._at_work: asyncio.Task[None] | None = None
        self._closing = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first byte to its last."""
        task = asyncio.current_task()
        assert task is not None
        caller = Caller(asyncio.get_running_loop(), writer)
        try:
            if self._may_enter(caller, writer.get_extra_info("socket")):
                self._inside[task] = caller
                await self._answer(reader, caller)
            async with asyncio.timeout(PATIENCE):
                await writer.drain()
        except (ConnectionError, TimeoutError, ProtocolError) as error:
            _logger.info("control: a client was let go: %r", error)
        except asyncio.CancelledError:
            # By `close`, and asyncio makes an error of it that ends so.
            if not self._closing:
                raise
        finally:
            self._inside.pop(task, None)
            writer.close()

    async def close(self) -> None:
        """What is being carried out is told to stop, and waited for; the rest is not begun."""
        self._closing = True
        for task, caller in self._inside.items():
            caller.let_go()
            if task is not self._at_work:
                task.cancel()
        if self._inside:
            _, late = await asyncio.wait([*self._inside], timeout=STOP_WITHIN)
            for task in late:
                task.cancel()

    def _may_enter(self, caller: Caller, connection: socket_place.HasOptions) -> bool:
        if not socket_place.is_same_user(connection):
            _logger.warning("control: another user was turned away")
            return False
        if len(self._inside) >= MOST_CLIENTS:
            caller.send(frame(Kind.REFUSED, b"too many wait already"))
            return False
        return True

    async def _answer(self, reader: asyncio.StreamReader, caller: Caller) -> None:
        async with asyncio.timeout(PATIENCE):
            asked = await _asked(reader)
        if asked is None:
            return
        if asked.kind is Kind.LOOK:
            self._show(asked.body, caller)
            return
        request = parse_request(asked.body)
        if request.version != __version__:
            _refuse_version(caller)
            return
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_notice_leaving(reader, caller))
            code = await self._in_turn(request, caller)
            watching.cancel()
        caller.send(exit_frame(code))

    def _show(self, version: bytes, caller: Caller) -> None:
        if version != __version__.encode("ascii"):
            _refuse_version(caller)
            return
        caller.send(text_frames(Kind.OUTPUT, self._look()) + exit_frame(0))

    async def _in_turn(self, request: Request, caller: Caller) -> int:
        async with self._one_at_a_time:
            if caller.gone:
                return 1
            self._at_work = asyncio.current_task()
            try:
                return await self._carry_out(request, caller)
            except Exception:
                _logger.exception("a mistake in the program")
                caller.send(text_frames(Kind.MESSAGE, _MISTAKE))
                return 1
            finally:
                self._at_work = None


def _refuse_version(caller: Caller) -> None:
    text = f"the one that runs is Firnline {__version__}"
    caller.send(frame(Kind.REFUSED, text.encode("ascii")))


async def _asked(reader: asyncio.StreamReader) -> Frame | None:
    """None when the client went away without asking. Raises ProtocolError."""
    frames = Frames(Kind.REQUEST, Kind.LOOK)
    while chunk := await reader.read(_CHUNK):
        found = frames.feed(chunk)
        if len(found) > 1:
            raise ProtocolError("more than one request")
        if found:
            return found[0]
    return None


async def _notice_leaving(reader: asyncio.StreamReader, caller: Caller) -> None:
    """A client that has asked says nothing more, so whatever comes is its end."""
    with suppress(ConnectionError):
        await reader.read(1)
    caller.let_go()
